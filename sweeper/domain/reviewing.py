"""Where the sweep as a whole stands: when it stops, when it is finished, what a person asked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sweeper.domain.enqueuing import placed
from sweeper.domain.freezing import judged, thawed
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Snapshot, is_exhausted
from sweeper.domain.ramping import proven
from sweeper.domain.record import (
    SweepRecord,
    SweepState,
    Totals,
    TrialView,
    Wish,
    WishKind,
)
from sweeper.domain.sweep import Goal, LimitsSpec, ObjectiveSpec
from sweeper.domain.trial import Trial, TrialState

EQUAL_REJECTIONS = 3
"""So many creates in a row refused with the same words stop the sweep."""

_UNBOUNDED_SAMPLE = 20
_GIVEN_UP = frozenset({SweepState.CANCELLED, SweepState.CANCELLING})
_OVER = frozenset({SweepState.CANCELLED, SweepState.FINISHED})


def review(snapshot: Snapshot, now: datetime) -> SweepRecord:
    """Return the sweep as it should be recorded now, the same object when nothing changed."""
    sweep = judged(snapshot.sweep, snapshot.live)
    if snapshot.ramps:
        sweep = proven(sweep, snapshot.live, snapshot.totals, now)
    return _stage(replace(snapshot, sweep=sweep), now)


def _stage(snapshot: Snapshot, now: datetime) -> SweepRecord:
    """Return the sweep in the state that it should be in now."""
    sweep = snapshot.sweep
    if sweep.state in _OVER:
        return sweep
    if sweep.state is SweepState.CANCELLING:
        return sweep if snapshot.live else _end(sweep, SweepState.CANCELLED, now)
    if sweep.state is SweepState.STOPPED:
        ended = snapshot.live or sweep.ended_at is not None
        return sweep if ended else _end(sweep, SweepState.STOPPED, now)
    # While its trainings are suspended on demand, nothing may be decided that resumes them.
    reason = "" if sweep.state is SweepState.SUSPENDED else _stop_reason(snapshot)
    if reason:
        return replace(sweep, state=SweepState.STOPPED, stop_reason=reason)
    if not snapshot.live and is_exhausted(snapshot):
        return _end(sweep, SweepState.FINISHED, now)
    return sweep


def is_settled(snapshot: Snapshot) -> bool:
    """Return whether nothing is left for a daemon to do until a person acts.

    True for a sweep that ended, and for one that starts nothing more and whose unsettled trials
    all need a person.
    """
    sweep = snapshot.sweep
    if sweep.state in _OVER:
        return True
    is_cancelling = sweep.state is SweepState.CANCELLING
    if not all(_needs_person(trial, is_cancelling=is_cancelling) for trial in snapshot.live):
        return False
    if sweep.state is SweepState.STOPPED:
        return True
    return bool(snapshot.live) and (is_cancelling or is_exhausted(snapshot))


def _needs_person(trial: Trial, *, is_cancelling: bool) -> bool:
    """Whether nothing is left to do for a trial; a held one that was given up is still deleted."""
    if trial.state is not TrialState.HELD:
        return False
    is_stuck = trial.submission.phase is Phase.DELETING
    is_given_up = is_cancelling or trial.is_given_up
    return is_stuck if is_given_up else True


def is_drained(snapshot: Snapshot) -> bool:
    """Return whether nothing is left of what a person gave up, or wanted suspended.

    While writes are frozen nothing is suspended, however long one waits.
    """
    sweep = snapshot.sweep
    if sweep.state is SweepState.CANCELLING:
        return False
    given_up = (trial for trial in snapshot.live if trial.cancel_asked_at is not None)
    if not all(_needs_person(trial, is_cancelling=False) for trial in given_up):
        return False
    return (
        sweep.state is not SweepState.SUSPENDED
        or is_held_up(sweep)
        or all(
            trial.submission.workload_id is None or trial.submission.phase is Phase.STOPPED
            for trial in snapshot.live
            if trial.holds_slot
        )
    )


def is_held_up(sweep: SweepRecord) -> bool:
    """Return whether trainings that a person wanted suspended are not, for writes are frozen."""
    return sweep.frozen is not None and sweep.state is SweepState.SUSPENDED


def rejected(sweep: SweepRecord, message: str, *, compliance: bool) -> SweepRecord:
    """Return the sweep after a refused create; a broken policy would meet every trial.

    Once it was refused often enough to stop, that stays.
    """
    if sweep.rejections >= EQUAL_REJECTIONS:
        return sweep
    same = sweep.rejection == message
    count = EQUAL_REJECTIONS if compliance else (sweep.rejections + 1 if same else 1)
    return replace(sweep, rejection=message, rejections=count)


def not_rejected(sweep: SweepRecord) -> SweepRecord:
    """Return the sweep after a create that was not refused: refusals count in a row only."""
    if not 0 < sweep.rejections < EQUAL_REJECTIONS:
        return sweep
    return replace(sweep, rejection="", rejections=0)


def target_reached(objective: ObjectiveSpec | None, best: TrialView | None) -> bool:
    """Return whether the best trial is at the objective's target, or beyond it."""
    if objective is None or objective.target is None or best is None or best.objective is None:
        return False
    value = best.objective.best
    if objective.goal is Goal.MINIMIZE:
        return value <= objective.target
    return value >= objective.target


