"""The next step for one trial, decided from its record alone.

The phase table of ARCHITECTURE, row by row: most phases ask for nothing but patience.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.change import changed
from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.policy import phase_timeout, resume_delay
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.settling import cancelled
from sweeper.domain.sweep import (
    RESUME_BACKOFF_CAP,
    ResumeSpec,
    SweepSpec,
    TimeoutsSpec,
    UserSuspended,
)
from sweeper.domain.trial import Submission, Trial, TrialState

LOOK_UP_INTERVAL = timedelta(seconds=3)
INSPECT_INTERVAL = timedelta(seconds=5)
REPEAT_INTERVAL = timedelta(seconds=60)
CONFIRM_GONE = timedelta(seconds=30)
VISIBILITY_WINDOW = timedelta(seconds=60)

_SWEEP_OVER = frozenset({SweepState.STOPPED, SweepState.FINISHED, SweepState.CANCELLED})


def care(
    trial: Trial, sweep: SweepRecord, spec: SweepSpec, now: datetime, quarantine: timedelta
) -> Action | None:
    """Return what to do for one trial that is not settled, None when it is to be left alone.

    Attempts that are due again are not decided here: they compete for slots.
    """
    submission = trial.submission
    if trial.cancel_asked_at is not None or sweep.state is SweepState.CANCELLING:
        return _give_up(trial, now, quarantine)
    if submission.next_call_at is not None and now < submission.next_call_at:
        return None
    if not submission.is_open:
        return _end_with_sweep(trial, sweep, now)
    if submission.workload_id is None:
        return _find_or_send(trial, sweep, now, quarantine)
    if submission.phase is Phase.FAILED or _is_gone(submission, now):
        return _inspect(trial, now)
    if submission.delete_sent_at is not None:
        return _delete_again(trial, spec.timeouts, now)
    if trial.state is TrialState.HELD:
        return None
    if submission.phase is Phase.STOPPED:
        return _bring_back(trial, sweep, spec.resume, now)
    if sweep.state is SweepState.SUSPENDED and _can_suspend(submission, now):
        asked = replace(submission, suspend_sent_at=now)
        return Suspend(trial=replace(trial, submission=asked), before=trial)
    return _time_out(trial, spec.timeouts, now)


def _give_up(trial: Trial, now: datetime, quarantine: timedelta) -> Action | None:
    marked = trial if trial.cancel_asked_at else replace(trial, cancel_asked_at=now)
    submission = trial.submission
    if not submission.is_open or (submission.workload_id is None and submission.sent_at is None):
        return _record_cancelled(trial, marked, now)
    if submission.next_call_at is not None and now < submission.next_call_at:
        return _record_if_changed(trial, marked)
    if submission.workload_id is None:
        if trial.state is TrialState.HELD or _quarantine_is_over(submission, quarantine):
            return _record_cancelled(trial, marked, now)
        if _look_up_is_due(submission, now):
            return _look_up(trial, marked, now)
        return _record_if_changed(trial, marked)
    if submission.phase is Phase.FAILED or submission.missing_since is not None:
        return _inspect(marked, now, before=trial)
    sent = submission.delete_sent_at
    if sent is None or now - sent >= REPEAT_INTERVAL:
        asked = replace(submission, delete_sent_at=now)
        return Delete(trial=replace(marked, submission=asked), before=trial)
    return _record_if_changed(trial, marked)


def _record_cancelled(trial: Trial, marked: Trial, now: datetime) -> Record:
    change = cancelled(marked, now)
    return Record(trial=change.trial, before=trial, events=change.events)


def _record_if_changed(trial: Trial, marked: Trial) -> Record | None:
    return None if marked is trial else Record(trial=marked, before=trial)


def _end_with_sweep(trial: Trial, sweep: SweepRecord, now: datetime) -> Record | None:
    if sweep.state not in _SWEEP_OVER:
        return None
    after = trial.enter(TrialState.FAILED, now, f"{trial.reason}; not tried again: sweep stopped")
    change = changed(trial, replace(after, retry_at=None), now)
    return Record(trial=change.trial, before=trial, events=change.events)


def _find_or_send(
    trial: Trial, sweep: SweepRecord, now: datetime, quarantine: timedelta
) -> Action | None:
    submission = trial.submission
    if trial.state is TrialState.HELD:
        return None
    if submission.sent_at is None:
        return _send(trial, sweep, now)
    if _quarantine_is_over(submission, quarantine):
        return _send(trial, sweep, now)
    return _look_up(trial, trial, now) if _look_up_is_due(submission, now) else None


def _send(trial: Trial, sweep: SweepRecord, now: datetime) -> Action | None:
    if sweep.state in _SWEEP_OVER:
        return _record_cancelled(trial, trial, now)
    if sweep.state is not SweepState.OPEN:
        return None
    sent = replace(trial.submission, sent_at=now, looked_up_at=None)
    return Submit(trial=replace(trial, submission=sent), before=trial)


def _quarantine_is_over(submission: Submission, quarantine: timedelta) -> bool:
    """Whether a look-up after the quarantine still found nothing."""
    sent, looked = submission.sent_at, submission.looked_up_at
    return sent is not None and looked is not None and looked - sent >= quarantine


def _look_up_is_due(submission: Submission, now: datetime) -> bool:
    newest = submission.looked_up_at or submission.sent_at
    return newest is not None and now - newest >= LOOK_UP_INTERVAL


def _look_up(trial: Trial, marked: Trial, now: datetime) -> LookUp:
    looked = replace(marked.submission, looked_up_at=now)
    return LookUp(trial=replace(marked, submission=looked), before=trial)


def _is_gone(submission: Submission, now: datetime) -> bool:
    """Whether the training has been unknown to the control plane for long enough to believe it.

    Our own delete is believed at once. A create may take a while to become visible.
    """
    missing = submission.missing_since
    if missing is None:
        return False
    if submission.delete_sent_at is not None:
        return True
    young = now - (submission.sent_at or submission.intent_at) < VISIBILITY_WINDOW
    return not young and now - missing >= CONFIRM_GONE


def _inspect(trial: Trial, now: datetime, before: Trial | None = None) -> Inspect:
    waiting = replace(trial.submission, next_call_at=now + INSPECT_INTERVAL)
    return Inspect(trial=replace(trial, submission=waiting), before=before or trial)


def _delete_again(trial: Trial, timeouts: TimeoutsSpec, now: datetime) -> Action | None:
    submission = trial.submission
    if _is_overdue(submission, timeouts, now) and submission.phase is Phase.DELETING:
        return _hold(trial, now, "stuck in Deleting; look at it on the cluster")
    sent = submission.delete_sent_at
    if sent is not None and now - sent >= REPEAT_INTERVAL:
        asked = replace(submission, delete_sent_at=now)
        return Delete(trial=replace(trial, submission=asked), before=trial)
    return None


def _bring_back(
    trial: Trial, sweep: SweepRecord, policy: ResumeSpec, now: datetime
) -> Action | None:
    submission = trial.submission
    if sweep.state is SweepState.SUSPENDED:
        return None
    ours = submission.suspend_sent_at is not None
    if not ours and (not policy.enabled or policy.user_suspended is UserSuspended.LEAVE):
        return None
    if not ours and submission.resumes >= policy.max:
        return _hold(trial, now, f"resumed {submission.resumes} times without running again")
    resumes = submission.resumes + (0 if ours else 1)
    delay = resume_delay(resumes, policy, submission.workload_name) or RESUME_BACKOFF_CAP
    asked = replace(
        submission,
        suspend_sent_at=None,
        resume_sent_at=now,
        resumes=resumes,
        next_call_at=now + delay,
    )
    after = replace(trial, submission=asked).enter(TrialState.RESUMING, now)
    change = changed(trial, after, now)
    return Resume(trial=change.trial, before=trial, events=change.events)


def _can_suspend(submission: Submission, now: datetime) -> bool:
    if PHASE_MEANING[submission.phase] not in {PhaseMeaning.RUNNING, PhaseMeaning.WAITING}:
        return False
    sent = submission.suspend_sent_at
    return sent is None or now - sent >= REPEAT_INTERVAL


def _is_overdue(submission: Submission, timeouts: TimeoutsSpec, now: datetime) -> bool:
    limit = phase_timeout(submission.phase, timeouts)
    since = submission.phase_since
    return limit is not None and since is not None and now - since >= limit


def _time_out(trial: Trial, timeouts: TimeoutsSpec, now: datetime) -> Action | None:
    submission = trial.submission
    if not _is_overdue(submission, timeouts, now):
        return None
    limit = phase_timeout(submission.phase, timeouts)
    reason = f"in phase {submission.phase} for longer than {limit}"
    if submission.phase is Phase.DELETING:
        return _hold(trial, now, f"{reason}: look at it on the cluster")
    asked = replace(submission, delete_sent_at=now, reason=reason)
    return Delete(trial=replace(trial, submission=asked, reason=reason), before=trial)


def _hold(trial: Trial, now: datetime, reason: str) -> Record | None:
    if trial.state is TrialState.HELD:
        return None
    change = changed(trial, trial.enter(TrialState.HELD, now, reason), now)
    return Record(trial=change.trial, before=trial, events=change.events)
