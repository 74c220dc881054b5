"""`sweeper pause`, `unpause`, `cancel` and `retry`: what a person may wish of a sweep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, TrialNumber, asked, print_json
from sweeper.errors import SettingsError

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs


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


def unpause(sweep: Sweep, state_dir: StateDir = None, as_json: AsJson = False) -> int:
    """Go on with a paused sweep, and resume what pause --suspend suspended."""
    return _wish(sweep, "unpause", None, state_dir, as_json=as_json)


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
    async def ask(verbs: "Verbs") -> tuple[int, bool, str]:
        return await verbs.client.wish(kind, trial), verbs.has_daemon, verbs.folder.name

    number, has_daemon, name = asked(sweep, kind, state_dir, ask)
    if as_json:
        print_json(
            {"sweep": name, "wish": number, "kind": kind, "trial": trial, "daemon": has_daemon}
        )
        return 0
    what = kind if trial is None else f"{kind} of trial {trial}"
    if has_daemon:
        typer.echo(f"{name}: {what} asked for; the daemon does it now")
    else:
        typer.echo(f"{name}: {what} written down; no daemon runs: `sweeper run` carries it out")
    return 0
