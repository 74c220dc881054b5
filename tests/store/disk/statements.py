"""What a store says to SQLite, written down with its values, to be said again elsewhere."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import event
from sqlalchemy.pool import Pool

Statements: TypeAlias = list[str]

PRAGMAS = ("locking_mode", "journal_mode", "synchronous", "foreign_keys")
"""What a store sets before its first statement, in its order."""


@contextmanager
def listening(statements: Statements) -> Iterator[None]:
    """Append every statement of every store that is opened meanwhile, the first ones included.

    What a store sets its connection to comes first, as read from the connection itself.
    """

    def listen(connection: sqlite3.Connection, _record: Any) -> None:
        for name in PRAGMAS:
            (value,) = connection.execute(f"PRAGMA {name}").fetchone()
            statements.append(f"PRAGMA {name}={value}")
        connection.set_trace_callback(statements.append)

    event.listen(Pool, "connect", listen)
    try:
        yield
    finally:
        event.remove(Pool, "connect", listen)


def is_end(statement: str) -> bool:
    """Whether a statement makes a transaction durable."""
    return statement.upper().startswith("COMMIT")


def told(statements: Sequence[str], tell: Callable[[str], Any]) -> Iterator[str]:
    """Tell statements one by one and yield each once it is done."""
    for statement in statements:
        # What SQLite adds of its own, such as the steps of a trigger, is a comment.
        if not statement.startswith("--"):
            tell(statement)
            yield statement
