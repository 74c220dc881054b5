"""Find the sweep that a person means: by its name, or by the path of its file."""

import difflib
import json
from pathlib import Path

from sweeper.bootstrap.folders import SweepFolder, all_folders, folder_of, state_dir
from sweeper.errors import SettingsError
from sweeper.settings import Settings

_SHOWN = 10


def find_sweep(settings: Settings, sweep: str) -> SweepFolder:
    """Return the folder of the sweep that `sweep` names: its name, or the path of its file.

    Of several sweeps that one file has started (with `{date}` in its name), the newest is meant.

    Raises:
        SettingsError: there is none; the message names those that there are.
    """
    named = folder_of(settings, sweep)
    if named.exists():
        return named
    folders = list(all_folders(settings))
    path = Path(sweep).expanduser().absolute()
    started = [folder for folder in folders if started_from(folder) == path]
    if started:
        return max(started, key=lambda folder: (folder.path / "sweep.json").stat().st_mtime)
    raise SettingsError(_none_called(settings, sweep, [folder.name for folder in folders]))


def started_from(folder: SweepFolder) -> Path | None:
    """Return the file that the sweep was last started from, None when that is not known."""
    try:
        note = json.loads((folder.path / "sweep.json").read_text(encoding="utf-8"))
        return Path(str(note["file"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _none_called(settings: Settings, sweep: str, names: list[str]) -> str:
    where = state_dir(settings)
    if Path(sweep).is_file():
        return f"{sweep}: no sweep was started from this file (in {where}): `sweeper run {sweep}`"
    if not names:
        return f"no sweep was ever started here (in {where}); --state-dir names another place"
    near = difflib.get_close_matches(sweep, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names[:_SHOWN])}"
    more = f" and {len(names) - _SHOWN} more" if not near and len(names) > _SHOWN else ""
    return f"no sweep is called {sweep!r}: {hint}{more}"
