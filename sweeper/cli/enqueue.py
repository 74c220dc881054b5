"""`sweeper enqueue`: have a sweep try points that a person gives."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import AsJson, StateDir, Sweep, asked, print_json
from sweeper.domain.values import plain


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("enqueue")(enqueue)


def enqueue(
    sweep: Sweep,
    params: Annotated[
        list[str] | None,
        typer.Option(
            "--params", metavar="JSON", help='A point, {"lr": 0.1}; may be given repeatedly.'
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Points as JSON, one a line.")
    ] = None,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Try more points in a sweep that has started, before what is still to be drawn.

    They are checked as `points` of the file are. A finished or stopped sweep is reopened. What was
    to be drawn is drawn all the same: the sweep has more trials afterwards, and those that there
    are keep their params.
    """
    from sweeper.bootstrap.enqueuing import enqueue as ask_for
    from sweeper.bootstrap.enqueuing import given_points

    given = given_points(params or (), file)
    done = asked(sweep, "enqueue", state_dir, lambda verbs: ask_for(verbs, given))
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    what = "asked for; the daemon does it now"
    if not done.has_daemon:
        what = "written down; no daemon runs: `sweeper run` carries it out"
    for number, point in done.points:
        shown = plain(point)
        if as_json:
            told = {"sweep": done.sweep, "wish": number, "kind": "enqueue", "params": shown}
            print_json({**told, "daemon": done.has_daemon})
        else:
            typer.echo(f"{done.sweep}: trial of {json.dumps(shown)} {what}")
    return Exit.OK
