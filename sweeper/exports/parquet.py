"""Results as a Parquet file, a column for each field and each parameter."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from sweeper.exports.rows import Row, columns_of, flat

_INT64 = range(-(2**63), 2**63)
_TIMES = ("started_at", "ended_at")
_NUMBERS = ("objective", "duration_seconds")


def write_parquet(rows: Iterable[Row], sink: BinaryIO) -> None:
    """Write all rows to `sink`; they are held in memory, for a column has one type for all.

    A column is boolean, whole (64 bits) or floating where all of its values are, a time in UTC
    where it is one of ours, and text otherwise: texts as they are, other values as JSON.

    Raises:
        ImportError: pyarrow is not installed.
    """
    import pyarrow
    from pyarrow import parquet

    held = [flat(row) for row in rows]
    arrays: Mapping[str, Any] = {
        name: _column(pyarrow, name, [row.get(name) for row in held]) for name in columns_of(held)
    }
    parquet.write_table(pyarrow.table(arrays), sink)


def _column(pyarrow: Any, name: str, values: Sequence[Any]) -> Any:
    """Return an array of `values`, of the narrowest type that changes none of them."""
    present = [value for value in values if value is not None]
    if name in _TIMES:
        times = [None if value is None else datetime.fromisoformat(value) for value in values]
        return pyarrow.array(times, pyarrow.timestamp("us", tz="UTC"))
    if present and all(isinstance(value, bool) for value in present):
        return pyarrow.array(values, pyarrow.bool_())
    if present and name not in _NUMBERS and all(_is_whole(value) for value in present):
        return pyarrow.array(values, pyarrow.int64())
    if all(_is_number(value) for value in present) and (present or name in _NUMBERS):
        floats = [None if value is None else float(value) for value in values]
        return pyarrow.array(floats, pyarrow.float64())
    return pyarrow.array([_text(value) for value in values], pyarrow.string())


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _INT64


def _is_number(value: Any) -> bool:
    """Return whether a floating number holds `value` exactly."""
    return isinstance(value, float) or (_is_whole(value) and abs(value) <= 2**53)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A lone surrogate has no bytes in UTF-8; it is kept as its escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
