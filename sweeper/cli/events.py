"""`sweeper events`: the append-only record of acts."""

from typing import TYPE_CHECKING, Any

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, TrialNumber, asked, print_json

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("events")(events)


def events(
    sweep: Sweep,
    trial: TrialNumber = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Show what was done and seen, oldest first; with --json one event a line."""

    async def ask(verbs: "Verbs") -> None:
        after: int | None = 0
        while after is not None:
            page = await verbs.client.events(trial=trial, after=after, limit=1000)
            for event in page["events"]:
                print_json(event) if as_json else typer.echo(_line(event))
            after = page["next"]

    asked(sweep, "events", state_dir, ask)
    return 0


def _line(event: dict[str, Any]) -> str:
    from sweeper.cli.words import shown

    who = "sweep" if event["trial"] is None else f"trial {event['trial']}"
    attempt = "" if event["attempt"] is None else f" attempt {event['attempt']}"
    detail = f"  {shown(event['detail'])}" if event["detail"] else ""
    return f"{event['at']}  {who}{attempt}  {event['kind']} {event['outcome']}{detail}"
