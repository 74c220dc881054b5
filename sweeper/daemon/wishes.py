"""Carry out what people asked for: fold recorded wishes into the sweep and its trials."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sweeper.domain.change import Change, merged
from sweeper.domain.enqueuing import first_place
from sweeper.domain.record import ENQUEUED, Event, EventKind, SweepRecord, Wish, WishKind
from sweeper.domain.reviewing import forgiving, granted, is_asked_for, with_point
from sweeper.domain.settling import reopened
from sweeper.domain.trial import Trial, TrialState
from sweeper.ports import Store

_PAGE = 500
_REOPENING = frozenset({WishKind.RETRY, WishKind.ENQUEUE})


async def grant_wishes(
    store: Store, sweep: SweepRecord, now: datetime, repeats: int = 1
) -> tuple[SweepRecord, Sequence[Event]]:
    """Fold every open wish into the store; return the sweep and the events written.

    `repeats` is how many trials a point has. A wish to adopt is left open: it needs the control
    plane.

    A wish is settled after its effect is recorded, so a kill between the two repeats it, which
    changes nothing more.
    """
    events: list[Event] = []
    for wish in await store.wishes():
        if wish.kind is WishKind.ADOPT:
            continue
        before, sweep = sweep, granted(sweep, [wish])
        asked: list[Event] = []
        if sweep != before:
            outcome = "thawed" if wish.kind is WishKind.THAW else sweep.state
            asked = [Event(at=now, kind=EventKind.SWEEP, outcome=outcome, detail="asked for")]
        if wish.kind is WishKind.ENQUEUE:
            sweep = with_point(sweep, wish, await _free_place(store, sweep, repeats), repeats)
            asked += _told(before, sweep, now)
        if wish.kind is WishKind.RETRY:
            events.extend(await _retry(store, wish, now))
        if wish.kind in _REOPENING:
            sweep = forgiving(before, sweep, await store.totals())
        if sweep != before:
            await store.save_sweep(sweep, asked)
            events.extend(asked)
        if wish.kind is WishKind.CANCEL and wish.trial is not None:
            await _give_up(store, wish.trial, now)
        elif wish.kind is WishKind.THAW:
            await _look_at_lost(store)
        await store.settle_wish(wish.number)
    return sweep, events


async def _free_place(store: Store, sweep: SweepRecord, repeats: int) -> int:
    """Return the first number from which a point's trials have no row and are not enqueued."""
    taken = {point.number for point in sweep.enqueued}
    number = first_place((await store.totals()).next_number, repeats)
    while number in taken or await _has_row(store, range(number, number + repeats)):
        number += repeats
    return number


async def _has_row(store: Store, numbers: Sequence[int]) -> bool:
    return any([await store.trial(number) is not None for number in numbers])


def _told(before: SweepRecord, sweep: SweepRecord, now: datetime) -> Sequence[Event]:
    """Return an event for each point that `sweep` has and `before` lacks."""
    return [
        Event(at=now, kind=EventKind.SWEEP, outcome=ENQUEUED, detail=f"trial {point.number}")
        for point in sweep.enqueued[len(before.enqueued) :]
    ]


async def _retry(store: Store, wish: Wish, now: datetime) -> Sequence[Event]:
    """Reopen one trial, or every failed and held one, page by page."""
    if wish.trial is not None:
        view = await store.trial(wish.trial)
        return await _reopen(store, [view.trial] if view else [], now)
    events: list[Event] = []
    after = -1
    while True:
        page = await store.trials(
            states=[TrialState.FAILED, TrialState.HELD], after=after, limit=_PAGE
        )
        if not page:
            return events
        after = page[-1].trial.number
        due = [view.trial for view in page if is_asked_for(view.trial, wish)]
        events.extend(await _reopen(store, due, now))


async def _reopen(store: Store, trials: Sequence[Trial], now: datetime) -> Sequence[Event]:
    changes = [reopened(trial, now) for trial in trials]
    return await _commit(store, [change for change in changes if change.events])


async def _give_up(store: Store, number: int, now: datetime) -> None:
    view = await store.trial(number)
    if view is None or view.trial.state.is_terminal or view.trial.cancel_asked_at is not None:
        return
    await _commit(store, [Change(trial=replace(view.trial, cancel_asked_at=now))])


async def _look_at_lost(store: Store) -> None:
    """Let what was lost be looked up once more now, which decides what becomes of it."""
    changes = [
        Change(trial=replace(trial, submission=replace(trial.submission, next_call_at=None)))
        for trial in await store.live_trials()
        if trial.submission.lost_since is not None
    ]
    await _commit(store, changes)


async def _commit(store: Store, changes: Sequence[Change]) -> Sequence[Event]:
    if not changes:
        return ()
    trials, events = merged(changes)
    await store.commit(trials, events)
    return events
