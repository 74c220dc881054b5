from dataclasses import replace

import pytest

from sweeper.domain.record import EventKind, SweepState, Wish, WishKind
from sweeper.domain.trial import FailureClass
from sweeper.domain.values import Params, plain
from sweeper.errors import StoreError
from sweeper.ports import Store
from tests.store.builders import NOW, a_full_event, a_full_sweep, a_sweep, a_trial, an_event
from tests.store.conftest import Opening


async def test_every_field_of_a_sweep_outlives_the_process(opening: Opening) -> None:
    async with opening() as store:
        await store.save_sweep(a_full_sweep())

    async with opening() as store:
        found = await store.load_sweep()

    kept: Params = {"method": "grid", "parameters": {"lr": {"values": (0.1, 1e-4)}}}
    assert found == replace(a_full_sweep(), definition=kept)


async def test_a_new_store_keeps_no_sweep(store_without_sweep: Store) -> None:
    assert await store_without_sweep.load_sweep() is None


async def test_saving_again_replaces_the_sweep_and_nothing_else(store: Store) -> None:
    await store.commit([a_trial()])

    await store.save_sweep(a_sweep(state=SweepState.PAUSED), [an_event("paused", trial=None)])

    found = await store.load_sweep()
    assert found is not None
    assert found.state is SweepState.PAUSED
    assert (await store.totals()).next_number == 1
    assert [event.outcome for event in await store.events()] == ["paused"]


async def test_a_store_keeps_one_sweep_only(store: Store) -> None:
    with pytest.raises(StoreError, match="keeps the sweep k3j5m7n2p4, not another"):
        await store.save_sweep(replace(a_sweep(), id="another"), [an_event()])

    found = await store.load_sweep()
    assert found is not None
    assert found.id == a_sweep().id
    assert await store.events() == []


async def test_every_field_of_an_event_is_kept(store: Store) -> None:
    await store.commit([], [a_full_event()])

    (found,) = await store.events()

    assert found == replace(a_full_event(), number=1, epoch=found.epoch)


async def test_events_are_numbered_in_the_order_of_writing(store: Store) -> None:
    await store.commit([], [an_event("a"), an_event("b")])
    await store.save_sweep(a_sweep(), [an_event("c", trial=None)])

    found = await store.events()

    assert [(event.number, event.outcome) for event in found] == [(1, "a"), (2, "b"), (3, "c")]


async def test_events_come_in_pages_of_one_trial_or_of_all(store: Store) -> None:
    await store.commit([], [an_event(str(place), trial=place % 2) for place in range(5)])

    every = await store.events(after=1, limit=2)
    of_one = await store.events(trial=0, after=1, limit=5)

    assert [event.outcome for event in every] == ["1", "2"]
    assert [event.outcome for event in of_one] == ["2", "4"]


async def test_an_event_may_be_about_a_trial_without_a_row(store: Store) -> None:
    await store.commit([], [an_event(trial=77)])

    assert [event.kind for event in await store.events(trial=77)] == [EventKind.SUBMISSION]


async def test_wishes_stay_until_they_are_settled(opening: Opening) -> None:
    async with opening() as store:
        await store.save_sweep(a_sweep())
        pause = await store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))
        cancel = await store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW, trial=3))
        await store.settle_wish(pause.number)

    async with opening() as store:
        found = await store.wishes()

    assert list(found) == [Wish(kind=WishKind.CANCEL, at=NOW, trial=3, number=cancel.number)]
    assert pause.number < cancel.number


@pytest.mark.parametrize("number", [1, 99, 2**80], ids=["settled", "unknown", "wide"])
async def test_settling_what_is_not_open_does_nothing(store: Store, number: int) -> None:
    wish = await store.add_wish(Wish(kind=WishKind.RETRY, at=NOW))
    await store.settle_wish(wish.number)

    await store.settle_wish(number)
    point: Params = {"lr": 0.1, "layers": {"width": [1, None]}}
    enqueue = await store.add_wish(Wish(kind=WishKind.ENQUEUE, at=NOW, params=point))
    later = await store.add_wish(Wish(kind=WishKind.RETRY, at=NOW, failure=FailureClass.TIMEOUT))

    assert plain((await store.wishes())[0].params) == point
    assert later.failure is FailureClass.TIMEOUT
    assert [one.number for one in await store.wishes()] == [enqueue.number, later.number]
    assert (await store.wishes())[1] == later


async def test_a_wish_needs_a_sweep(store_without_sweep: Store) -> None:
    with pytest.raises(StoreError, match="no sweep yet"):
        await store_without_sweep.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))
