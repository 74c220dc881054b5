"""`sweeper adopt`: give a trial the training that a person found for it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import AsJson, StateDir, Sweep, asked, loaded, print_json, waited
from sweeper.cli.words import shown

if TYPE_CHECKING:
    from sweeper.bootstrap.folders import SweepFolder
    from sweeper.bootstrap.verbs import Verbs


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("adopt")(adopt)


def adopt(
    sweep: Sweep,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", min=0, help="The trial's number.")],
    workload_id: Annotated[
        str, typer.Argument(metavar="WORKLOAD_ID", help="Its id on the control plane, a UUID.")
    ],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Give a trial its training, where no listing tells which one that is.

    A create whose answer was lost is looked up by name; where that is impossible the trial is
    held. The training is taken only if it has the very name and labels of the trial's newest
    attempt; else both sides are shown. Exits with 0 once it is adopted, or the daemon is asked to,
    and with 1 if it is not.
    """

    async def write_down(verbs: "Verbs") -> _Asked:
        view = await verbs.client.sweep()
        await verbs.client.wish("adopt", trial, workload_id)
        return _Asked(
            folder=verbs.folder,
            control_plane=view["sweep"]["control_plane"],
            has_daemon=verbs.has_daemon,
        )

    wish = asked(sweep, "adopt", state_dir, write_down)
    told = _told(wish, sweep, trial, workload_id, state_dir)
    if as_json:
        print_json({"sweep": wish.folder.name, "trial": trial, "workload_id": workload_id} | told)
    else:
        typer.echo(f"{wish.folder.name}: trial {trial}: {shown(told['message'])}")
    return Exit.UNFINISHED if told["adopted"] is False else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    folder: "SweepFolder"
    control_plane: str
    has_daemon: bool


def _told(
    wish: _Asked, sweep: str, trial: int, workload_id: str, state_dir: Any
) -> dict[str, object]:
    """Return what became of it: whether it was adopted (None: the daemon decides), and why."""
    if wish.has_daemon:
        message = f"the daemon looks at it now; `sweeper show {sweep} {trial}` tells what it found"
        return {"adopted": None, "message": message}
    from sweeper.bootstrap.carrying_out import carry_out

    settings = loaded(state_dir=state_dir, log_level="error")
    trouble = waited(carry_out(settings, wish.folder, wish.control_plane))
    if trouble:
        message = (
            f"written down, but not carried out yet: {trouble}; the next `sweeper run` does it"
        )
        return {"adopted": False, "message": message}
    found = asked(sweep, "adopt", state_dir, lambda verbs: _newest(verbs, trial))
    if str(found["workload_id"]).lower() == workload_id.lower():
        return {"adopted": True, "message": f"adopted {found['workload_id']}"}
    return {"adopted": False, "message": found["detail"]}


async def _newest(verbs: "Verbs", trial: int) -> dict[str, Any]:
    """Return the training that the trial has, and what the newest look-up said."""
    view = (await verbs.client.trial(trial))["trial"]
    detail, after = "not adopted", 0
    while after is not None:
        page = await verbs.client.events(trial=trial, after=after, limit=1000)
        refusals = [event for event in page["events"] if event["outcome"] == "foreign"]
        detail, after = refusals[-1]["detail"] if refusals else detail, page["next"]
    return {"workload_id": view["workload_id"], "detail": detail}
