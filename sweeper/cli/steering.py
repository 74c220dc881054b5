"""`sweeper pause`, `unpause`, `cancel` and `retry`: what a person may wish of a sweep.

`sweeper adopt`, which names a training too, has a module of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import (
    AsJson,
    StateDir,
    Sweep,
    TrialNumber,
    asked,
    loaded,
    print_json,
    waited,
)
from sweeper.errors import SettingsError

if TYPE_CHECKING:
    from sweeper.bootstrap.folders import SweepFolder
    from sweeper.bootstrap.verbs import Verbs

_AT_ONCE = ("cancel", "suspend")
"""What a person wants done now, and not when a daemon happens to be started next."""


def add_to(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (pause, unpause, cancel, retry):
        app.command(verb.__name__)(verb)


def pause(
    sweep: Sweep,
    suspend: Annotated[
        bool, typer.Option("--suspend", help="Suspend the trainings that exist, too.")
    ] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Start no new trainings; those that exist go on, or are suspended with --suspend."""
    kind = "suspend" if suspend else "pause"
    return _wish(sweep, kind, None, state_dir, as_json=as_json)


def unpause(
    sweep: Sweep,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Trainings that the control plane does not know any more are gone."
        ),
    ] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Go on with a paused sweep, and resume what pause --suspend suspended.

    A sweep is frozen while many of its trainings are missing at once. It goes on by itself when
    they are seen again; --force says that they are gone: they are tried again as `retry` allows.
    """
    return _wish(sweep, "thaw" if force else "unpause", None, state_dir, as_json=as_json)


def cancel(
    sweep: Sweep,
    trial: TrialNumber = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Give up a sweep, or one trial: delete the trainings that live, keep finished ones."""
    return _wish(sweep, "cancel", trial, state_dir, as_json=as_json)


def retry(
    sweep: Sweep,
    failed: Annotated[
        bool, typer.Option("--failed", help="All trials that failed or are held.")
    ] = False,
    trial: TrialNumber = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Give failed and held trials a new chance; reopens a sweep that was stopped."""
    if failed == (trial is not None):
        raise SettingsError("retry: say either --failed, or --trial N")
    return _wish(sweep, "retry", trial, state_dir, as_json=as_json)


def _wish(
    sweep: str, kind: str, trial: int | None, state_dir: Path | None, *, as_json: bool
) -> int:
    asked_for = asked(sweep, kind, state_dir, lambda verbs: _write_down(verbs, kind, trial))
    trouble = ""
    if not asked_for.has_daemon and kind in _AT_ONCE:
        trouble = _carry_out(asked_for, state_dir)
    if as_json:
        print_json(
            {
                "sweep": asked_for.folder.name,
                "wish": asked_for.number,
                "kind": kind,
                "trial": trial,
                "daemon": asked_for.has_daemon,
                "trouble": trouble,
            }
        )
    else:
        typer.echo(_told(asked_for, kind, trial, trouble))
    return Exit.UNFINISHED if trouble else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    folder: "SweepFolder"
    control_plane: str
    number: int
    has_daemon: bool


async def _write_down(verbs: "Verbs", kind: str, trial: int | None) -> _Asked:
    sweep = (await verbs.client.sweep())["sweep"]
    return _Asked(
        folder=verbs.folder,
        control_plane=sweep["control_plane"],
        number=await verbs.client.wish(kind, trial),
        has_daemon=verbs.has_daemon,
    )


def _carry_out(wish: _Asked, state_dir: Path | None) -> str:
    from sweeper.bootstrap.carrying_out import carry_out

    settings = loaded(state_dir=state_dir, log_level="warning")
    return waited(carry_out(settings, wish.folder, wish.control_plane))


def _told(wish: _Asked, kind: str, trial: int | None, trouble: str) -> str:
    what = kind if trial is None else f"{kind} of trial {trial}"
    if trouble:
        return (
            f"{wish.folder.name}: {what} written down, but not carried out yet: {trouble}; "
            "the next `sweeper run` does it"
        )
    if wish.has_daemon:
        return f"{wish.folder.name}: {what} asked for; the daemon does it now"
    if kind in _AT_ONCE:
        return f"{wish.folder.name}: {what} done"
    return f"{wish.folder.name}: {what} written down; no daemon runs: `sweeper run` carries it out"
