"""Print what trials reached: a table for a person, CSV and JSON for programs."""

import asyncio
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from rich.console import Console

from sweeper.exports.rows import columns_of
from sweeper.exports.table import results_table
from sweeper.exports.texts import to_csv, to_json
from sweeper.web.client import VerbsClient

TABLE_ROWS = 20
"""Trials in a table unless more are asked for."""


class ResultsFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


async def print_results(client: VerbsClient, form: str, top: int | None = None) -> None:
    """Print all results on stdout; a table holds the best `top` trials."""
    rows = [row async for row in client.all_results()]
    if form == ResultsFormat.TABLE:
        sweep = (await client.sweep())["sweep"]
        await asyncio.to_thread(_print_table, sweep, rows, top)
    else:
        pieces = to_csv(rows, columns_of(rows)) if form == ResultsFormat.CSV else to_json(rows)
        await asyncio.to_thread(_write, pieces)


def _print_table(sweep: dict[str, Any], rows: list[dict[str, Any]], top: int | None) -> None:
    objective = sweep["objective"] or {}
    table = results_table(
        rows,
        objective=objective.get("name"),
        goal=objective.get("goal"),
        limit=top or TABLE_ROWS,
    )
    Console().print(table)


def _write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
