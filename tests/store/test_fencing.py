from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.domain.record import Wish, WishKind
from sweeper.errors import SweepTakenError
from sweeper.ports import Store
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import NOW, a_notice, a_report, a_sweep, a_trial, an_event
from tests.store.conftest import Opening
from tests.store.sqlite import ask, raw

Write = Callable[[Store], Awaitable[object]]

_WRITES = [
    pytest.param(lambda store: store.save_sweep(a_sweep(), [an_event()]), id="save_sweep"),
    pytest.param(lambda store: store.commit([a_trial(1)], [an_event()]), id="commit"),
    pytest.param(lambda store: store.rebase_intents(NOW), id="rebase_intents"),
    pytest.param(lambda store: store.add_reports([a_report(0.25)]), id="add_reports"),
    pytest.param(lambda store: store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW)), id="add_wish"),
    pytest.param(lambda store: store.settle_wish(1), id="settle_wish"),
    pytest.param(
        lambda store: store.save_notice(replace(a_notice(), number=1), [an_event()]),
        id="save_notice",
    ),
]


async def test_events_carry_epochs_that_never_go_back(opening: Opening) -> None:
    for _ in range(3):
        async with opening() as store:
            await store.save_sweep(a_sweep(), [an_event()])
            await store.commit([], [an_event()])

    async with opening() as store:
        assert [event.epoch for event in await store.events()] == [1, 1, 2, 2, 3, 3]


async def test_a_store_that_is_owned_says_so_by_saying_nothing(store: Store) -> None:
    store.check_owned()


async def test_a_process_that_only_reads_leaves_the_store_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
    before = path.read_bytes()

    async with SqlStore(path, run=inline) as store:
        await store.standing(NOW)

    assert path.read_bytes() == before


async def test_an_epoch_is_only_spent_on_what_is_written(tmp_path: Path) -> None:
    async with SqlStore(tmp_path / "store.db", run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0)])
    async with SqlStore(tmp_path / "store.db", run=inline) as store:
        with pytest.raises(Exception, match="changed meanwhile"):
            await store.commit([a_trial(0)])
        await store.commit([], [an_event()])

        assert [event.epoch for event in await store.events()] == [2]


@pytest.mark.parametrize("write", _WRITES)
async def test_a_process_that_was_overtaken_writes_nothing(write: Write, tmp_path: Path) -> None:
    async with SqlStore(tmp_path / "store.db", run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0)], notices=[a_notice()])
        await store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))
        ask(store, "UPDATE lease SET epoch = 2, instance = 'other', holder = 'process 7 on nest'")
        before = list(ask(store, "SELECT * FROM sqlite_master")), _rows(store)

        with pytest.raises(SweepTakenError, match="took this sweep over: process 7 on nest"):
            await write(store)

        assert before == (list(ask(store, "SELECT * FROM sqlite_master")), _rows(store))


def _rows(store: SqlStore) -> list[list[tuple[object, ...]]]:
    tables = [name for (name,) in ask(store, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [ask(store, f"SELECT * FROM {table}") for table in tables]


async def test_an_epoch_alone_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        ask(store, "UPDATE lease SET instance = 'other'")

        with pytest.raises(SweepTakenError):
            await store.commit([], [an_event()])


async def test_a_store_without_a_lease_is_not_written_by_whoever_held_one(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        ask(store, "DELETE FROM lease")

        with pytest.raises(SweepTakenError, match="somebody"):
            await store.commit([], [an_event()])

    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