def with_point(sweep: SweepRecord, wish: Wish, number: int, repeats: int) -> SweepRecord:
    """Return the sweep with the point of a wish at `number`, where trials of a point begin.

    Once only, however often that is asked; a sweep that is given up takes none.
    """
    is_there = any(point.wish == wish.number for point in sweep.enqueued)
    if wish.params is None or is_there or sweep.state in _GIVEN_UP:
        return sweep
    point, planned = placed(wish.params, wish.number, number, sweep.planned, repeats)
    return replace(sweep, enqueued=(*sweep.enqueued, point), planned=planned)


def granted(sweep: SweepRecord, wishes: Sequence[Wish]) -> SweepRecord:
    """Return the sweep after the wishes that concern it as a whole, in their order.

    A sweep that is cancelled, or being cancelled, stays so.
    """
    for wish in wishes:
        sweep = _granted(sweep, wish)
    return sweep


def is_asked_for(trial: Trial, wish: Wish) -> bool:
    """Return whether a failed or held trial is among those that a wish to retry is about.

    One that failed after the wish was made is not.
    """
    is_of_class = wish.failure is None or trial.failure is wish.failure
    return is_of_class and trial.state_since <= wish.at


def forgiving(sweep: SweepRecord, wished: SweepRecord, totals: Totals) -> SweepRecord:
    """Return the sweep after a wish that reopens: `wished`, and what still counts as a failure.

    `totals` are those after the wish. If it reopened the sweep, the failed trials that it left
    alone would stop it again at once, so none of them counts any more.
    """
    failed = totals.count(TrialState.FAILED)
    is_reopened = wished.state is SweepState.OPEN and sweep.state is not SweepState.OPEN
    return replace(wished, forgiven=failed if is_reopened else min(wished.forgiven, failed))


def _granted(sweep: SweepRecord, wish: Wish) -> SweepRecord:
    if sweep.state in _GIVEN_UP:
        return sweep
    active = sweep.state in {SweepState.OPEN, SweepState.PAUSED, SweepState.SUSPENDED}
    match wish.kind:
        case WishKind.PAUSE:
            return replace(sweep, state=SweepState.PAUSED) if active else sweep
        case WishKind.SUSPEND:
            return replace(sweep, state=SweepState.SUSPENDED) if active else sweep
        case WishKind.UNPAUSE:
            return replace(sweep, state=SweepState.OPEN) if active else sweep
        case WishKind.THAW:
            opened = replace(sweep, state=SweepState.OPEN) if active else sweep
            return thawed(opened, wish.at)
        case WishKind.ADOPT:
            return sweep
        case WishKind.CANCEL:
            whole = wish.trial is None and sweep.state is not SweepState.FINISHED
            return replace(sweep, state=SweepState.CANCELLING) if whole else sweep
        case WishKind.RETRY | WishKind.ENQUEUE:
            return _reopen(sweep)


def _reopen(sweep: SweepRecord) -> SweepRecord:
    if sweep.state not in {SweepState.STOPPED, SweepState.FINISHED}:
        return sweep
    return replace(
        sweep,
        state=SweepState.OPEN,
        stop_reason="",
        rejection="",
        rejections=0,
        ended_at=None,
    )


def _end(sweep: SweepRecord, state: SweepState, now: datetime) -> SweepRecord:
    return replace(sweep, state=state, ended_at=now)


def _stop_reason(snapshot: Snapshot) -> str:
    sweep = snapshot.sweep
    if sweep.rejections >= EQUAL_REJECTIONS:
        return f"the control plane refuses its trainings: {sweep.rejection}"
    failures = max(snapshot.totals.count(TrialState.FAILED) - sweep.forgiven, 0)
    limits = snapshot.spec.limits
    failed = "1 trial failed" if failures == 1 else f"{failures} trials failed"
    failed += f", beside {sweep.forgiven} forgiven" if sweep.forgiven else ""
    if limits.failures is not None and failures >= limits.failures:
        return f"{failed} (limits.failures: {limits.failures})"
    if limits.failures_ratio is not None and _share_failed(snapshot, failures, limits):
        return f"{failed} (limits.failures: {limits.failures_ratio:.0%})"
    return ""


def _share_failed(snapshot: Snapshot, failures: int, limits: LimitsSpec) -> bool:
    # An unbounded sweep is judged by what has started, and not before there is a fair sample.
    whole = snapshot.planned or max(snapshot.totals.next_number, _UNBOUNDED_SAMPLE)
    return failures > 0 and failures >= (limits.failures_ratio or 0) * whole
