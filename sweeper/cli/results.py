"""`sweeper results`: what the trials reached."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, asked

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("results")(results)


def results(
    sweep: Sweep,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one trial a line.")] = False,
    as_json: AsJson = False,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="Only so many rows of the table."),
    ] = None,
    state_dir: StateDir = None,
) -> int:
    """Print what the trials reached: a table, best first, or all of it as CSV or JSON."""
    from sweeper.bootstrap.results import print_results

    form = Format.JSON if as_json else Format.CSV if as_csv else Format.TABLE

    async def ask(verbs: "Verbs") -> None:
        await print_results(verbs.client, form, top)

    asked(sweep, "results", state_dir, ask)
    return 0
