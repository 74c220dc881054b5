"""`sweeper results`: what the trials reached."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, asked
from sweeper.errors import SettingsError

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("results")(results)


def results(
    sweep: Sweep,
    form: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        typer.Option(
            "--format",
            help="How to print them; table by default. Parquet is for a file: > results.parquet.",
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    as_json: AsJson = False,
    optuna: Annotated[
        str | None,
        typer.Option(
            "--optuna",
            metavar="URL",
            help="Write a study of Optuna into this database instead: sqlite:///study.db.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="Only so many rows of the table."),
    ] = None,
    state_dir: StateDir = None,
) -> int:
    """Print what the trials reached: a table, best first, or all of it for programs."""
    from sweeper.bootstrap.results import print_results

    asked_for = {*([form] if form else []), *(["csv"] if as_csv else [])}
    asked_for |= {"json"} if as_json else set()
    if len(asked_for) > 1:
        raise SettingsError(f"results come in one format, not in {' and '.join(sorted(asked_for))}")
    if optuna is not None and asked_for:
        raise SettingsError("--optuna writes a study, and prints no other format")
    chosen = asked_for.pop() if asked_for else "table"

    async def ask(verbs: "Verbs") -> None:
        if optuna is not None:
            from sweeper.bootstrap.studies import export_study

            typer.echo(await export_study(verbs.client, optuna))
            return
        await print_results(verbs.client, chosen, top)

    asked(sweep, "results", state_dir, ask)
    return 0
