"""Write rows over those that have the same key, in the dialect of whichever database it is."""

from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Insert, Table


class Upsert:
    """One statement, made once for each dialect that it is executed in.

    A row that conflicts on `key` gets the new values of the columns in `replaced`, and that of
    `added` on top of what it had.
    """

    def __init__(
        self, table: Table, key: Sequence[str], *, replaced: Collection[str] = (), added: str = ""
    ) -> None:
        self._table = table
        self._key = key
        self._replaced = replaced
        self._added = added
        self._statements: dict[str, Insert] = {}

    def execute(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Write `rows`, of which no two have the same key."""
        dialect = connection.dialect.name
        if dialect not in self._statements:
            self._statements[dialect] = self._statement(dialect)
        connection.execute(self._statements[dialect], rows)

    def _statement(self, dialect: str) -> Insert:
        # Both have the clause, each in an insert of its own; the other one is not even loaded.
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(self._table)
        values: dict[str, Any] = {name: insert.excluded[name] for name in self._replaced}
        if self._added:
            values[self._added] = self._table.c[self._added] + insert.excluded[self._added]
        statement: Insert = insert.on_conflict_do_update(index_elements=self._key, set_=values)
        return statement
