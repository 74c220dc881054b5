"""Keep what is recorded of an attempt in step with a clock that jumped.

Every wait, timeout and confirmation counts from a time in the record. A clock set back puts such
times into the future; one set forward, or a machine that slept, lets them look long past.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.trial import Submission, Trial

SLACK = timedelta(minutes=1)
"""What clocks that agree may differ by."""


def rebased(trial: Trial, now: datetime) -> Trial:
    """Return the trial with nothing in its attempt's past later than `now`; itself if all is well.

    An attempt that is over waits for nothing any more, and is left as it is.
    """
    submission = trial.submission
    if not submission.is_open or not any(_is_ahead(at, now) for at in _past(submission)):
        return trial
    return replace(trial, submission=_moved(submission, lambda at: now if at > now else at))


def shifted(trial: Trial, by: timedelta) -> Trial:
    """Return the trial as if its clock had always been `by` ahead: time nobody watched is no wait.

    Deadlines move along with the past.
    """
    submission = _moved(trial.submission, lambda at: at + by)
    due, retry = submission.next_call_at, trial.retry_at
    return replace(
        trial,
        submission=replace(submission, next_call_at=due + by if due else None),
        retry_at=retry + by if retry else None,
    )


def jump(expected: tuple[datetime, datetime], now: datetime) -> timedelta:
    """Return how far the clock is off where it must lie, zero if it may be right.

    `expected` is the earliest and the latest time that a clock which did not jump shows now.
    """
    earliest, latest = expected
    if now > latest + SLACK:
        return now - latest
    return now - earliest if now < earliest - SLACK else timedelta()


def _past(submission: Submission) -> tuple[datetime | None, ...]:
    return (
        submission.sent_at,
        submission.looked_up_at,
        submission.phase_since,
        submission.seen_at,
        submission.running_since,
        submission.resume_sent_at,
        submission.suspend_sent_at,
        submission.delete_sent_at,
        submission.missing_since,
        submission.lost_since,
    )


def _moved(submission: Submission, move: Callable[[datetime], datetime]) -> Submission:
    sent, looked, since, seen, running, resume, suspend, delete, missing, lost = (
        None if at is None else move(at) for at in _past(submission)
    )
    return replace(
        submission,
        sent_at=sent,
        looked_up_at=looked,
        phase_since=since,
        seen_at=seen,
        running_since=running,
        resume_sent_at=resume,
        suspend_sent_at=suspend,
        delete_sent_at=delete,
        missing_since=missing,
        lost_since=lost,
    )


def _is_ahead(at: datetime | None, now: datetime) -> bool:
    return at is not None and at - now > SLACK
