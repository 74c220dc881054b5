"""Results as CSV and JSON, a piece at a time, so that a million rows need no memory."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sweeper.exports.cells import text_of
from sweeper.exports.rows import Row, columns_of, flat

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Iterable[Row], columns: Sequence[str] | None = None) -> Iterator[str]:
    """Yield the lines of a CSV file, the first with the names of the columns.

    With `columns` (as `columns_of` gives them) rows stream through; without, all are read first,
    to know their columns. What a row lacks is an empty cell, what does not print an escape. A
    *text* that a spreadsheet would take for a formula (it begins with = + - @) gets an apostrophe
    before it; numbers stay as they are. Programs should read the JSON, which changes nothing.
    """
    if columns is None:
        rows = list(rows)
        columns = columns_of(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(name) for name in columns])
    yield _taken(buffer)
    for row in rows:
        values = flat(row)
        writer.writerow([_cell(values.get(name)) for name in columns])
        yield _taken(buffer)


def to_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the pieces of one JSON list, a row on each line."""
    separator = "["
    for row in rows:
        # ASCII only: even a lone surrogate can be printed, and nothing moves a cursor.
        yield f"{separator}\n{json.dumps(row, allow_nan=False)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _cell(value: Any) -> str:
    text = text_of(value)
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return f"'{text}"
    return text


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
