"""What people must be told of that is no turn of a sweep or a trial: it is marked on the sweep.

The mark is durable together with the notice, so a daemon that starts anew tells nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sweeper.domain.notifying import Daily
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.trial import Trial
from sweeper.domain.wording import phrase_duration

PENDING_TOO_LONG = timedelta(hours=1)
"""After so long a person should look why no training runs; they stay where they are."""

_ENDING = frozenset(
    {SweepState.FINISHED, SweepState.STOPPED, SweepState.CANCELLING, SweepState.CANCELLED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a daemon knows of the world around its sweep.

    `is_late`: `limits.deadline` is over, and trials are left. `refusal` is what the control plane
    refuses to do for us ("": nothing, None: it did not answer, so nothing is known).
    """

    is_late: bool = False
    refusal: str | None = None


def reminded(
    sweep: SweepRecord,
    live: Sequence[Trial],
    around: Circumstances,
    daily: Daily | None,
    now: datetime,
) -> SweepRecord:
    """Return the sweep with what people are to be told of now marked, the same where there is none.

    What is marked and holds no longer is unmarked, so that they hear of it when it comes again.
    """
    if sweep.state in _ENDING:
        return sweep
    after = _blocked(sweep, live, around.refusal, now)
    if around.is_late is (after.late_at is None):
        after = replace(after, late_at=now if around.is_late else None)
    if daily is not None and daily.is_due(after.summary_at or after.created_at, now):
        after = replace(after, summary_at=now)
    return after


def starved(live: Sequence[Trial], now: datetime) -> str:
    """Return what is wrong where none of the trainings got a node for long, "" else."""
    if any(trial.submission.is_at_work for trial in live):
        return ""
    since = [
        trial.submission.phase_since
        for trial in live
        if trial.submission.phase is Phase.PENDING and trial.submission.phase_since is not None
    ]
    longest = now - min(since, default=now)
    if longest < PENDING_TOO_LONG:
        return ""
    return (
        f"no training runs, and {len(since)} are pending, the longest for "
        f"{phrase_duration(PENDING_TOO_LONG)} or more: is the project's quota used up?"
    )


def _blocked(
    sweep: SweepRecord, live: Sequence[Trial], refusal: str | None, now: datetime
) -> SweepRecord:
    if refusal is None:
        return sweep
    found = refusal or starved(live, now) or None
    # The same trouble in other words is no news; that it is over is.
    is_news = (found is None) is not (sweep.blocked is None)
    return replace(sweep, blocked=found) if is_news else sweep
