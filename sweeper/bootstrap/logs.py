"""What local trainings printed, read from the files that the local control plane keeps."""

import asyncio
from pathlib import Path
from typing import Any, BinaryIO

from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.planes import LOCAL
from sweeper.bootstrap.sweeps import find_sweep
from sweeper.bootstrap.verbs import open_folder
from sweeper.clock import pause
from sweeper.domain.trial import TERMINAL_STATES
from sweeper.errors import SettingsError
from sweeper.settings import Settings

_BLOCK = 64 * 1024
_FOLLOW_SECONDS = 0.5
_OVER = frozenset(state.value for state in TERMINAL_STATES)


async def print_log(
    settings: Settings,
    sweep: str,
    trial: int,
    *,
    attempt: int | None,
    follow: bool,
    out: BinaryIO,
) -> None:
    """Write the log of a trial's attempt (None: the newest); `follow` until it is settled.

    Raises:
        SettingsError: there is no such sweep or attempt, or no log of it on this machine.
        UserError: there is no such trial.
    """
    folder = find_sweep(settings, sweep)
    detail = await _detail(folder, trial)
    file = folder.log_file(_workload_name(detail, attempt))
    offset = await asyncio.to_thread(_copy, file, 0, out)
    if offset is None and not follow:
        raise SettingsError(f"{file}: the training has not started yet, or its log was deleted")
    out.flush()
    while follow and detail["trial"]["state"] not in _OVER:
        await pause(_FOLLOW_SECONDS)
        detail = await _detail(folder, trial)
        offset = await asyncio.to_thread(_copy, file, offset or 0, out)
        out.flush()


async def _detail(folder: SweepFolder, trial: int) -> dict[str, Any]:
    async with open_folder(folder, "logs") as verbs:
        view = await verbs.client.sweep()
        place = view["sweep"]["control_plane"]
        if place != LOCAL:
            raise SettingsError(
                f"sweep {folder.name} runs on {place}, whose API has no logs: "
                "`runai training logs NAME` shows them there (`sweeper show` has the name)"
            )
        return await verbs.client.trial(trial)


def _workload_name(detail: dict[str, Any], attempt: int | None) -> str:
    if attempt is None:
        return str(detail["trial"]["workload_name"])
    for submission in detail["submissions"]:
        if submission["attempt"] == attempt:
            return str(submission["workload_name"])
    count = len(detail["submissions"])
    raise SettingsError(f"--attempt {attempt}: trial {detail['trial']['trial']} has had {count}")


def _copy(file: Path, offset: int, out: BinaryIO) -> int | None:
    """Write what follows `offset` and return where it ends, None when there is no file."""
    try:
        with file.open("rb") as source:
            source.seek(offset)
            while block := source.read(_BLOCK):
                out.write(block)
            return source.tell()
    except FileNotFoundError:
        return None
