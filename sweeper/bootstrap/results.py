"""Print what trials reached: a table for a person; CSV, JSON and Parquet for programs."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, TypeAlias, TypeVar

from rich.console import Console
from rich.table import Table

from sweeper.bootstrap.best_command import best_command
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.exports.parquet import write_parquet
from sweeper.exports.rows import columns_of
from sweeper.exports.table import results_table
from sweeper.exports.texts import to_csv, to_json
from sweeper.web.client import VerbsClient

T = TypeVar("T")
Row: TypeAlias = dict[str, Any]

TABLE_ROWS = 20
"""Trials in a table unless more are asked for."""

READ_WHOLE = 2_000
"""So many trials are read and compared as a whole; of more, the store tells the best."""

_FIRST_ROWS = 1_000


class ResultsFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


async def print_results(client: VerbsClient, form: str, top: int | None = None) -> None:
    """Print all results on stdout, a page at a time; a table holds the best `top` trials.

    Parquet is no text: all of it is gathered first.

    Raises:
        SettingsError: it would go to a terminal, or what writes it is not installed.
    """
    if form == ResultsFormat.TABLE:
        await _print_table(client, top or TABLE_ROWS)
        return
    if form == ResultsFormat.PARQUET:
        _check_parquet()
    rows = _in_thread(client.all_results(), asyncio.get_running_loop())
    if form == ResultsFormat.PARQUET:
        await asyncio.to_thread(write_parquet, rows, sys.stdout.buffer)
        return
    pieces = _csv(rows) if form == ResultsFormat.CSV else to_json(rows)
    await asyncio.to_thread(_write, pieces)


def _check_parquet() -> None:
    if find_spec("pyarrow") is None:
        raise MissingExtraError("results as Parquet", "parquet")
    if sys.stdout.isatty():
        raise SettingsError("Parquet is no text: send it to a file, with > results.parquet")


async def _print_table(client: VerbsClient, top: int) -> None:
    table, best = await read_table(client, top), await best_command(client)
    await asyncio.to_thread(Console().print, table)
    if best:
        await asyncio.to_thread(_write, [f"{best}\n"])


async def read_table(client: VerbsClient, top: int) -> Table:
    """Return the best `top` trials as a table."""
    view = await client.sweep()
    total = sum(view["trials"]["states"].values())
    objective = view["sweep"]["objective"] or {}
    return results_table(
        await _rows_for_table(client, total, top),
        objective=objective.get("name"),
        goal=objective.get("goal"),
        limit=top,
        total=total,
    )


async def _rows_for_table(client: VerbsClient, total: int, top: int) -> Sequence[Row]:
    if total <= READ_WHOLE:
        return [row async for row in client.all_results()]
    best = list(await client.best_results(min(top, READ_WHOLE // 2)))
    if len(best) >= top:
        return best
    shown = {row["trial"] for row in best}
    others = (await client.results(limit=min(top, _FIRST_ROWS)))["results"]
    return [*best, *(row for row in others if row["trial"] not in shown)]


def _csv(rows: Iterator[Row]) -> Iterator[str]:
    """Yield CSV whose columns are those of the first rows: all trials have the same params."""
    first = list(itertools.islice(rows, _FIRST_ROWS))
    yield from to_csv(itertools.chain(first, rows), columns_of(first))


def _in_thread(source: AsyncIterator[T], loop: asyncio.AbstractEventLoop) -> Iterator[T]:
    """Yield, in another thread, what `source` yields in the loop."""

    async def following() -> list[T]:
        return [item async for item in _at_most(source, _FIRST_ROWS)]

    while items := asyncio.run_coroutine_threadsafe(following(), loop).result():
        yield from items


async def _at_most(source: AsyncIterator[T], count: int) -> AsyncIterator[T]:
    for _ in range(count):
        try:
            yield await anext(source)
        except StopAsyncIteration:
            return


def _write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
