"""Make the tables of a sweep in its schema, or bring older ones up to date."""

import logging
import re

from sqlalchemy import Connection, inspect, text

from sweeper.errors import StoreError
from sweeper.store.schema import MIGRATIONS, REVISION, found_revision, make_tables


def prepare(
    connection: Connection, schema: str, *, newest: str = REVISION, migrations: str = MIGRATIONS
) -> None:
    """Make the schema and its tables if they are not there; migrate older ones.

    All of it is in the transaction that is open, and one process at a time does it.

    Raises:
        StoreError: the tables are newer than this program, or are none of ours.
    """
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:schema, 0))"), {"schema": schema}
    )
    # Asked first: whoever may use a schema that is there need not have the right to make one.
    known = inspect(connection).get_schema_names()
    if schema not in known:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    if not inspect(connection).get_table_names(schema=schema):
        make_tables(connection)
        return
    found = found_revision(connection, schema)
    if found == newest:
        return
    if found is None or not re.fullmatch(r"\d{4}", found) or found > newest:
        raise StoreError(
            f"the schema {schema} was made by a newer sweeper, or by none (it is {found}, this one "
            f"knows {newest}): use that version"
        )
    _migrate(connection, migrations, newest)


def _migrate(connection: Connection, migrations: str, newest: str) -> None:
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, newest)
