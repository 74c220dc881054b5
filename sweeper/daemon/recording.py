"""Write what was decided into the store, and tell of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sweeper.domain.change import Change, merged, note
from sweeper.domain.outbox import (
    BLOCKED,
    FROZEN,
    LATE,
    SUMMARISED,
    Notice,
    Wanted,
    notices_of,
)
from sweeper.domain.policy import is_overdue
from sweeper.domain.record import Event, EventKind, SlotGuard, SweepRecord
from sweeper.domain.sweep import TimeoutsSpec
from sweeper.domain.trial import Trial, TrialState
from sweeper.ports import Now, Store, Telemetry

_log = logging.getLogger(__name__)

ReadReports: TypeAlias = Callable[[Sequence[Trial]], Awaitable[None]]
"""Brings into the store what trials have reported on the side."""


@dataclass(slots=True)
class _Batch:
    """Changes that go into one transaction."""

    changes: list[Change] = field(default_factory=list)
    is_written: bool = False


@dataclass(slots=True, kw_only=True)
class Recorder:
    """The writes of one daemon; telemetry hears of every event once it is durable.

    What ended trials have reported is read before their end is written. Notices go into the outbox
    with their causes, for whom `notify` says; `on_notice` hears when there are new ones.
    """

    store: Store
    telemetry: Telemetry
    read_reports: ReadReports
    now: Now
    notify: Wanted = field(default_factory=dict)
    on_notice: Callable[[], None] = field(default=lambda: None)
    _batch: _Batch = field(default_factory=_Batch)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def write(
        self, sweep: SweepRecord, changes: Sequence[Change], bound: SlotGuard | None = None
    ) -> Sequence[Trial]:
        """Write changes in one transaction, within `bound`; return the trials as written.

        Raises:
            LimitExceededError: `bound` would not hold; nothing was written.
            StoreError: nothing was written.
        """
        if not changes:
            return ()
        ended = [change.trial for change in changes if not change.trial.holds_slot]
        if ended:
            await self.read_reports(ended)
        trials, events = merged(changes)
        events += await self._unreported(sweep, changes)
        notices = notices_of(events, self.notify)
        written = await self.store.commit(trials, events, guard=bound, notices=notices)
        self._tell(sweep, events, notices)
        return written

    async def _unreported(self, sweep: SweepRecord, changes: Sequence[Change]) -> Sequence[Event]:
        """Tell loudly of trials that complete without a value of what the sweep optimises."""
        if sweep.objective is None:
            return ()
        found: list[Event] = []
        for trial in (change.trial for change in changes if _completes(change)):
            view = await self.store.trial(trial.number)
            if view is None or view.objective is not None:
                continue
            detail = f"completed, and never reported {sweep.objective}"
            _log.warning(
                "trial %d %s: does it report under that name, and where objective says?",
                trial.number,
                detail,
                extra={"sweep": sweep.name, "trial": trial.number},
            )
            found.append(note(trial, self.now(), EventKind.OBJECTIVE, "never_reported", detail))
        return found

    async def settle(self, sweep: SweepRecord, change: Change) -> None:
        """Write what became of one of several calls made side by side; durable when it returns.

        What is settled while the disk is busy goes into one transaction, the next. Raises as
        `write` does, to everyone who has a share in what could not be written.
        """
        batch = self._batch
        batch.changes.append(change)
        async with self._turn:
            if batch is self._batch:
                self._batch = _Batch()
            if not batch.is_written:
                await self.write(sweep, batch.changes)
                batch.is_written = True

    async def save_sweep(self, before: SweepRecord, after: SweepRecord) -> None:
        """Write the sweep as a whole, with an event for each turn that it took."""
        events = tuple(
            Event(at=self.now(), kind=EventKind.SWEEP, outcome=outcome, detail=detail)
            for outcome, detail in _turns(before, after)
        )
        if after.frozen is not None and before.frozen is None:
            _log.error("Writes are frozen: %s", after.frozen)
        if after.blocked is not None and before.blocked is None:
            _log.error("A person must act: %s", after.blocked)
        notices = notices_of(events, self.notify)
        await self.store.save_sweep(after, events, notices=notices)
        self._tell(after, events, notices)

    def _tell(self, sweep: SweepRecord, events: Sequence[Event], notices: Sequence[Notice]) -> None:
        self.telemetry.recorded(sweep, events)
        if notices:
            self.on_notice()


def _completes(change: Change) -> bool:
    return any(
        event.kind is EventKind.TRANSITION and event.outcome == TrialState.COMPLETED
        for event in change.events
    )


def _turns(before: SweepRecord, after: SweepRecord) -> Iterator[tuple[str, str]]:
    """Yield what turned with the sweep as a whole, and why."""
    if before.frozen is None and after.frozen is not None:
        yield FROZEN, after.frozen
    if before.frozen is not None and after.frozen is None:
        yield "thawed", "the trainings are seen again"
    if before.blocked is None and after.blocked is not None:
        yield BLOCKED, after.blocked
    if before.blocked is not None and after.blocked is None:
        yield "unblocked", "the control plane does what is asked again"
    if before.late_at is None and after.late_at is not None:
        yield LATE, "limits.deadline is over: no new trial is begun"
    if after.summary_at not in {None, before.summary_at}:
        yield SUMMARISED, ""
    if before.state is not after.state:
        yield after.state, after.stop_reason


def worth_a_write(
    live: Sequence[Trial], changes: Sequence[Change], timeouts: TimeoutsSpec
) -> list[Change]:
    """Leave out what is not worth a write: a training that is as it was, only seen again."""
    before = {trial.number: trial for trial in live}
    return [
        change
        for change in changes
        if change.events
        or _essence(change.trial, timeouts) != _essence(before[change.trial.number], timeouts)
    ]


def _essence(trial: Trial, timeouts: TimeoutsSpec) -> tuple[Trial, bool, bool]:
    """Return what of a trial is worth a write; of when it was seen, only what follows from it."""
    submission = trial.submission
    unseen = replace(trial, submission=replace(submission, seen_at=None))
    return unseen, submission.seen_at is None, is_overdue(submission, timeouts)
