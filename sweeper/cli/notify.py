"""`sweeper notify`: whether those who would be told of a sweep can be reached."""

from pathlib import Path

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import AsJson, SweepFilePath, loaded, print_json, waited


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("notify")(notify)


def notify(file: SweepFilePath, as_json: AsJson = False) -> int:
    """Send a test message to everybody whom a sweep file and the settings name.

    Exits with 1 if somebody was not reached, and with 2 if an address cannot be used.
    """
    from sweeper.bootstrap.notifying import try_receivers

    told = waited(try_receivers(Path(file), loaded()))
    if as_json:
        print_json({name: {"sent": not why, "reason": why} for name, why in told.items()})
    else:
        for name, why in told.items():
            typer.echo(f"{name}: not sent: {why}" if why else f"{name}: sent", err=bool(why))
        if not told:
            typer.echo(f"{file}: nobody is told: write notify: [{{env: NAME}}]", err=True)
    return Exit.UNFINISHED if any(told.values()) or not told else Exit.OK
