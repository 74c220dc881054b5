"""The next step for one trial, decided from its record alone.

The phase table of ARCHITECTURE, row by row: most phases ask for nothing but patience.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.change import Change, changed
from sweeper.domain.freezing import may_be_believed
from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.policy import is_due, is_overdue, phase_timeout, resume_delay
from sweeper.domain.rebasing import rebased
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.settling import UNFINDABLE, cancelled, given_up, held
from sweeper.domain.sweep import (
    RESUME_BACKOFF_CAP,
    ResumeSpec,
    SweepSpec,
    TimeoutsSpec,
    UserSuspended,
)
from sweeper.domain.trial import Halt, Submission, Trial, TrialState

LOOK_UP_INTERVAL = timedelta(seconds=3)
LOOK_UP_HOLDS = timedelta(seconds=15)
"""How long after a look-up that found nothing a create may be sent again without another."""

INSPECT_INTERVAL = timedelta(seconds=5)
REPEAT_INTERVAL = timedelta(seconds=60)
CONFIRM_GONE = timedelta(seconds=30)
VISIBILITY_WINDOW = timedelta(seconds=60)
SHORTEST_RESUME_WAIT = timedelta(seconds=10)
"""A resume takes a while to show; asking again before that would only use up its budget."""

NO_TWO_ANSWERS = timedelta(seconds=5)
"""How long a repeated call is left alone, should its outcome never be recorded."""

_SWEEP_OVER = frozenset({SweepState.STOPPED, SweepState.FINISHED, SweepState.CANCELLED})


def care(
    trial: Trial, sweep: SweepRecord, spec: SweepSpec, now: datetime, quarantine: timedelta
) -> Action | None:
    """Return what to do for one trial that is not settled, None when it is to be left alone.

    Attempts that are due again are not decided here: they compete for slots.
    """
    sound = rebased(trial, now)
    action = _care(sound, sweep, spec, now, quarantine)
    if action is None and sound is not trial:
        return Record(trial=sound, before=trial)
    return action


def _care(
    trial: Trial, sweep: SweepRecord, spec: SweepSpec, now: datetime, quarantine: timedelta
) -> Action | None:
    submission = trial.submission
    if trial.is_given_up or sweep.state is SweepState.CANCELLING:
        return _give_up(trial, sweep, spec.timeouts, now, quarantine)
    if not is_due(submission.next_call_at, now):
        return None
    if not submission.is_open:
        return _end_with_sweep(trial, sweep, now, "not tried again: the sweep stopped")
    if submission.workload_id is None:
        return _find_or_send(trial, sweep, now, _patience(sweep, spec, quarantine))
    return _care_for_training(trial, sweep, spec, now)


def _care_for_training(
    trial: Trial, sweep: SweepRecord, spec: SweepSpec, now: datetime
) -> Action | None:
    submission = trial.submission
    if submission.phase is Phase.FAILED or _is_gone(submission, now):
        return _inspect(trial, trial, sweep, now)
    if submission.delete_sent_at is not None:
        return _delete_again(trial, spec.timeouts, now)
    if trial.state is TrialState.HELD:
        return None
    if submission.phase is Phase.STOPPED:
        return _bring_back(trial, sweep, spec.resume, now)
    wants_suspended = sweep.state is SweepState.SUSPENDED or trial.halt is Halt.PARK
    if wants_suspended and _can_suspend(submission, now):
        asked = replace(_calling(submission, now), suspend_sent_at=now)
        return Suspend(trial=replace(trial, submission=asked), before=trial)
    return _time_out(trial, spec.timeouts, now)


def _give_up(
    trial: Trial,
    sweep: SweepRecord,
    timeouts: TimeoutsSpec,
    now: datetime,
    quarantine: timedelta,
) -> Action | None:
    marked = trial if trial.is_given_up else replace(trial, cancel_asked_at=now)
    submission = trial.submission
    if not submission.is_open or (submission.workload_id is None and submission.sent_at is None):
        return _record_cancelled(trial, marked, now)
    if submission.workload_id is None:
        if _quarantine_is_over(submission, _to_give_up(quarantine)):
            return _record_cancelled(trial, marked, now)
        if _look_up_is_due(submission, now):
            return _look_up(trial, marked, now)
        return _record_if_changed(trial, marked)
    if submission.phase is Phase.FAILED or _is_gone(submission, now):
        if is_due(submission.next_call_at, now):
            return _inspect(trial, marked, sweep, now)
        return _record_if_changed(trial, marked)
    if _is_stuck_deleting(submission, timeouts):
        return _hold(trial, marked, now, "stuck in Deleting; look at it on the cluster")
    if _delete_is_due(submission, now):
        return _delete(trial, marked, now)
    return _record_if_changed(trial, marked)


def _record_cancelled(trial: Trial, marked: Trial, now: datetime) -> Record:
    change = cancelled(marked, now)
    return Record(trial=change.trial, before=trial, events=change.events)


def _record_if_changed(trial: Trial, marked: Trial) -> Record | None:
    return None if marked is trial else Record(trial=marked, before=trial)


def _end_with_sweep(trial: Trial, sweep: SweepRecord, now: datetime, why: str) -> Record | None:
    if sweep.state not in _SWEEP_OVER:
        return None
    change = given_up(trial, now, why)
    return Record(trial=change.trial, before=trial, events=change.events)


def _find_or_send(
    trial: Trial, sweep: SweepRecord, now: datetime, patience: timedelta
) -> Action | None:
    submission = trial.submission
    if trial.state is TrialState.HELD:
        return None
    if submission.sent_at is None:
        return _send(trial, sweep, now)
    if _quarantine_is_over(submission, patience) and _is_fresh(submission, now):
        return _send(trial, sweep, now)
    return _look_up(trial, trial, now) if _look_up_is_due(submission, now) else None


def _send(trial: Trial, sweep: SweepRecord, now: datetime) -> Action | None:
    if sweep.state is not SweepState.OPEN:
        if sweep.state in _SWEEP_OVER and trial.reason == UNFINDABLE:
            # Failed, a retry would begin another attempt beside what this one may have made.
            return _hold(trial, trial, now, UNFINDABLE)
        return _end_with_sweep(trial, sweep, now, "not submitted: the sweep stopped")
    sent = replace(trial.submission, sent_at=now, looked_up_at=None)
    return Submit(trial=replace(trial, submission=sent), before=trial)


def _quarantine_is_over(submission: Submission, quarantine: timedelta) -> bool:
    """Whether a look-up after the quarantine still found nothing."""
    sent, looked = submission.sent_at, submission.looked_up_at
    return sent is not None and looked is not None and looked - sent >= quarantine


def _is_fresh(submission: Submission, now: datetime) -> bool:
    """Whether the newest look-up may still be relied on: creates can pause for long after it."""
    looked = submission.looked_up_at
    return looked is not None and now - looked <= LOOK_UP_HOLDS


def _patience(sweep: SweepRecord, spec: SweepSpec, quarantine: timedelta) -> timedelta:
    """Return how long after a create its name must be absent before it is sent again.

    Usually a training that no listing shows yet still has its name. One that is deleted soon
    after its end may have come, completed, and freed it meanwhile.
    """
    is_brief = spec.cleanup is not None and spec.cleanup < VISIBILITY_WINDOW
    is_over = sweep.state in _SWEEP_OVER
    return _to_give_up(quarantine) if is_brief or is_over else quarantine


def _to_give_up(quarantine: timedelta) -> timedelta:
    """Return how long after a create its name must be absent before the trial is given up.

    A create that is sent again meets a name that is taken; one that is given up leaves behind
    whatever a listing shows late.
    """
    return max(quarantine, VISIBILITY_WINDOW) if quarantine else quarantine


def _look_up_is_due(submission: Submission, now: datetime) -> bool:
    newest = submission.looked_up_at or submission.sent_at
    is_time = newest is not None and now - newest >= LOOK_UP_INTERVAL
    return is_time and is_due(submission.next_call_at, now)


def _look_up(trial: Trial, marked: Trial, now: datetime) -> LookUp:
    # Only an answer counts as a look-up, so the intent is no more than a wait.
    waiting = replace(marked.submission, next_call_at=now + LOOK_UP_INTERVAL)
    return LookUp(trial=replace(marked, submission=waiting), before=trial)


def _is_gone(submission: Submission, now: datetime) -> bool:
    """Whether the training has been unknown to the control plane for long enough to look for it.

    After our own delete that is at once: it is to be gone.
    """
    missing = submission.missing_since
    if missing is None:
        return False
    if submission.delete_sent_at is not None:
        return True
    return not _is_young(submission, now) and now - missing >= CONFIRM_GONE


def _is_young(submission: Submission, now: datetime) -> bool:
    """Whether the training was created so lately that not every reading need show it."""
    return now - (submission.sent_at or submission.intent_at) < VISIBILITY_WINDOW


def _inspect(trial: Trial, marked: Trial, sweep: SweepRecord, now: datetime) -> Inspect:
    waiting = replace(marked.submission, next_call_at=now + INSPECT_INTERVAL)
    return Inspect(
        trial=replace(marked, submission=waiting),
        before=trial,
        is_last_word=not _is_young(waiting, now) and may_be_believed(marked, sweep, now),
    )


def _delete(trial: Trial, marked: Trial, now: datetime) -> Delete:
    # Whether it is there is asked anew: the answer to the delete tells.
    asked = replace(_calling(marked.submission, now), delete_sent_at=now, missing_since=None)
    return Delete(trial=replace(marked, submission=asked), before=trial)


def _calling(submission: Submission, now: datetime) -> Submission:
    """Return the submission as it is while a call that failed before is made again."""
    again = submission.calls_failed > 0
    return replace(submission, next_call_at=now + NO_TWO_ANSWERS if again else None)


def _delete_is_due(submission: Submission, now: datetime) -> bool:
    return _is_call_due(submission, submission.delete_sent_at, now)


def _is_call_due(submission: Submission, sent: datetime | None, now: datetime) -> bool:
    """Whether a call last made at `sent` is due: never made, not obeyed, or failed a while ago."""
    if sent is None or now - sent >= REPEAT_INTERVAL:
        return True
    return submission.calls_failed > 0 and is_due(submission.next_call_at, now)


def _delete_again(trial: Trial, timeouts: TimeoutsSpec, now: datetime) -> Action | None:
    if _is_stuck_deleting(trial.submission, timeouts):
        return _hold(trial, trial, now, "stuck in Deleting; look at it on the cluster")
    return _delete(trial, trial, now) if _delete_is_due(trial.submission, now) else None


def _is_stuck_deleting(submission: Submission, timeouts: TimeoutsSpec) -> bool:
    return submission.phase is Phase.DELETING and is_overdue(submission, timeouts)


def _bring_back(
    trial: Trial, sweep: SweepRecord, policy: ResumeSpec, now: datetime
) -> Action | None:
    submission = trial.submission
    if sweep.state is SweepState.SUSPENDED or trial.halt is Halt.PARK:
        return None
    suspended, brought_back = submission.suspend_sent_at, submission.resume_sent_at
    ours = suspended is not None
    if not ours and (not policy.enabled or policy.user_suspended is UserSuspended.LEAVE):
        return None
    # The first resume after a suspend of ours only takes that back; any other one counts.
    takes_back = suspended is not None and (brought_back is None or brought_back < suspended)
    if not takes_back and submission.resumes >= policy.max:
        reason = f"resumed {submission.resumes} times without running again"
        return _hold(trial, trial, now, reason)
    resumes = submission.resumes + (0 if takes_back else 1)
    delay = resume_delay(resumes, policy, submission.workload_name)
    wait = RESUME_BACKOFF_CAP if delay is None else max(delay, SHORTEST_RESUME_WAIT)
    return _resume(trial, trial, now, resumes, wait)


def resumed(trial: Trial, change: Change, now: datetime) -> Resume:
    """Return the resume of a parked trial that `change` lets go on; it counts for no budget."""
    action = _resume(
        trial, change.trial, now, change.trial.submission.resumes, SHORTEST_RESUME_WAIT
    )
    return replace(action, events=(*change.events, *action.events))


def _resume(before: Trial, trial: Trial, now: datetime, resumes: int, wait: timedelta) -> Resume:
    asked = replace(trial.submission, resume_sent_at=now, resumes=resumes, next_call_at=now + wait)
    after = replace(trial, submission=asked).enter(TrialState.RESUMING, now)
    change = changed(before, after, now)
    return Resume(trial=change.trial, before=before, events=change.events)


def _can_suspend(submission: Submission, now: datetime) -> bool:
    if PHASE_MEANING[submission.phase] not in {PhaseMeaning.RUNNING, PhaseMeaning.WAITING}:
        return False
    return _is_call_due(submission, submission.suspend_sent_at, now)


def _time_out(trial: Trial, timeouts: TimeoutsSpec, now: datetime) -> Action | None:
    submission = trial.submission
    if not is_overdue(submission, timeouts):
        return None
    limit = phase_timeout(submission.phase, timeouts)
    reason = f"in phase {submission.phase} for longer than {limit}"
    if submission.phase is Phase.DELETING:
        return _hold(trial, trial, now, f"{reason}: look at it on the cluster")
    marked = replace(trial, submission=replace(submission, reason=reason), reason=reason)
    return _delete(trial, marked, now)


def _hold(trial: Trial, marked: Trial, now: datetime, reason: str) -> Record | None:
    if trial.state is TrialState.HELD:
        return _record_if_changed(trial, marked)
    change = held(marked, now, reason)
    return Record(trial=change.trial, before=trial, events=change.events)
