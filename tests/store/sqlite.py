"""Reaching behind a store of SQLite, as only a test of it may."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sweeper.store.database import SqliteDatabase
from sweeper.store.sql import SqlStore


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file beside any store; what is done to it is kept."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def ask(store: SqlStore, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
    """Return what a statement gives on the connection of an open store that runs inline."""
    database = store._database
    assert isinstance(database, SqliteDatabase)
    connection = database._connection
    assert connection is not None
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.execute(statement, values).fetchall()
