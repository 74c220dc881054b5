from dataclasses import replace

import pytest

from sweeper.domain.outbox import Notice
from sweeper.domain.record import SlotGuard
from sweeper.errors import LimitExceededError, StoreError
from sweeper.ports import Store
from tests.store.builders import a_notice, a_sweep, a_trial, an_event, at
from tests.store.conftest import Opening


async def test_a_notice_outlives_the_process_with_its_cause(opening: Opening) -> None:
    async with opening() as store:
        await store.save_sweep(a_sweep())
        await store.save_sweep(a_sweep(), [an_event("stopped")], notices=[a_notice("why")])

    async with opening() as store:
        assert list(await store.notices()) == [replace(a_notice("why"), number=1)]
        assert [event.outcome for event in await store.events()] == ["stopped"]


async def test_without_its_cause_there_is_no_notice(store: Store) -> None:
    with pytest.raises(LimitExceededError):
        await store.commit([a_trial()], guard=SlotGuard(active=0), notices=[a_notice()])

    assert list(await store.notices()) == []


async def test_notices_come_by_when_they_are_due(store: Store) -> None:
    given = [a_notice("late", due=9), a_notice("first"), a_notice("second")]
    await store.commit([], notices=given)

    assert [notice.text for notice in await store.notices()] == ["first", "second", "late"]
    assert [notice.text for notice in await store.notices(limit=1)] == ["first"]


async def _stored(store: Store) -> Notice:
    await store.commit([], notices=[a_notice()])
    (notice,) = await store.notices()
    return notice


async def test_a_try_that_failed_is_written_over_the_notice(store: Store) -> None:
    notice = await _stored(store)

    tried = replace(notice, attempts=1, due_at=at(60))
    await store.save_notice(tried)

    assert list(await store.notices()) == [tried]


async def test_a_settled_notice_stays_settled_and_is_recorded_once(store: Store) -> None:
    notice = await _stored(store)

    for _ in range(2):
        await store.save_notice(replace(notice, settled_at=at(1)), [an_event("sent")])
    await store.save_notice(replace(notice, attempts=1), [an_event("tried")])

    assert list(await store.notices()) == []
    assert [event.outcome for event in await store.events()] == ["sent"]


@pytest.mark.parametrize("number", [0, 99, 2**80], ids=["not stored", "unknown", "wide"])
async def test_a_notice_that_is_not_there_is_not_written(store: Store, number: int) -> None:
    await store.save_notice(replace(a_notice(), number=number), [an_event("sent")])

    assert (list(await store.notices()), list(await store.events())) == ([], [])


async def test_a_notice_needs_a_sweep(store_without_sweep: Store) -> None:
    with pytest.raises(StoreError, match="no sweep yet"):
        await store_without_sweep.save_notice(replace(a_notice(), number=1))
