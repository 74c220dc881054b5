"""Tables on a server, made new, brought up to date, or refused."""

from pathlib import Path

import pytest
from sqlalchemy import text

from sweeper.errors import StoreError
from sweeper.store.postgres import PostgresStore, schema_of
from sweeper.store.postgres_schema import prepare
from sweeper.store.schema import REVISION
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, a_trial
from tests.store.migrating import NEXT, add_next, copied_migrations
from tests.support.postgres import Server

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


@pytest.fixture
async def sweep(server: Server, tmp_path: Path) -> str:
    """The name of a sweep that is kept on the server, and not open."""
    async with PostgresStore(server.url, str(tmp_path), run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0), a_trial(1)])
    return str(tmp_path)


async def test_an_older_store_is_migrated_in_the_transaction_that_opens_it(
    server: Server, sweep: str, tmp_path: Path
) -> None:
    migrations = copied_migrations(tmp_path)
    add_next(migrations)
    schema = schema_of(sweep)

    with server.connection(schema) as connection:
        prepare(connection, schema, newest=NEXT, migrations=str(migrations))

    with server.connection(schema) as connection:
        found = connection.execute(text("SELECT colour, why FROM trials")).all()
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert ([tuple(row) for row in found], revision) == ([("red", "")] * 2, NEXT)


@pytest.mark.parametrize("revision", ["9999", "1a2b3c"])
async def test_a_store_of_a_newer_sweeper_is_refused(
    server: Server, sweep: str, revision: str
) -> None:
    with server.connection(schema_of(sweep)) as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))

    with pytest.raises(StoreError, match=f"newer sweeper.*{revision}.*{REVISION}"):
        await PostgresStore(server.url, sweep, run=inline).__aenter__()
