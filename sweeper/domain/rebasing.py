"""Times that a clock which has since been set back wrote into the record of a trial."""

from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.trial import Submission, Trial

SLACK = timedelta(minutes=1)
"""What clocks that agree may differ by."""


def rebased(trial: Trial, now: datetime) -> Trial:
    """Return the trial with nothing in its attempt's past later than `now`; itself if all is well.

    Every wait counts from one of these times. One that lies ahead would keep a look-up, a
    repeat or a confirmation waiting until the clock has caught up with it. An attempt that is
    over waits for nothing any more.
    """
    submission = trial.submission
    if not submission.is_open or not any(_is_ahead(at, now) for at in _past(submission)):
        return trial
    sound = replace(
        submission,
        sent_at=_capped(submission.sent_at, now),
        looked_up_at=_capped(submission.looked_up_at, now),
        phase_since=_capped(submission.phase_since, now),
        seen_at=_capped(submission.seen_at, now),
        running_since=_capped(submission.running_since, now),
        resume_sent_at=_capped(submission.resume_sent_at, now),
        suspend_sent_at=_capped(submission.suspend_sent_at, now),
        delete_sent_at=_capped(submission.delete_sent_at, now),
        missing_since=_capped(submission.missing_since, now),
    )
    return replace(trial, submission=sound)


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
    )


def _is_ahead(at: datetime | None, now: datetime) -> bool:
    return at is not None and at - now > SLACK


def _capped(at: datetime | None, now: datetime) -> datetime | None:
    return now if _is_ahead(at, now) else at
