"""Budgets, back-off and timeouts as pure decisions.

Delays are jittered by a hash of a key, not by a random generator, so that the same state always
leads to the same plan. The jitter keeps between half and the whole of a delay, so that many
trials interrupted at once do not come back at once.
"""

import hashlib
from datetime import datetime, timedelta

from sweeper.domain.phase import Phase
from sweeper.domain.sweep import (
    RESUME_BACKOFF_CAP,
    RETRY_BACKOFF_CAP,
    ResumeSpec,
    RetryRule,
    TimeoutsSpec,
)
from sweeper.domain.trial import Submission

LONGEST_WAIT = timedelta(minutes=15)
"""No wait that we decide on is longer; one that looks longer comes from a clock that jumped."""

_CALL_BACKOFF = timedelta(seconds=2)
_CALL_BACKOFF_CAP = timedelta(seconds=90)


def backoff(first: timedelta, doublings: int, cap: timedelta) -> timedelta:
    """Return `first` doubled `doublings` times, at most `cap`."""
    # 2**30 of a microsecond is past every cap, and 2**30 of every cap still a timedelta.
    return min(first * 2 ** min(doublings, 30), cap) if first < cap else cap


def is_due(at: datetime | None, now: datetime) -> bool:
    """Return whether what was put off until `at` may happen now; None was not put off.

    A time further ahead than any wait was stored by a clock that has since been set back.
    """
    return at is None or at <= now or at - now > LONGEST_WAIT


def jittered(delay: timedelta, key: str) -> timedelta:
    """Return between half and all of `delay`, as the hash of `key` decides."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
    return delay * (0.5 + share / 2)


def resume_delay(resumes: int, policy: ResumeSpec, key: str) -> timedelta | None:
    """Return how long to wait before the next resume, or None once the budget is spent.

    `resumes` counts since the training was last Running, so a trial that is suspended every
    week for a year does not run out.
    """
    if resumes >= policy.max:
        return None
    return jittered(backoff(policy.backoff, resumes, RESUME_BACKOFF_CAP), f"{key}/{resumes}")


def retry_delay(used: int, rule: RetryRule, exit_code: int | None, key: str) -> timedelta | None:
    """Return how long to wait before the next attempt, or None when there is to be none.

    `used` counts the attempts that this class of failure has used up already. An exit code that
    is not known never excludes a retry.
    """
    if used >= rule.attempts:
        return None
    if exit_code is not None:
        if rule.only_exit is not None and exit_code not in rule.only_exit:
            return None
        if rule.unless_exit is not None and exit_code in rule.unless_exit:
            return None
    return jittered(backoff(rule.backoff, used, RETRY_BACKOFF_CAP), f"{key}/{used}")


def call_delay(failed: int, key: str, retry_after: float | None = None) -> timedelta:
    """Return how long to leave one training alone after `failed` failed calls in a row.

    At least what the control plane asked for (`retry_after`, seconds), at most `LONGEST_WAIT`.
    """
    own = jittered(backoff(_CALL_BACKOFF, failed - 1, _CALL_BACKOFF_CAP), f"{key}/call/{failed}")
    return max(own, asked_wait(retry_after))


def asked_wait(retry_after: float | None) -> timedelta:
    """Return the wait that a control plane asked for in seconds, at most `LONGEST_WAIT`."""
    return timedelta(seconds=min(retry_after or 0.0, LONGEST_WAIT.total_seconds()))


def phase_timeout(phase: Phase, timeouts: TimeoutsSpec) -> timedelta | None:
    """Return how long a training may stay in `phase`, None for ever."""
    return {
        Phase.CREATING: timeouts.creating,
        Phase.INITIALIZING: timeouts.initializing,
        Phase.RESUMING: timeouts.resuming,
        Phase.STOPPING: timeouts.stopping,
        Phase.TERMINATING: timeouts.terminating,
        Phase.DELETING: timeouts.deleting,
        Phase.RUNNING: timeouts.running,
    }.get(phase)


def is_overdue(submission: Submission, timeouts: TimeoutsSpec) -> bool:
    """Return whether the training was seen in one phase for longer than that phase may last.

    Only readings count, so that a daemon that was down, or could not read, ends nothing before
    it has looked.
    """
    limit = phase_timeout(submission.phase, timeouts)
    since, seen = submission.phase_since, submission.seen_at
    return limit is not None and since is not None and seen is not None and seen - since >= limit
