"""How long to wait before the next tick."""

from datetime import datetime, timedelta

from sweeper.domain.leaving import OnExit
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Snapshot, is_exhausted
from sweeper.domain.record import SweepState
from sweeper.domain.trial import Trial, TrialState

BUSY_WAIT = 1.5
QUIET_WAIT = 15.0
_SHORTEST_WAIT = 0.2
_LONGEST_SILENCE = timedelta(minutes=1)
"""How long the next tick may wait for a control plane: by their age ticks are judged alive."""


def next_look(
    snapshot: Snapshot,
    failures: int,
    calls_after: datetime | None,
    now: datetime,
    *,
    next_read: timedelta | None = None,
) -> float:
    """Return the seconds until the next tick is worth its calls.

    Soon while a slot is idle, something is under way or the end is near, seldom while every
    slot is at work, but not later than `next_read`, when a training is to be read alone; while
    the control plane fails, not before it may be called again, but once a minute.
    """
    if failures and calls_after is not None:
        left = min(calls_after - now, _LONGEST_SILENCE)
        return max(left.total_seconds(), _SHORTEST_WAIT)
    if _is_quiet(snapshot):
        due = max(_next_due(snapshot.live, now), _SHORTEST_WAIT)
        reads = QUIET_WAIT if next_read is None else max(next_read.total_seconds(), BUSY_WAIT)
        return min(QUIET_WAIT, due, reads)
    return BUSY_WAIT


def _is_quiet(snapshot: Snapshot) -> bool:
    """Whether every slot is at work, or nothing may be started, and no end is near.

    While writes are frozen there is nothing to hurry for.
    """
    if snapshot.sweep.frozen is not None:
        return True
    if snapshot.on_exit is not OnExit.LEAVE:
        return False
    if snapshot.sweep.state is SweepState.PAUSED:
        return all(_is_settled_for_now(trial) for trial in snapshot.live)
    if snapshot.sweep.state is SweepState.SUSPENDED:
        return all(trial.submission.phase is Phase.STOPPED for trial in snapshot.live)
    holding = sum(trial.holds_slot for trial in snapshot.live)
    if is_exhausted(snapshot) or holding < snapshot.spec.limits.active:
        return False
    return all(_is_settled_for_now(trial) for trial in snapshot.live)


def _is_settled_for_now(trial: Trial) -> bool:
    submission = trial.submission
    if submission.delete_sent_at is not None or submission.missing_since is not None:
        return False
    return submission.is_at_work or trial.state in {TrialState.HELD, TrialState.PARKED}


def _next_due(live: tuple[Trial, ...], now: datetime) -> float:
    """Return the seconds until some trial asked to be looked at again."""
    times = [trial.retry_at or trial.submission.next_call_at for trial in live]
    due = [time - now for time in times if time is not None]
    return max(min(due, default=timedelta(seconds=QUIET_WAIT)).total_seconds(), 0.0)
