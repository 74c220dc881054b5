import asyncio
from pathlib import Path

import pytest

from sweeper.domain.record import SlotGuard
from sweeper.errors import LimitExceededError, StoreError, StoreLockedError
from sweeper.store.sql import Observer, SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_report, a_sweep, a_trial, an_event


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    """A store that was left with ten trials in it."""
    path = tmp_path / "store.db"
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(number) for number in range(10)])
    return path


@pytest.mark.looptime
async def test_a_store_given_up_within_the_wait_is_taken(kept: Path) -> None:
    holder = await SqlStore(kept, run=inline).__aenter__()
    loop = asyncio.get_running_loop()

    async with asyncio.TaskGroup() as group:
        loop.call_later(
            3.0, lambda: group.create_task(holder.__aexit__(None, None, None), name="leave")
        )
        async with SqlStore(kept, run=inline, wait_seconds=5) as store:
            assert (await store.totals()).next_number == 10

    assert 3.0 <= loop.time() < 3.2


@pytest.mark.looptime
async def test_a_store_held_for_longer_than_the_wait_is_refused(kept: Path) -> None:
    async with SqlStore(kept, run=inline):
        with pytest.raises(StoreLockedError):
            await SqlStore(kept, run=inline, wait_seconds=5).__aenter__()

    assert asyncio.get_running_loop().time() == pytest.approx(5.0)


async def test_being_cancelled_while_waiting_leaves_nothing_locked(kept: Path) -> None:
    async with SqlStore(kept):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), SqlStore(kept, wait_seconds=3600):
                pass

    async with SqlStore(kept) as store:
        assert (await store.totals()).next_number == 10


async def test_using_a_store_that_is_not_open_is_refused(kept: Path) -> None:
    store = SqlStore(kept)

    with pytest.raises(StoreError, match="is not open"):
        await store.totals()


async def test_a_store_cannot_be_entered_twice_at_once(kept: Path) -> None:
    async with SqlStore(kept) as store:
        with pytest.raises(StoreError, match="open already"):
            await store.__aenter__()

        assert (await store.totals()).next_number == 10


async def test_a_store_that_was_left_may_be_entered_again(kept: Path) -> None:
    store = SqlStore(kept)

    found = []
    for _ in range(2):
        async with store:
            found.append((await store.totals()).next_number)

    assert found == [10, 10]


async def test_another_sweep_may_have_come_in_between(kept: Path, tmp_path: Path) -> None:
    store = SqlStore(kept, run=inline)
    async with store:
        await store.totals()
    await inline(lambda: kept.replace(tmp_path / "away"))

    async with store:
        assert (await store.totals()).next_number == 0
        assert await store.load_sweep() is None


async def test_rows_are_counted_by_table(kept: Path) -> None:
    async with SqlStore(kept, run=inline) as store:
        await store.commit([a_trial(10)], [an_event("a"), an_event("b")])
        await store.add_reports([a_report(0.5), a_report(0.4), a_report(0.5, trial=1)])

        found = await store.rows()

    assert found == {"trials": 11, "submissions": 11, "events": 2, "reports": 3}


async def test_a_store_without_a_sweep_has_no_rows(tmp_path: Path) -> None:
    async with SqlStore(tmp_path / "new.db", run=inline) as store:
        assert set((await store.rows()).values()) == {0}


async def test_what_is_written_is_heard_and_what_fails(kept: Path) -> None:
    heard: list[str] = []
    async with SqlStore(kept, run=inline) as store:
        store.observer = Observer(
            on_commit=lambda seconds: heard.append("commit" if seconds >= 0 else "early"),
            on_error=lambda: heard.append("error"),
        )
        await store.totals()
        await store.commit([a_trial(10)])
        with pytest.raises(StoreError):
            await store.commit([a_trial(10)])

    assert heard == ["commit", "error"]


async def test_a_limit_that_holds_is_no_error_of_the_store(kept: Path) -> None:
    heard: list[str] = []
    async with SqlStore(kept, run=inline) as store:
        store.observer = Observer(on_error=lambda: heard.append("error"))
        with pytest.raises(LimitExceededError):
            await store.commit([a_trial(10)], guard=SlotGuard(active=3))

    assert heard == []
