import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from sweeper.domain.trial import TrialState
from sweeper.errors import StoreError
from sweeper.store.database import _engine
from sweeper.store.schema import MIGRATIONS, REVISION, prepare
from sweeper.store.sql import SqlStore
from sweeper.store.tables import metadata
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, a_trial
from tests.store.migrating import NEXT, add_next, copied_migrations
from tests.store.sqlite import raw

_DUMPS = Path(__file__).parent / "dumps"


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    return ScriptDirectory.from_config(config)


def _revisions() -> list[str]:
    return sorted(script.revision for script in _scripts().walk_revisions())


def _migrated(path: Path) -> None:
    """Make a database as all migrations in a row make it."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


async def _made(path: Path) -> None:
    async with SqlStore(path, run=inline):
        pass


def _statements(path: Path) -> dict[str, str]:
    with raw(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: "".join(sql.split()).replace('"', "") for name, sql in rows}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_a_new_store_is_what_all_migrations_would_make(path: Path) -> None:
    other = path.with_name("other.db")
    await _made(path)

    _migrated(other)

    assert _statements(path) == _statements(other)


async def test_tables_and_migrations_agree(path: Path) -> None:
    _migrated(path)
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path))

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    engine.dispose()
    assert differences == []


def test_the_newest_migration_is_the_one_we_name() -> None:
    assert _scripts().get_heads() == [REVISION]


def test_revisions_count_up_without_a_branch() -> None:
    found = _revisions()

    assert found == [f"{number:04}" for number in range(1, len(found) + 1)]


@pytest.mark.parametrize("revision", _revisions())
async def test_a_store_of_every_revision_opens_with_all_its_data(revision: str, path: Path) -> None:
    with raw(path) as connection:
        connection.executescript((_DUMPS / f"{revision}.sql").read_text(encoding="utf-8"))

    async with SqlStore(path, run=inline) as store:
        sweep = await store.load_sweep()
        assert sweep is not None
        assert (sweep.name, sweep.planned) == ("sweep one", 10**40)
        assert (await store.totals()).states == {TrialState.ACTIVE: 2, TrialState.COMPLETED: 1}
        assert [trial.number for trial in await store.live_trials()] == [0, 1]
        assert [view.trial.number for view in await store.best_trials(9)] == [2, 0]
        assert [len(await store.curve(number)) for number in range(3)] == [2, 0, 1]
        assert len(await store.submissions(1)) == 2
        assert len(await store.events()) == 3
        assert [wish.number for wish in await store.wishes()] == [2]
        await store.commit([a_trial(3)])


async def test_making_a_store_does_not_wait_for_alembic(path: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from sweeper.store.sql import SqlStore\n"
        "async def main():\n"
        "    async with SqlStore(pathlib.Path(sys.argv[1])): pass\n"
        "asyncio.run(main())\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )

    done = subprocess.run(  # noqa: ASYNC221 - nothing else is on this loop
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


@pytest.mark.parametrize("revision", [NEXT, "9999", "1a2b3c"])
async def test_a_store_of_a_newer_sweeper_is_refused(revision: str, path: Path) -> None:
    await _made(path)
    with raw(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])

    with pytest.raises(StoreError, match=f"made by a newer sweeper .*{revision}"):
        await SqlStore(path).__aenter__()


async def test_a_store_that_names_no_schema_is_damaged(path: Path) -> None:
    await _made(path)
    with raw(path) as connection:
        connection.execute("DELETE FROM alembic_version")

    with pytest.raises(StoreError, match="is damaged"):
        await SqlStore(path).__aenter__()


async def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")

    with pytest.raises(StoreError, match="no store of sweeper"):
        await SqlStore(path).__aenter__()

    assert list(_statements(path)) == ["songs"]


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Our migrations, in a folder of their own."""
    return copied_migrations(tmp_path)


@pytest.fixture
async def older(path: Path) -> Path:
    """A store of our schema, which a newer program then finds to be the older one."""
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0), a_trial(1)])
    return path


@pytest.fixture
def opened(older: Path) -> Iterator[tuple[Connection, sqlite3.Connection]]:
    driver = sqlite3.connect(older, isolation_level=None)
    driver.execute("PRAGMA foreign_keys=ON")
    connection = _engine(driver).connect()
    yield connection, driver
    connection.close()
    driver.close()


def test_an_older_store_is_copied_and_then_migrated(
    older: Path, migrations: Path, opened: tuple[Connection, sqlite3.Connection]
) -> None:
    add_next(migrations)

    prepare(*opened, older, newest=NEXT, migrations=str(migrations))

    _, driver = opened
    copy = older.with_name(f"store.db.{REVISION}")
    assert driver.execute("SELECT colour, why FROM trials").fetchall() == [("red", "")] * 2
    assert driver.execute("SELECT * FROM alembic_version").fetchall() == [(NEXT,)]
    assert driver.execute("SELECT count(*) FROM submissions").fetchall() == [(2,)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with raw(copy) as before:
        assert before.execute("SELECT number, reason FROM trials").fetchall() == [(0, ""), (1, "")]


def test_rows_are_bound_to_each_other_again_after_a_migration(
    older: Path, migrations: Path, opened: tuple[Connection, sqlite3.Connection]
) -> None:
    add_next(migrations)

    prepare(*opened, older, newest=NEXT, migrations=str(migrations))

    with pytest.raises(sqlite3.IntegrityError):
        opened[1].execute("DELETE FROM trials")


_BROKEN = [
    pytest.param("op.execute('SELECT * FROM nowhere')", Exception, id="an error"),
    pytest.param("op.execute('DELETE FROM sweeps')", StoreError, id="rows that refer to nothing"),
]


@pytest.mark.parametrize(("more", "error"), _BROKEN)
def test_a_migration_that_fails_changes_nothing(
    older: Path,
    migrations: Path,
    opened: tuple[Connection, sqlite3.Connection],
    more: str,
    error: type[Exception],
) -> None:
    add_next(migrations, more)

    with pytest.raises(error):
        prepare(*opened, older, newest=NEXT, migrations=str(migrations))

    _, driver = opened
    assert driver.execute("SELECT number, reason FROM trials").fetchall() == [(0, ""), (1, "")]
    assert driver.execute("SELECT * FROM alembic_version").fetchall() == [(REVISION,)]


def test_a_copy_is_taken_anew_at_every_try(
    older: Path, migrations: Path, opened: tuple[Connection, sqlite3.Connection]
) -> None:
    add_next(migrations)
    copy = older.with_name(f"store.db.{REVISION}")
    copy.write_text("of another time", encoding="utf-8")
    copy.with_name(f"store.db.{REVISION}.part").write_text("of a crash", encoding="utf-8")

    prepare(*opened, older, newest=NEXT, migrations=str(migrations))

    assert copy.read_bytes().startswith(b"SQLite format 3")
    assert not copy.with_name(f"store.db.{REVISION}.part").exists()


def test_migrating_is_silent(
    older: Path,
    migrations: Path,
    opened: tuple[Connection, sqlite3.Connection],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[Any],
) -> None:
    add_next(migrations)
    caplog.set_level(logging.INFO)

    prepare(*opened, older, newest=NEXT, migrations=str(migrations))

    assert caplog.messages == []
    assert capsys.readouterr() == ("", "")
