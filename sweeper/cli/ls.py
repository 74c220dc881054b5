"""`sweeper ls`: the sweeps that were started here."""

from typing import Any

import typer

from sweeper.cli.options import AsJson, StateDir, loaded, print_json, waited


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("ls")(ls)


def ls(state_dir: StateDir = None, as_json: AsJson = False) -> int:
    """List the sweeps that were started here, and how each stands."""
    from sweeper.bootstrap.listing import list_sweeps

    settings = loaded(state_dir=state_dir)
    rows = waited(list_sweeps(settings))
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo("no sweep was started here yet", err=True)
    else:
        typer.echo(_table(rows))
    return 0


def _table(rows: list[dict[str, Any]]) -> str:
    from sweeper.cli.words import columns, shown

    head = ("NAME", "STATE", "DAEMON", "SETTLED", "PLANNED", "FAILED", "BEST", "FILE")
    lines = [
        (
            shown(row["name"]),
            shown(row["trouble"] or row["state"]),
            "running" if row["daemon"] else "-",
            _number(row["settled"]),
            _number(row["planned"]),
            _number(row["failed"]),
            "-" if row["best"] is None else f"{row['best']:.6g}",
            shown(row["file"] or "-"),
        )
        for row in rows
    ]
    return columns([head, *lines])


def _number(number: int | None) -> str:
    return "-" if number is None else str(number)
