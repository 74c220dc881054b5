"""`sweeper logs`: what a local training printed."""

import sys
from typing import Annotated

import typer

from sweeper.cli.options import StateDir, Sweep, loaded, waited


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("logs")(logs)


def logs(
    sweep: Sweep,
    trial: Annotated[int, typer.Argument(metavar="N", min=0, help="The trial's number.")],
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", metavar="A", min=1, help="Of this attempt (else the newest)."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the trial is settled.")
    ] = False,
    state_dir: StateDir = None,
) -> int:
    """Print what a trial's training on this machine printed.

    Run:ai's API has no logs: there, `runai training logs NAME` shows them.
    """
    from sweeper.bootstrap.logs import print_log

    settings = loaded(state_dir=state_dir)
    out = sys.stdout.buffer
    waited(print_log(settings, sweep, trial, attempt=attempt, follow=follow, out=out))
    return 0
