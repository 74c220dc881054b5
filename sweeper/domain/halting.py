"""What early stopping decides for the trials of a sweep: who is parked, pruned, promoted.

Pure, from what the store holds at one moment. Decided is once: what is decided is written down
with the trial in the transaction of what follows from it, so a kill in between repeats nothing.

With `action: promote` a trial that gets to a rung goes on if it is among the best share of those
that got there so far (successive halving: of all that ever will), and is parked otherwise. A
parked one is promoted once it is among them; when no other trial may get to its rung, it is
pruned, for nothing can change its place any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sweeper.domain.change import Change, note
from sweeper.domain.record import Comparison, Event, EventKind, ObjectiveValue, RungPlace
from sweeper.domain.stopping import (
    ONCE,
    bracket_of,
    compared,
    is_among_best,
    is_poor,
    parks,
    shares_are_whole,
    threshold,
    waits_for_all,
)
from sweeper.domain.sweep import EarlyTerminateSpec, ObjectiveSpec, StoppingAction, StoppingRule
from sweeper.domain.trial import Halt, Trial, TrialState

_JUDGED = frozenset({TrialState.ACTIVE, TrialState.INTERRUPTED, TrialState.RESUMING})


class Outcome(StrEnum):
    """What may be decided for a trial at a rung."""

    PRUNED = "pruned"
    PARKED = "parked"
    PROMOTED = "promoted"
    KEPT = "kept"  # it goes on as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """All trials of a sweep as early stopping looks at them.

    `begins_at` is the number of the first trial that is still to be begun, None when none is;
    `planned` the number of trials, None when unbounded. With `is_closing` nothing is promoted
    any more.
    """

    spec: EarlyTerminateSpec
    objective: ObjectiveSpec
    live: Sequence[Trial]
    comparison: Comparison
    begins_at: int | None
    planned: int | None
    is_closing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Halts:
    """What was decided: changed trials by number, and parked ones that may go on, best first."""

    changes: Mapping[int, Change] = field(default_factory=dict)
    promotable: tuple[Trial, ...] = ()


def halts(field: Field, now: datetime) -> Halts:
    """Return what is to be decided now."""
    changes = dict(_judged(field, now)) if field.spec.rule not in ONCE else {}
    live = [changes[one.number].trial if one.number in changes else one for one in field.live]
    if field.spec.rule in ONCE:
        return _climb(replace(field, live=live), now)
    changes |= _left_over(replace(field, live=live), now)
    return Halts(changes=changes)


def promoted(trial: Trial, reached: ObjectiveValue, field: Field, now: datetime) -> Change:
    """Return the change by which a parked trial goes on from the rung that it stands at."""
    free = replace(trial, halt=None, rung=reached.rung)
    return Change(trial=free, events=(_note(free, reached, field, Outcome.PROMOTED, now),))


def _judged(field: Field, now: datetime) -> Iterator[tuple[int, Change]]:
    """Yield what becomes of trials by a rule that looks at them all the time."""
    for trial, reached in _candidates(field):
        place = _place(field, trial, reached)
        if is_poor(field.spec, field.objective, reached, place):
            yield trial.number, _halted(trial, reached, field, now)


def _candidates(field: Field) -> Iterator[tuple[Trial, ObjectiveValue]]:
    """Yield the trials that may be stopped: those with a training that nobody gave up."""
    for trial in field.live:
        reached = field.comparison.progress.get(trial.number)
        is_known = trial.submission.is_open and trial.submission.workload_id is not None
        is_free = trial.halt is None and trial.cancel_asked_at is None
        if reached is None or trial.state not in _JUDGED or not (is_known and is_free):
            continue
        if trial.submission.delete_sent_at is None and trial.submission.missing_since is None:
            yield trial, reached


def _climb(field: Field, now: datetime) -> Halts:
    """Decide rung by rung from the lowest: who is pruned there can get to none above."""
    changes: dict[int, Change] = {}
    promotable: list[tuple[Trial, ObjectiveValue]] = []
    below = _Below(field)
    arrived = {
        trial.number
        for trial, reached in _candidates(field)
        if reached.rung > trial.rung and not field.is_closing
    }
    for trial, reached in sorted(_standing(field), key=lambda one: (one[1].rung, one[0].number)):
        is_final = below.is_final(trial, reached.rung)
        has_arrived = trial.number in arrived
        outcome = _outcome(field, trial, reached, has_arrived=has_arrived, is_final=is_final)
        if outcome is Outcome.PROMOTED:
            promotable.append((trial, reached))
        elif outcome is not None:
            changes[trial.number] = _decided(trial, reached, field, outcome, now)
            below.take(trial, changes[trial.number].trial)
    best = sorted(promotable, key=lambda one: _order(field, one[0], one[1]))
    return Halts(changes=changes, promotable=tuple(trial for trial, _ in best))


def _standing(field: Field) -> Iterator[tuple[Trial, ObjectiveValue]]:
    """Yield the trials that got to a rung at all."""
    for trial in field.live:
        reached = field.comparison.progress.get(trial.number)
        if reached is not None and reached.rung:
            yield trial, reached


class _Below:
    """Counts, by bracket and rung, the trials that may still climb from there."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._climbing: dict[int, Counter[int]] = {}
        for trial in field.live:
            if self._may_climb(trial):
                self._at(trial)[self._rung(trial)] += 1

    def is_final(self, trial: Trial, rung: int) -> bool:
        """Return whether no other trial of the bracket of `trial` may still get to the rung."""
        field, size = self._field, self._field.spec.bracket
        begins_at, end = field.begins_at, field.planned
        if size is not None:
            end = (bracket_of(field.spec, trial.number) + 1) * size
        if begins_at is not None and (end is None or begins_at < end):
            return False
        return not any(count for at, count in self._at(trial).items() if at < rung)

    def take(self, before: Trial, after: Trial) -> None:
        """Count `after` in the place of `before`."""
        if self._may_climb(before) and not self._may_climb(after):
            self._at(before)[self._rung(before)] -= 1

    def _at(self, trial: Trial) -> Counter[int]:
        return self._climbing.setdefault(bracket_of(self._field.spec, trial.number), Counter())

    def _rung(self, trial: Trial) -> int:
        reached = self._field.comparison.progress.get(trial.number)
        return 0 if reached is None else reached.rung

    def _may_climb(self, trial: Trial) -> bool:
        """Whether it may go on; one that needs a person is not waited for, which may take days."""
        if trial.is_given_up or trial.state is TrialState.HELD:
            return False
        return trial.halt is None or self._field.spec.action is StoppingAction.PROMOTE


