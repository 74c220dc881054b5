"""`sweeper schema`: the JSON Schema of a sweep file, for editors."""

import json

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("schema")(schema)


def schema() -> int:
    """Print the JSON Schema of a sweep file, for editors and other programs."""
    from sweeper.bootstrap.planning import sweep_file_schema

    typer.echo(json.dumps(sweep_file_schema(), indent=2, ensure_ascii=False))
    return 0
