"""`sweeper pause`, `unpause`, `cancel` and `retry`: what a person may wish of a sweep.

`sweeper adopt`, which names a training too, has a module of its own.
"""

from collections.abc import Sequence
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
from sweeper.domain.trial import FailureClass
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
    return _wish(sweep, [_Wanted(kind=kind)], state_dir, as_json=as_json)


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
    wanted = _Wanted(kind="thaw" if force else "unpause")
    return _wish(sweep, [wanted], state_dir, as_json=as_json)


def cancel(
    sweep: Sweep,
    trial: TrialNumber = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Give up a sweep, or one trial: delete the trainings that live, keep finished ones."""
    return _wish(sweep, [_Wanted(kind="cancel", trial=trial)], state_dir, as_json=as_json)


def retry(
    sweep: Sweep,
    failed: Annotated[
        bool, typer.Option("--failed", help="All trials that failed or are held.")
    ] = False,
    failure: Annotated[
        FailureClass | None,
        typer.Option("--class", help="With --failed: only those whose last failure was such."),
    ] = None,
    trial: Annotated[
        list[int] | None,
        typer.Option("--trial", metavar="N", min=0, help="This trial; may be given repeatedly."),
    ] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Give failed and held trials a new chance; reopens a sweep that was stopped."""
    numbers = sorted(set(trial or ()))
    if failed == bool(numbers):
        raise SettingsError("retry: say either --failed, or --trial N")
    if failure is not None and not failed:
        raise SettingsError("retry: --class goes with --failed; a trial is named by --trial alone")
    wanted = [_Wanted(kind="retry", trial=number) for number in numbers]
    return _wish(
        sweep, wanted or [_Wanted(kind="retry", failure=failure)], state_dir, as_json=as_json
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is asked for, of one trial or of the sweep."""

    kind: str
    trial: int | None = None
    failure: FailureClass | None = None

    def __str__(self) -> str:
        what = f"{self.kind} of {self.failure} failures" if self.failure else self.kind
        return what if self.trial is None else f"{what} of trial {self.trial}"


def _wish(sweep: str, wanted: Sequence[_Wanted], state_dir: Path | None, *, as_json: bool) -> int:
    kind = wanted[0].kind
    asked_for = asked(sweep, kind, state_dir, lambda verbs: _write_down(verbs, wanted))
    trouble = ""
    if not asked_for.has_daemon and kind in _AT_ONCE:
        trouble = _carry_out(asked_for, state_dir)
    for one, number in zip(wanted, asked_for.numbers, strict=True):
        if as_json:
            print_json(
                {
                    "sweep": asked_for.folder.name,
                    "wish": number,
                    "kind": kind,
                    "trial": one.trial,
                    "class": one.failure,
                    "daemon": asked_for.has_daemon,
                    "trouble": trouble,
                }
            )
        else:
            typer.echo(_told(asked_for, one, trouble))
    return Exit.UNFINISHED if trouble else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    folder: "SweepFolder"
    control_plane: str
    numbers: Sequence[int]
    has_daemon: bool


async def _write_down(verbs: "Verbs", wanted: Sequence[_Wanted]) -> _Asked:
    client = verbs.client
    sweep = (await client.sweep())["sweep"]
    # All are known before the first is asked for, so that a typing error leaves nothing behind.
    for one in wanted:
        if one.trial is not None:
            await client.trial(one.trial)
    return _Asked(
        folder=verbs.folder,
        control_plane=sweep["control_plane"],
        numbers=[await client.wish(one.kind, one.trial, failure=one.failure) for one in wanted],
        has_daemon=verbs.has_daemon,
    )


def _carry_out(wish: _Asked, state_dir: Path | None) -> str:
    from sweeper.bootstrap.carrying_out import carry_out

    settings = loaded(state_dir=state_dir, log_level="warning")
    return waited(carry_out(settings, wish.folder, wish.control_plane))


def _told(wish: _Asked, wanted: _Wanted, trouble: str) -> str:
    if trouble:
        return (
            f"{wish.folder.name}: {wanted} written down, but not carried out yet: {trouble}; "
            "the next `sweeper run` does it"
        )
    if wish.has_daemon:
        return f"{wish.folder.name}: {wanted} asked for; the daemon does it now"
    if wanted.kind in _AT_ONCE:
        return f"{wish.folder.name}: {wanted} done"
    return (
        f"{wish.folder.name}: {wanted} written down; no daemon runs: `sweeper run` carries it out"
    )
