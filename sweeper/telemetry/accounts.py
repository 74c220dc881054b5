"""The accounts of one sweep: what its trials and slots spent time on in this process."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sweeper.domain.accounting import Charge, Span, Watch, found, happened, looked, signed
from sweeper.domain.record import Event, EventKind, SweepState, TrialView
from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.ports import TickSummary


class Posting(NamedTuple):
    """A charge and the trial it is for; `state` is the one that the trial ended in."""

    charge: Charge
    trial: int
    workload_name: str
    state: str = ""


@dataclass(slots=True, kw_only=True)
class Accounts:
    """Turns what telemetry hears of one sweep into charges."""

    _watches: dict[int, Watch] = field(default_factory=dict)
    _began: dict[int, datetime] = field(default_factory=dict)
    _idle: tuple[int, datetime] | None = None

    def begin(self, views: Iterable[TrialView], at: datetime) -> None:
        """Take over trials that an earlier process began, as the store has them at `at`."""
        for view in views:
            sign = view.objective.updated_at if view.objective is not None else None
            self._watches[view.trial.number] = found(view.trial, at, sign)

    def looked(self, summary: TickSummary) -> Iterator[Posting]:
        """Yield what the time since the tick before was spent on."""
        before, self._watches = self._watches, {}
        self._began.clear()
        for trial in summary.live:
            watch = before.get(trial.number)
            if watch is None:
                watch = found(trial, summary.at, None)
                charges: Sequence[Charge] = ()
            else:
                watch, charges = looked(watch, trial, summary.at)
            self._watches[trial.number] = watch
            yield from _posted(charges, trial.number, watch.workload_name)

    def idled(self, summary: TickSummary) -> float:
        """Return for how long slots stood free since the tick before, summed over the slots."""
        before, self._idle = self._idle, (idle_slots(summary), summary.at)
        if before is None:
            return 0.0
        slots, since = before
        return slots * max((summary.at - since).total_seconds(), 0.0)

    def happened(self, events: Iterable[Event]) -> Iterator[Posting]:
        """Yield what is charged by events just written."""
        for event in events:
            if event.trial is not None:
                yield from self._happened(event, event.trial)

    def signed(self, trial: int, at: datetime) -> Iterator[Posting]:
        """Yield what a report of a trial proves useful."""
        watch = self._watches.get(trial)
        if watch is not None:
            self._watches[trial], charges = signed(watch, at)
            yield from _posted(charges, trial, watch.workload_name)

    def _happened(self, event: Event, trial: int) -> Iterator[Posting]:
        is_move = event.kind is EventKind.TRANSITION
        is_end = is_move and event.outcome in TERMINAL_STATES
        watch = self._watches.get(trial)
        if watch is None and not is_end:
            if is_move:
                self._began.setdefault(trial, event.at)
            return
        if watch is None:
            watch = Watch(
                # One that could never be created begins and ends at once.
                began_at=self._began.pop(trial, event.at),
                attempt=event.attempt or 1,
                workload_name=event.workload_name or "",
            )
        after, charges = happened(watch, event)
        if after is None:
            self._watches.pop(trial, None)
        else:
            self._watches[trial] = after
        yield from _posted(charges, trial, watch.workload_name, event.outcome if is_end else "")


def idle_slots(summary: TickSummary) -> int:
    """Return how many slots stand free though trials wait and no limit keeps them out.

    None does while the sweep is not open. Where GPUs are limited, as many trials more fit as
    the smallest one out there would.
    """
    if summary.sweep.state is not SweepState.OPEN or not _any_waits(summary):
        return 0
    taken = [trial.submission for trial in summary.live if trial.holds_slot]
    free = summary.active_limit - len(taken)
    if summary.pending_limit is not None:
        free = min(free, summary.pending_limit - sum(not one.is_at_work for one in taken))
    if summary.gpu_limit is not None:
        left = summary.gpu_limit - float(sum(one.gpus for one in taken))
        smallest = float(min((one.gpus for one in taken), default=0))
        if smallest > 0:
            free = min(free, int(left / smallest))
    return max(free, 0)


def _any_waits(summary: TickSummary) -> bool:
    planned = summary.sweep.planned
    if planned is None or summary.totals.next_number < planned:
        return True
    return any(
        not trial.holds_slot and trial.state is TrialState.INTERRUPTED for trial in summary.live
    )


def _posted(
    charges: Iterable[Charge], trial: int, workload_name: str, state: str = ""
) -> Iterator[Posting]:
    for charge in charges:
        ended_in = state if charge.of is Span.TRIAL else ""
        yield Posting(charge, trial, workload_name, ended_in)
