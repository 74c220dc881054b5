"""Ask for many rows in statements of bounded length."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

CHUNK = 500
"""Rows asked for at once; SQLite allows 32,766 values in one statement."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in order, at most `CHUNK` at a time."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
