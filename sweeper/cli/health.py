"""`sweeper health`: whether a daemon is at work, for scripts and containers."""

from pathlib import Path
from typing import Annotated

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import AsJson, loaded, print_json, waited


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("health")(health)


def health(
    sweep: Annotated[
        str | None,
        typer.Argument(metavar="[SWEEP]", help="A sweep whose daemon to ask over its socket."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Where the daemon serves /healthz."),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", metavar="DIR", help="Where sweeps are kept.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Ask a daemon whether its ticks are alive: exits with 0 if so, else with 1."""
    from sweeper.bootstrap.probing import probe

    settings = loaded(listen=listen, state_dir=state_dir)
    well, words = waited(probe(settings, sweep))
    if as_json:
        print_json({"ok": well, "message": words})
    else:
        typer.echo(words, err=not well)
    return Exit.OK if well else Exit.UNFINISHED
