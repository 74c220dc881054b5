from collections.abc import Sequence
from dataclasses import replace

import pytest

from sweeper.daemon.wishes import grant_wishes
from sweeper.domain.record import SweepRecord, SweepState, Wish, WishKind
from sweeper.domain.trial import FailureClass, Trial, TrialState
from sweeper.ports import Store
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial, after

COMPLETED_FIRST = a_trial(0, state=TrialState.COMPLETED)
FAILED_SECOND = a_trial(1, state=TrialState.FAILED)


async def a_store(*trials: Trial, state: SweepState = SweepState.OPEN) -> Store:
    store = MemoryStore()
    await store.save_sweep(a_sweep(state=state))
    await store.commit([_unwritten(trial) for trial in trials])
    return store


def _unwritten(trial: Trial) -> Trial:
    return replace(trial, version=0)


async def grant(store: Store) -> SweepRecord:
    sweep = await store.load_sweep()
    assert sweep is not None
    granted, _ = await grant_wishes(store, sweep, after(seconds=60))
    assert await store.load_sweep() == granted
    return granted


async def wish(store: Store, kind: WishKind, trial: int | None = None) -> None:
    await store.add_wish(Wish(kind=kind, at=NOW, trial=trial))


async def states(store: Store) -> Sequence[TrialState]:
    return [view.trial.state for view in await store.trials()]


FAILED = a_trial(0, state=TrialState.FAILED)
HELD = a_trial(1, state=TrialState.HELD)
COMPLETED = a_trial(2, state=TrialState.COMPLETED)


async def test_wishes_for_the_sweep_are_recorded_with_an_event_each() -> None:
    store = await a_store()
    await wish(store, WishKind.PAUSE)
    await wish(store, WishKind.UNPAUSE)

    sweep = await grant(store)

    assert sweep.state is SweepState.OPEN
    assert [event.outcome for event in await store.events()] == ["paused", "open"]
    assert await store.wishes() == []


async def test_a_wish_that_changes_nothing_is_settled_in_silence() -> None:
    store = await a_store()
    await wish(store, WishKind.UNPAUSE)

    await grant(store)

    assert await store.events() == []
    assert await store.wishes() == []


async def test_a_retry_reopens_what_failed_and_what_is_held() -> None:
    store = await a_store(FAILED, HELD, COMPLETED, state=SweepState.FINISHED)
    await wish(store, WishKind.RETRY)

    sweep = await grant(store)

    assert sweep.state is SweepState.OPEN
    assert await states(store) == ["interrupted", "interrupted", "completed"]


async def test_a_retry_does_not_reach_what_failed_after_it() -> None:
    late = a_trial(0, state=TrialState.FAILED, state_since=after(seconds=1))
    store = await a_store(late)
    await wish(store, WishKind.RETRY)

    await grant(store)

    assert await states(store) == ["failed"]


async def test_a_retry_of_a_class_leaves_other_failures_alone() -> None:
    store = await a_store(
        a_trial(0, state=TrialState.FAILED, failure=FailureClass.INFRASTRUCTURE),
        a_trial(1, state=TrialState.FAILED, failure=FailureClass.APPLICATION),
        a_trial(2, state=TrialState.FAILED),
    )
    about = FailureClass.INFRASTRUCTURE
    await store.add_wish(Wish(kind=WishKind.RETRY, at=NOW, failure=about))

    await grant(store)

    assert await states(store) == ["interrupted", "failed", "failed"]


async def test_one_trial_can_be_retried_alone() -> None:
    store = await a_store(FAILED, HELD)
    await wish(store, WishKind.RETRY, trial=1)

    await grant(store)

    assert await states(store) == ["failed", "interrupted"]


async def test_a_retry_of_one_forgives_the_others_that_failed() -> None:
    other = a_trial(3, state=TrialState.FAILED)
    store = await a_store(FAILED, other, COMPLETED, state=SweepState.STOPPED)
    await wish(store, WishKind.RETRY, trial=0)

    sweep = await grant(store)

    assert (sweep.state, sweep.forgiven) == (SweepState.OPEN, 1)


async def test_a_retry_in_an_open_sweep_says_nothing_of_the_sweep() -> None:
    store = await a_store(FAILED)
    sweep = await store.load_sweep()
    assert sweep is not None
    await store.save_sweep(replace(sweep, forgiven=1))
    await wish(store, WishKind.RETRY, trial=0)

    assert (await grant(store)).forgiven == 0

    assert [event.outcome for event in await store.events()] == ["interrupted"]


