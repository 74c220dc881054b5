"""Which schema a database has, and the way from there to ours."""

import logging
import os
import re
import sqlite3
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from sweeper.errors import StoreError
from sweeper.store.faults import damaged
from sweeper.store.tables import metadata

REVISION = "0009"
"""The newest migration; a test compares it with the folder."""

MIGRATIONS = "sweeper.store:migrations"
"""Where Alembic finds them, also in an installed package."""

# As Alembic makes it, so that the two ways to a new database give the same one.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def prepare(
    connection: Connection,
    raw: sqlite3.Connection,
    path: Path,
    *,
    newest: str = REVISION,
    migrations: str = MIGRATIONS,
) -> None:
    """Make the tables of a new database; migrate an older one, after a copy of it was made.

    `connection` and `raw` are the same connection, with no transaction open.

    Raises:
        StoreError: the database is newer than this program, or is not one of ours.
    """
    with connection.begin():
        names = inspect(connection).get_table_names()
        if not names:
            make_tables(connection)
            return
        if _version.name not in names:
            raise StoreError(f"{path} is a database, but no store of sweeper: move it away")
        found = found_revision(connection)
    if found == newest:
        return
    if found is None:
        raise damaged(path, "it names no schema")
    if not re.fullmatch(r"\d{4}", found) or found > newest:
        raise StoreError(
            f"the store {path} was made by a newer sweeper (its schema is {found}, this one knows "
            f"{newest}): use that version"
        )
    _copy(raw, path.with_name(f"{path.name}.{found}"))
    _migrate(connection, raw, path, migrations, newest)


def found_revision(connection: Connection, schema: str | None = None) -> str | None:
    """Return the schema that the database says it has, None where it says nothing."""
    if not inspect(connection).has_table(_version.name, schema=schema):
        return None
    return connection.scalar(select(_version.c.version_num))


def make_tables(connection: Connection) -> None:
    """Make all tables in a new database, as the newest migration leaves them."""
    # Alembic takes longer to import than everything else together; a new database gets by without.
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=REVISION))


def _copy(raw: sqlite3.Connection, target: Path) -> None:
    """Copy the whole database, consistent, readable by this user only."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    copy = sqlite3.connect(part)
    try:
        raw.backup(copy)
    finally:
        copy.close()
    part.replace(target)


def _migrate(
    connection: Connection, raw: sqlite3.Connection, path: Path, migrations: str, newest: str
) -> None:
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    config.attributes["connection"] = connection
    # A table that is made anew is dropped in between, under the rows that refer to it; SQLite
    # lets the check be switched outside of a transaction only.
    raw.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        command.upgrade(config, newest)
        orphans = raw.execute("PRAGMA foreign_key_check").fetchall()
        if orphans:
            raise damaged(path, f"a row of {orphans[0][0]} refers to nothing")
    raw.execute("PRAGMA foreign_keys=ON")