def _outcome(
    field: Field, trial: Trial, reached: ObjectiveValue, *, has_arrived: bool, is_final: bool
) -> Outcome | None:
    """Return what is decided for a trial at its rung, None when nothing is.

    `is_final` says that no other one may get there.
    """
    if trial.cancel_asked_at is not None or not (has_arrived or _is_parked(trial)):
        return None
    if field.is_closing:
        return Outcome.PRUNED
    place = _place(field, trial, reached)
    is_best = is_among_best(field.spec, field.objective, trial.number, reached, place)
    if is_best and (is_final or _is_told_early(field, place)):
        if has_arrived:
            return Outcome.KEPT
        return Outcome.PROMOTED if field.spec.action is StoppingAction.PROMOTE else None
    if field.spec.action is StoppingAction.STOP or is_final:
        return Outcome.PRUNED
    return Outcome.PARKED if has_arrived else None


def _is_told_early(field: Field, place: RungPlace | None) -> bool:
    """Whether one of the best may go on before all others got to its rung."""
    if waits_for_all(field.spec):
        return False
    if field.spec.action is not StoppingAction.PROMOTE or place is None:
        return True
    return shares_are_whole(field.spec, place.reached)


def _left_over(field: Field, now: datetime) -> Mapping[int, Change]:
    """Return the parked trials pruned once no other trial is left: nothing brings them back."""
    parked = [trial for trial in field.live if _is_parked(trial)]
    if not parks(field.spec) or not parked:
        return {}
    if not field.is_closing and (field.begins_at is not None or len(parked) < _unsettled(field)):
        return {}
    return {
        trial.number: _decided(trial, reached, field, Outcome.PRUNED, now)
        for trial in parked
        if (reached := field.comparison.progress.get(trial.number)) is not None
    }


def _unsettled(field: Field) -> int:
    """Return how many trials are not at their end, those that need a person left out."""
    return sum(trial.state is not TrialState.HELD or _is_parked(trial) for trial in field.live)


def _is_parked(trial: Trial) -> bool:
    return trial.halt is Halt.PARK and trial.state is not TrialState.HELD


def _place(field: Field, trial: Trial, reached: ObjectiveValue) -> RungPlace | None:
    return field.comparison.places.get((reached.rung, bracket_of(field.spec, trial.number)))


def _order(field: Field, trial: Trial, reached: ObjectiveValue) -> tuple[int, float, int]:
    """Return what promotions are ordered by: the highest rung, there the best, then by number."""
    value = reached.rung_value or 0.0
    signed = -value if field.objective.better(1.0, than=0.0) else value
    return -reached.rung, signed, trial.number


def _halted(trial: Trial, reached: ObjectiveValue, field: Field, now: datetime) -> Change:
    outcome = Outcome.PRUNED if field.spec.action is StoppingAction.STOP else Outcome.PARKED
    return _decided(trial, reached, field, outcome, now)


def _decided(
    trial: Trial, reached: ObjectiveValue, field: Field, outcome: Outcome, now: datetime
) -> Change:
    halt = {Outcome.PRUNED: Halt.PRUNE, Outcome.PARKED: Halt.PARK}.get(outcome)
    after = replace(trial, halt=halt, rung=reached.rung)
    return Change(trial=after, events=(_note(after, reached, field, outcome, now),))


def _note(
    trial: Trial, reached: ObjectiveValue, field: Field, outcome: Outcome, now: datetime
) -> Event:
    place = _place(field, trial, reached)
    parts: dict[str, str | int | float | None] = {
        "rule": field.spec.rule,
        "rung": reached.iterations if field.spec.rule is StoppingRule.PATIENCE else reached.rung,
        "value": compared(field.spec, reached),
        "threshold": threshold(field.spec, place),
        "reached": None if place is None else place.reached,
    }
    detail = " ".join(f"{name}={value}" for name, value in parts.items() if value is not None)
    return note(trial, now, EventKind.DECISION, outcome, detail)