async def _enqueue(store: Store, **params: int) -> None:
    await store.add_wish(Wish(kind=WishKind.ENQUEUE, at=NOW, params=params))


@pytest.mark.parametrize("state", [SweepState.OPEN, SweepState.FINISHED, SweepState.STOPPED])
async def test_an_enqueued_point_takes_the_next_number_and_opens_the_sweep(
    state: SweepState,
) -> None:
    store = await a_store(COMPLETED_FIRST, FAILED_SECOND, state=state)
    await _enqueue(store, lr=5)

    sweep = await grant(store)

    (point,) = sweep.enqueued
    assert (sweep.state, sweep.planned) == (SweepState.OPEN, 11)
    assert (point.number, point.params, point.tail) == (2, {"lr": 5}, 10)
    assert (await store.events())[-1].outcome == "enqueued"


async def test_points_take_numbers_in_their_order_and_pass_over_rows() -> None:
    store = await a_store(COMPLETED_FIRST, a_trial(2))
    await _enqueue(store, lr=5)
    await _enqueue(store, lr=6)

    sweep = await grant(store)

    assert [(point.number, point.params["lr"]) for point in sweep.enqueued] == [(1, 5), (3, 6)]


async def test_a_wish_whose_point_is_there_is_settled_without_another() -> None:
    store = await a_store(COMPLETED_FIRST)
    await _enqueue(store, lr=5)
    once = await grant(store)
    killed_before_it_was_settled = MemoryStore()
    await killed_before_it_was_settled.save_sweep(once)
    await _enqueue(killed_before_it_was_settled, lr=5)

    assert await grant(killed_before_it_was_settled) == once
    assert await killed_before_it_was_settled.wishes() == []


async def test_an_enqueued_point_forgives_the_failures_that_stopped_the_sweep() -> None:
    store = await a_store(COMPLETED_FIRST, FAILED_SECOND, state=SweepState.STOPPED)
    await _enqueue(store, lr=5)

    assert (await grant(store)).forgiven == 1


async def test_thousands_of_failed_trials_are_reopened_page_by_page() -> None:
    store = await a_store(*(a_trial(number, state=TrialState.FAILED) for number in range(1100)))
    await wish(store, WishKind.RETRY)

    await grant(store)

    assert (await store.totals()).count(TrialState.INTERRUPTED) == 1100


async def test_a_thaw_lets_what_was_lost_be_looked_up_at_once() -> None:
    lost = a_trial(0, missing_since=NOW, lost_since=NOW, next_call_at=after(minutes=5))
    store = await a_store(lost, a_trial(1, next_call_at=after(minutes=5)))
    await wish(store, WishKind.THAW)

    sweep = await grant(store)

    assert sweep.thawed_at == NOW
    assert [event.outcome for event in await store.events()] == ["thawed"]
    waits = [trial.submission.next_call_at for trial in await store.live_trials()]
    assert waits == [None, after(minutes=5)]


async def test_a_wish_to_adopt_is_left_to_who_can_ask_the_control_plane() -> None:
    store = await a_store(a_trial(0))
    await wish(store, WishKind.ADOPT, trial=0)

    await grant(store)

    assert [wish.kind for wish in await store.wishes()] == [WishKind.ADOPT]


async def test_giving_up_a_trial_marks_it_once() -> None:
    store = await a_store(a_trial(0))
    await wish(store, WishKind.CANCEL, trial=0)
    await grant(store)
    marked = await store.trial(0)
    await wish(store, WishKind.CANCEL, trial=0)

    await grant(store)

    assert marked is not None
    assert marked.trial.cancel_asked_at == after(seconds=60)
    assert await store.trial(0) == marked


@pytest.mark.parametrize("kind", [WishKind.CANCEL, WishKind.RETRY])
async def test_a_wish_for_a_trial_without_a_row_is_settled(kind: WishKind) -> None:
    store = await a_store(COMPLETED)
    await wish(store, kind, trial=99)
    await wish(store, kind, trial=2)

    await grant(store)

    assert await states(store) == ["completed"]
    assert await store.wishes() == []


async def test_a_wish_granted_twice_changes_nothing_more() -> None:
    class Forgetful(MemoryStore):
        async def settle_wish(self, number: int) -> None:
            return None

    store = Forgetful()
    await store.save_sweep(a_sweep(state=SweepState.STOPPED))
    await store.commit([_unwritten(FAILED), _unwritten(HELD)])
    for kind in (WishKind.RETRY, WishKind.SUSPEND):
        await wish(store, kind)
    first = await grant(store)
    reopened = await store.trials()

    assert await grant(store) == first
    assert await store.trials() == reopened
