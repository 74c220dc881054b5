import asyncio
import os
import signal
import stat
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.clock import utc_now
from sweeper.domain.trial import TrialState
from sweeper.errors import StoreError, StoreLockedError
from sweeper.store.database import SqliteDatabase
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, a_trial, an_event
from tests.store.sqlite import ask, raw

_HOLDER = """
import asyncio, sys
from pathlib import Path
from sweeper.store.database import SqliteDatabase
from sweeper.store.sql import SqlStore

async def hold():
    async with SqlStore(Path(sys.argv[1]), role="status"):
        print("held", flush=True)
        sys.stdin.readline()

asyncio.run(hold())
"""


@asynccontextmanager
async def _holder(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that holds the store until its stdin ends."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(path), stdin=pipe, stdout=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def kept(path: Path) -> Path:
    """A store that was left with ten trials in it."""
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(number) for number in range(10)], [an_event()])
    return path


@pytest.mark.timeout(60)
async def test_a_store_held_by_another_process_is_refused_at_once(kept: Path) -> None:
    async with _holder(kept) as process:
        with pytest.raises(StoreLockedError, match=rf"process {process.pid} on .*\(status, since"):
            await SqlStore(kept, run=inline).__aenter__()


@pytest.mark.timeout(60)
async def test_killing_the_holder_frees_the_store(kept: Path) -> None:
    async with _holder(kept) as process:
        process.send_signal(signal.SIGKILL)
        await process.wait()

        async with SqlStore(kept) as store:
            found = await store.live_trials()

    assert len(found) == 10


async def test_a_second_store_in_one_process_is_refused_too(kept: Path) -> None:
    async with SqlStore(kept):
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()} on"):
            await SqlStore(kept).__aenter__()

    async with SqlStore(kept) as store:
        assert (await store.totals()).next_number == 10


async def test_a_reader_that_comes_between_is_named_by_nobody(kept: Path) -> None:
    with raw(kept) as reader:
        reader.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreLockedError, match=r"held by another process$"):
            await SqlStore(kept).__aenter__()


async def test_only_this_user_may_read_what_is_made(tmp_path: Path) -> None:
    path = tmp_path / "state" / "sweeps" / "store.db"

    async with SqlStore(path) as store:
        await store.save_sweep(a_sweep())
        modes = {file.name: _mode(file) for file in path.parent.iterdir()}

    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "owner.json": 0o600}
    assert _mode(path.parent) == _mode(path.parent.parent) == 0o700


async def test_folders_that_exist_are_left_as_they_are(path: Path) -> None:
    path.parent.chmod(0o750)

    async with SqlStore(path):
        pass

    assert _mode(path.parent) == 0o750


async def test_leaving_takes_everything_away_but_the_file(path: Path) -> None:
    async with SqlStore(path) as store:
        await store.save_sweep(a_sweep())

    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


async def test_an_empty_file_is_a_new_store(path: Path) -> None:
    _write(path, b"")

    async with SqlStore(path) as store:
        assert await store.load_sweep() is None


async def test_a_path_is_a_path_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "50% ?mode=ro&x=#1 'é" / ":memory:"

    async with SqlStore(path) as store:
        await store.save_sweep(a_sweep())

    assert path.is_file()


async def test_a_write_is_on_the_disk_before_it_is_acknowledged(path: Path) -> None:
    async with SqlStore(path, run=inline) as store:
        settings = [ask(store, f"PRAGMA {name}") for name in ("journal_mode", "synchronous")]

    assert settings == [[("wal",)], [(2,)]]


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"not a database" * 99, id="text"), pytest.param(os.urandom(8192), id="noise")],
)
async def test_a_file_that_is_no_database_is_refused_with_a_remedy(
    path: Path, content: bytes
) -> None:
    _write(path, content)

    with pytest.raises(StoreError, match=r"store\.db is damaged: put back a copy"):
        await SqlStore(path).__aenter__()

    assert _read(path) == content


async def test_a_store_damaged_in_the_middle_is_refused(kept: Path) -> None:
    content = _read(kept)
    half = len(content) // 2
    _write(kept, content[:half] + os.urandom(half))

    with pytest.raises(StoreError, match=r"store\.db is damaged"):
        await SqlStore(kept).__aenter__()


async def test_a_row_that_breaks_its_own_table_is_refused(kept: Path) -> None:
    with raw(kept) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'goal VARCHAR(20)', 'goal INT NOT NULL') "
            "WHERE name = 'sweeps'"
        )
        connection.execute("UPDATE sweeps SET goal = NULL")

    with pytest.raises(StoreError, match=r"store\.db is damaged.*NULL value in sweeps\.goal"):
        await SqlStore(kept).__aenter__()


async def test_a_cell_that_was_changed_behind_our_back_is_refused(kept: Path) -> None:
    with raw(kept) as connection:
        connection.execute("UPDATE trials SET params = '{' WHERE number = 3")

    async with SqlStore(kept) as store:
        with pytest.raises(StoreError, match=r"store\.db holds .* that it cannot hold"):
            await store.live_trials()

        assert (await store.totals()).next_number == 10


@pytest.mark.parametrize("name", ["", "store.db"], ids=["a folder", "below a file"])
async def test_a_place_that_cannot_hold_a_file_is_refused(kept: Path, name: str) -> None:
    place = kept / name if name else kept.parent

    with pytest.raises(StoreError, match=str(place)):
        await SqlStore(place).__aenter__()


async def test_a_full_disk_undoes_the_write_and_leaves_the_store_usable(kept: Path) -> None:
    many = [a_trial(number) for number in range(10, 400)]
    async with SqlStore(kept, run=inline) as store:
        ((pages,),) = ask(store, "PRAGMA page_count")
        ask(store, f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError, match="the disk is full"):
            await store.commit(many, [an_event()])
        before = await store.totals()
        ask(store, "PRAGMA max_page_count=1000000")

        await store.commit(many)

        assert before.states == {TrialState.ACTIVE: 10}
        assert (await store.totals()).next_number == 400
        assert len(await store.events()) == 1


async def test_a_store_that_turns_read_only_says_so(kept: Path) -> None:
    async with SqlStore(kept, run=inline) as store:
        ask(store, "PRAGMA query_only=ON")

        with pytest.raises(StoreError, match="is read-only"):
            await store.commit([a_trial(10)])
        ask(store, "PRAGMA query_only=OFF")

        assert len(await store.live_trials()) == 10


async def test_no_error_shows_what_was_to_be_written(kept: Path) -> None:
    params = {"token": "canary".upper() * 2000}
    async with SqlStore(kept, run=inline) as store:
        ((pages,),) = ask(store, "PRAGMA page_count")
        ask(store, f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError, match="the disk is full") as caught:
            await store.commit([replace(a_trial(10), params=params)])

    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_is_not_open_does_nothing(kept: Path) -> None:
    database = SqliteDatabase(kept, "daemon", utc_now)
    database.close()

    with pytest.raises(StoreError, match="is not open"):
        database.read(lambda _: None)
