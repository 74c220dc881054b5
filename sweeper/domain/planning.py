"""What to do next: `plan(snapshot, draft, now)` turns what is known into actions.

Pure, and a fixed point: each action carries the trial as it is to be recorded before the call
is made, and planning again on those records, at the same time, yields nothing new. So a daemon
that is killed between any two steps does, at its next start, what it would have done.

The order of the actions is the order of their urgency: what gives slots back, then what finds
out, then what brings trials back, then new work.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

from sweeper.domain.actions import Action, Record, Submit
from sweeper.domain.caring import care, resumed
from sweeper.domain.change import Change, changed, note
from sweeper.domain.freezing import without_writes
from sweeper.domain.halting import Field, Halts, halts, promoted
from sweeper.domain.leaving import OnExit, as_left
from sweeper.domain.policy import is_due
from sweeper.domain.ramping import room_on_ramp
from sweeper.domain.record import (
    Comparison,
    EventKind,
    SlotGuard,
    SweepRecord,
    SweepState,
    Totals,
)
from sweeper.domain.settling import given_up
from sweeper.domain.sweep import LimitsSpec, SweepSpec
from sweeper.domain.trial import RETRY_ASKED, Submission, Trial, TrialState
from sweeper.domain.values import Params

RATE_WINDOW = timedelta(seconds=60)
_SOON = timedelta(seconds=1)
_DECIDING = frozenset({SweepState.OPEN, SweepState.PAUSED, SweepState.STOPPED})
REFUSALS = 100
"""So many trials that can never be made fail in one plan; a sweep may have them without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of an attempt before it is recorded: its point, its name, what it asks for.

    `fault` says why there can be no such training ("": there can): its trial fails.
    """

    params: Params
    workload_name: str
    digest: str
    gpus: Fraction
    fault: str = ""


Drafting: TypeAlias = Callable[[int, int, Params | None], Draft | None]
"""Drafts an attempt from (trial number, attempt, the trial's params or None for a new trial).

None means that the params of the new trial are not found yet; asking has them found.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a plan depends on.

    `live` holds every trial that is not settled, with the newest observation folded in.
    `submitted` counts intents of the last `RATE_WINDOW`. `planned` is the number of trials, None
    when unbounded. `exhausted` means that no new trial is wanted (target or deadline reached).
    `creates_open` is false while creates are forbidden or the control plane is unwell.
    `quarantine` is how long a create that was left open may still take effect. With `ramps`, few
    creates are open at once until a training of the sweep was seen at work. `on_exit` says
    what becomes of active trainings, once the daemon is about to leave: nothing new is begun then.
    `comparison` is what early stopping decides by; empty where the sweep has none.
    """

    sweep: SweepRecord
    spec: SweepSpec
    live: tuple[Trial, ...]
    totals: Totals
    planned: int | None
    submitted: int = 0
    exhausted: bool = False
    creates_open: bool = True
    quarantine: timedelta = timedelta(seconds=20)
    ramps: bool = False
    on_exit: OnExit = OnExit.LEAVE
    comparison: Comparison = field(default_factory=Comparison)


def plan(snapshot: Snapshot, draft: Drafting, now: datetime) -> tuple[Action, ...]:
    """Return what to do now, the most urgent first; nothing when all is as it should be."""
    stopping = _field(snapshot)
    decided = Halts() if stopping is None else halts(stopping, now)
    cared = [
        action
        for trial in snapshot.live
        if (action := _care_for(trial, decided.changes.get(trial.number), snapshot, now))
    ]
    if not snapshot.creates_open:
        cared = [action for action in cared if not isinstance(action, Submit)]
    if snapshot.sweep.frozen is not None:
        cared = without_writes(cared, snapshot.sweep)
    if stopping is not None:
        cared += _promote(stopping, decided.promotable, _after(snapshot, cared), now)
    actions = [*cared, *_fill(_after(snapshot, cared), draft, now)]
    actions.sort(key=lambda action: action.urgency)
    return tuple(actions)


def _care_for(
    trial: Trial, decided: Change | None, snapshot: Snapshot, now: datetime
) -> Action | None:
    """Return what to do for a trial, after what early stopping has decided for it, if anything."""
    sweep = as_left(snapshot.sweep, trial, snapshot.on_exit)
    present = trial if decided is None else decided.trial
    action = care(present, sweep, snapshot.spec, now, snapshot.quarantine)
    if decided is None:
        return action
    if action is None:
        return Record(trial=present, before=trial, events=decided.events)
    return replace(action, before=trial, events=(*decided.events, *action.events))


def _field(snapshot: Snapshot) -> Field | None:
    """Return what early stopping decides by, None while nothing is to be decided."""
    spec, sweep = snapshot.spec, snapshot.sweep
    if spec.early_terminate is None or spec.objective is None:
        return None
    is_held_up = sweep.frozen is not None or snapshot.on_exit is not OnExit.LEAVE
    if is_held_up or sweep.state not in _DECIDING:
        return None
    is_stopped = sweep.state is SweepState.STOPPED
    begins_on = not (is_stopped or is_exhausted(snapshot))
    return Field(
        spec=spec.early_terminate,
        objective=spec.objective,
        live=snapshot.live,
        comparison=snapshot.comparison,
        begins_at=snapshot.totals.next_number if begins_on else None,
        planned=snapshot.planned,
        is_closing=is_stopped or snapshot.exhausted,
    )


def _promote(
    stopping: Field, promotable: Sequence[Trial], snapshot: Snapshot, now: datetime
) -> Iterator[Action]:
    """Bring parked trials back that are among the best of their rung, as far as there is room."""
    if snapshot.sweep.state is not SweepState.OPEN or not snapshot.creates_open:
        return
    room = _Room.of(snapshot)
    for trial in promotable:
        change = promoted(trial, stopping.comparison.progress[trial.number], stopping, now)
        if not trial.submission.is_open:
            # Its training was lost meanwhile: its next attempt is planned once this is recorded.
            again = replace(change.trial, retry_at=now + _SOON)
            yield Record(trial=again, before=trial, events=change.events)
            continue
        if trial.state is not TrialState.PARKED:
            continue
        if not (room.has_place and room.fits(trial.submission.gpus)):
            return
        room = room.take(trial.submission.gpus)
        yield resumed(trial, change, now)


def sent_at(action: Submit, now: datetime) -> Submit:
    """Return the action as one that is carried out at `now`, if that is later than planned.

    What may still take effect, and how many creates a minute has seen, count from then.
    """
    submission = action.trial.submission
    intent_at = now if action.begins_attempt else submission.intent_at
    sent = replace(submission, sent_at=now, intent_at=intent_at)
    return replace(action, trial=replace(action.trial, submission=sent))


def guard(limits: LimitsSpec, now: datetime) -> SlotGuard:
    """Return the limits as the transaction that writes intents checks them once more."""
    return SlotGuard(
        active=limits.active,
        pending=limits.pending,
        gpus=limits.gpus,
        submissions=limits.submit_per_minute,
        since=now - RATE_WINDOW,
    )


def is_exhausted(snapshot: Snapshot) -> bool:
    """Return whether no trial without a row is left to be tried."""
    bounded = snapshot.planned is not None and snapshot.totals.next_number >= snapshot.planned
    return bounded or snapshot.exhausted


def _after(snapshot: Snapshot, actions: Sequence[Action]) -> Snapshot:
    """Return the snapshot as it will be once the intents of `actions` are recorded."""
    changed_trials = {action.trial.number: action.trial for action in actions}
    live = (changed_trials.get(trial.number, trial) for trial in snapshot.live)
    return replace(snapshot, live=tuple(trial for trial in live if not trial.state.is_terminal))


def _fill(snapshot: Snapshot, draft: Drafting, now: datetime) -> Iterator[Action]:
    sweep = snapshot.sweep
    if sweep.state is not SweepState.OPEN or sweep.frozen is not None or not snapshot.creates_open:
        return
    room = _Room.of(snapshot)
    refusals, is_waiting = 0, False
    for wanted in _wanted(snapshot, now):
        if not room.has_slot:
            return
        attempt = wanted.trial.submission.attempt + 1 if wanted.trial else 1
        params = wanted.trial.params if wanted.trial else None
        drafted = draft(wanted.number, attempt, params)
        if drafted is None or is_waiting:
            # The others are asked for as well, but trials begin in the order of their numbers.
            is_waiting = True
            room = room.take(Fraction(0))
            continue
        fault = _fault(drafted, snapshot.spec.limits)
        if fault:
            if refusals == REFUSALS:
                return
            refusals += 1
            room = replace(room, submissions=_less(room.submissions))
            yield _refuse(wanted, drafted, attempt, fault, now)
            continue
        # The first that does not fit ends the filling, so that a large trial is not starved.
        if not room.fits(drafted.gpus):
            return
        room = room.take(drafted.gpus)
        yield _submit(wanted, drafted, attempt, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    number: int
    trial: Trial | None


def _wanted(snapshot: Snapshot, now: datetime) -> Iterator[_Wanted]:
    due = [
        trial
        for trial in snapshot.live
        if trial.retry_at is not None and is_due(trial.retry_at, now) and trial.halt is None
    ]
    for trial in sorted(due, key=lambda trial: (trial.retry_at, trial.number)):
        yield _Wanted(number=trial.number, trial=trial)
    number = snapshot.totals.next_number
    while not snapshot.exhausted and (snapshot.planned is None or number < snapshot.planned):
        yield _Wanted(number=number, trial=None)
        number += 1


def _attempted(
    wanted: _Wanted, drafted: Draft, attempt: int, sent_at: datetime | None, now: datetime
) -> Trial:
    """Return the wanted trial with its next attempt."""
    submission = Submission(
        attempt=attempt,
        workload_name=drafted.workload_name,
        digest=drafted.digest,
        gpus=drafted.gpus,
        intent_at=now,
        sent_at=sent_at,
    )
    if wanted.trial is not None:
        return replace(wanted.trial, submission=submission, retry_at=None)
    return Trial(
        number=wanted.number,
        params=drafted.params,
        state=TrialState.WAITING,
        state_since=now,
        created_at=now,
        submission=submission,
    )


def _submit(wanted: _Wanted, drafted: Draft, attempt: int, now: datetime) -> Submit:
    intended = _attempted(wanted, drafted, attempt, now, now)
    submitting = intended.enter(TrialState.SUBMITTING, now)
    if wanted.trial is None:
        change = changed(None, submitting, now)
    else:
        resubmit = note(intended, now, EventKind.RESUBMIT, _cause(wanted.trial))
        change = changed(wanted.trial, submitting, now, resubmit)
    return Submit(trial=change.trial, before=wanted.trial, events=change.events)


def _cause(trial: Trial) -> str:
    """Return why a trial has a new attempt, in a word of the record."""
    if trial.failure is not None:
        return trial.failure
    return "asked" if trial.reason == RETRY_ASKED else "preempted"


def _fault(drafted: Draft, limits: LimitsSpec) -> str:
    """Return why a drafted attempt can never be made, "" if it can."""
    if limits.gpus is None or drafted.gpus <= limits.gpus:
        return drafted.fault
    asked, bound = float(drafted.gpus), float(limits.gpus)
    return f"it asks for {asked:g} GPUs, and limits.gpus is {bound:g}"


def _refuse(wanted: _Wanted, drafted: Draft, attempt: int, why: str, now: datetime) -> Record:
    """Fail a trial whose attempt can never be made."""
    change = given_up(_attempted(wanted, drafted, attempt, None, now), now, why)
    return Record(trial=change.trial, before=wanted.trial, events=change.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """What the limits still leave; None means without bound."""

    active: int
    pending: int | None
    gpus: Fraction | None
    submissions: int | None
    creates: int | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Room":
        limits = snapshot.spec.limits
        holding = [trial for trial in snapshot.live if trial.holds_slot]
        pending = sum(not trial.submission.is_at_work for trial in holding)
        gpus = sum((trial.submission.gpus for trial in holding), Fraction(0))
        rate = limits.submit_per_minute
        return cls(
            active=limits.active - len(holding),
            pending=None if limits.pending is None else limits.pending - pending,
            gpus=None if limits.gpus is None else limits.gpus - gpus,
            submissions=None if rate is None else rate - snapshot.submitted,
            creates=room_on_ramp(snapshot.sweep, snapshot.live) if snapshot.ramps else None,
        )

    @property
    def has_place(self) -> bool:
        """Whether one training more may be active."""
        return self.active > 0 and (self.pending is None or self.pending > 0)

    @property
    def has_slot(self) -> bool:
        """Whether one training more may be created."""
        counts = (self.submissions, self.creates)
        return self.has_place and all(count is None or count > 0 for count in counts)

    def fits(self, gpus: Fraction) -> bool:
        return self.gpus is None or gpus <= self.gpus

    def take(self, gpus: Fraction) -> "_Room":
        return _Room(
            active=self.active - 1,
            pending=_less(self.pending),
            gpus=None if self.gpus is None else self.gpus - gpus,
            submissions=_less(self.submissions),
            creates=_less(self.creates),
        )


def _less(count: int | None) -> int | None:
    return None if count is None else count - 1
