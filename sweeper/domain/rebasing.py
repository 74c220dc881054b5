"""Keep what is recorded of an attempt in step with a clock that jumped.

Every wait, timeout and confirmation counts from a time in the record. A clock set back puts such
times into the future; one set forward, or a machine that slept, lets them look long past.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.policy import phase_timeout
from sweeper.domain.sweep import TimeoutsSpec
from sweeper.domain.trial import Submission, Trial

SLACK = timedelta(minutes=1)
"""What clocks that agree may differ by; one that is off by more has jumped."""


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


def watched_anew(trial: Trial, timeouts: TimeoutsSpec, now: datetime) -> Trial:
    """Return the trial as a daemon takes it up that starts now; itself where nothing changes.

    How long ago a create went unanswered, a training was first lost, or came into its phase, only
    a clock can say that may have jumped meanwhile. So the waits at whose end an absence is
    believed begin anew, and no phase lasts too long within the first minute.
    """
    submission = trial.submission
    if not submission.is_open:
        return trial
    if submission.workload_id is None and submission.sent_at is not None:
        return replace(trial, submission=replace(submission, sent_at=now, looked_up_at=None))
    lost = submission.lost_since and now
    since = _bounded(submission, timeouts, now)
    if (lost, since) == (submission.lost_since, submission.phase_since):
        return trial
    return replace(trial, submission=replace(submission, lost_since=lost, phase_since=since))


def _bounded(submission: Submission, timeouts: TimeoutsSpec, now: datetime) -> datetime | None:
    """Return when the phase began, but so that a minute is left of its timeout."""
    since, limit = submission.phase_since, phase_timeout(submission.phase, timeouts)
    if since is None or limit is None:
        return since
    return max(since, min(now, now - limit + SLACK))


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
