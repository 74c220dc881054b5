"""What one reading of a training changes in our record of it.

`observe` is total over the phases. It never ends a trial without positive evidence: no
information, an unknown word or a missing phase leaves everything as it was.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.change import Change, changed, note
from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.policy import call_delay, resume_delay
from sweeper.domain.record import EventKind
from sweeper.domain.sweep import HOLD_WINDOW, ResumeSpec, UserSuspended
from sweeper.domain.trial import Halt, Observation, Submission, Trial, TrialState

SUSPEND_PATIENCE = timedelta(minutes=5)
"""A training still Running so long after our suspend was not stopped by it."""


def observe(trial: Trial, seen: Observation, now: datetime, policy: ResumeSpec) -> Change:
    """Return the trial as it stands after one reading of its training.

    A reading of another training, or of one that is finished already, changes nothing: what is
    terminal stays so whatever a stale answer says.
    """
    submission = trial.submission
    if trial.state.is_terminal or not submission.is_open:
        return Change(trial=trial)
    if seen.workload_id != submission.workload_id:
        return Change(trial=trial)
    change = _observed(_found_again(trial), seen, now, policy)
    if submission.lost_since is None:
        return change
    event = note(change.trial, now, EventKind.LOOK_UP, "seen_again")
    return replace(change, events=(event, *change.events))


def _found_again(trial: Trial) -> Trial:
    """Return the trial after its training was seen: what was put off while it was lost is due."""
    submission = trial.submission
    if submission.lost_since is None:
        return trial
    return _with(trial, replace(submission, lost_since=None, next_call_at=None))


def _observed(trial: Trial, seen: Observation, now: datetime, policy: ResumeSpec) -> Change:
    submission = trial.submission
    meaning = PHASE_MEANING[seen.phase]
    if meaning is PhaseMeaning.UNKNOWN:
        # It is there; that it is still in the phase last seen, nobody said.
        back = _there_after_delete(submission, now)
        seen_at = submission.seen_at or now
        return Change(trial=_with(trial, replace(back, seen_at=seen_at, missing_since=None)))
    fresh = _read(submission, seen, now)
    match meaning:
        case PhaseMeaning.RUNNING:
            return _running(trial, _without_old_suspend(submission, fresh, now), now)
        case PhaseMeaning.WAITING:
            return _waiting(trial, _without_old_suspend(submission, fresh, now), now)
        case PhaseMeaning.LEAVING:
            return _leaving(trial, fresh, now)
        case PhaseMeaning.STOPPED:
            return _stopped(trial, fresh, now, policy)
        case PhaseMeaning.COMPLETED:
            done = replace(rest(fresh, now), ended_at=now)
            after = _with(trial, done).enter(TrialState.COMPLETED, now)
            return changed(trial, after, now)
        case PhaseMeaning.FAILED:
            # Why it failed decides what follows, so the plan reads its events first.
            return Change(trial=_with(trial, rest(fresh, now)))


def rest(submission: Submission, now: datetime) -> Submission:
    """Return the submission with its present stretch at work, if any, added up and closed."""
    if submission.running_since is None:
        return submission
    stretch = max((now - submission.running_since).total_seconds(), 0.0)
    return replace(
        submission,
        running_since=None,
        running_seconds=submission.running_seconds + stretch,
    )


def missing(trial: Trial, now: datetime) -> Trial:
    """Return the trial after the control plane said that it knows no such training."""
    submission = trial.submission
    if submission.missing_since is not None:
        return trial
    # A wait that was meant for a training that exists must not put off finding out.
    return _with(trial, replace(submission, missing_since=now, next_call_at=None))


def reading_interval(trial: Trial, now: datetime) -> timedelta:
    """Return how old the last reading of a training may get where there is no listing.

    Young phases change soon and old ones seldom: a tenth of the phase's age, from 2 s to 1 min.
    """
    age = now - (trial.submission.phase_since or trial.submission.intent_at)
    return min(max(age / 10, timedelta(seconds=2)), timedelta(minutes=1))


def _with(trial: Trial, submission: Submission) -> Trial:
    return replace(trial, submission=submission)


def _read(submission: Submission, seen: Observation, now: datetime) -> Submission:
    changed_phase = seen.phase is not submission.phase
    if changed_phase:
        # Whatever was waited for, this is another situation.
        submission = replace(submission, next_call_at=None, calls_failed=0)
    submission = _there_after_delete(submission, now)
    reason = seen.message or ("" if changed_phase else submission.reason)
    return replace(
        submission,
        phase=seen.phase,
        phase_since=now if changed_phase else submission.phase_since or now,
        created_at=seen.created_at or submission.created_at,
        seen_at=now,
        missing_since=None,
        # Why we deleted it is what counts at its end, whatever is said on the way there.
        reason=reason if submission.delete_sent_at is None else submission.reason,
    )


def _there_after_delete(submission: Submission, now: datetime) -> Submission:
    """Return the submission of a training that a delete of ours did not find, and that is there.

    So the delete did nothing, and is repeated like one that failed.
    """
    if submission.missing_since is None or submission.delete_sent_at is None:
        return submission
    failed = submission.calls_failed + 1
    wait = call_delay(failed, submission.workload_name)
    return replace(submission, calls_failed=failed, next_call_at=now + wait)


def _without_old_suspend(before: Submission, fresh: Submission, now: datetime) -> Submission:
    """Return `fresh`, not stopped, without a suspend of ours that it does not obey any more."""
    sent = before.suspend_sent_at
    was_stopped = before.phase in {Phase.STOPPED, Phase.STOPPING}
    is_old = sent is not None and now - sent > SUSPEND_PATIENCE
    return replace(fresh, suspend_sent_at=None) if was_stopped or is_old else fresh


def _running(trial: Trial, fresh: Submission, now: datetime) -> Change:
    at_work = replace(
        fresh,
        running_since=fresh.running_since or now,
        first_running_at=fresh.first_running_at or now,
        resumes=0,
    )
    return changed(trial, _with(trial, at_work).enter(TrialState.ACTIVE, now), now)


def _waiting(trial: Trial, fresh: Submission, now: datetime) -> Change:
    if trial.submission.is_at_work and fresh.phase is not Phase.RESUMING:
        preempted = replace(rest(fresh, now), preemptions=fresh.preemptions + 1)
        after = _with(trial, preempted).enter(TrialState.INTERRUPTED, now, "preempted")
        return changed(trial, after, now, note(after, now, EventKind.PREEMPTION, "seen"))
    after = _with(trial, rest(fresh, now))
    was_stopped = trial.submission.phase is Phase.STOPPED
    if trial.state is TrialState.PARKED or (trial.state is TrialState.HELD and was_stopped):
        # What is parked holds a slot then, until it is parked again.
        after = after.enter(TrialState.INTERRUPTED, now, "resumed by someone else")
    elif trial.state is TrialState.ACTIVE and fresh.phase is Phase.RESUMING:
        after = after.enter(TrialState.INTERRUPTED, now, "being resumed")
    return changed(trial, after, now)


def _leaving(trial: Trial, fresh: Submission, now: datetime) -> Change:
    # Terminating precedes the step back to Pending, which is what counts as a preemption.
    after = _with(trial, fresh if fresh.phase is Phase.TERMINATING else rest(fresh, now))
    if fresh.phase is Phase.STOPPING and trial.state is not TrialState.HELD:
        after = after.enter(TrialState.INTERRUPTED, now, "being suspended")
    return changed(trial, after, now)


def _stopped(trial: Trial, fresh: Submission, now: datetime, policy: ResumeSpec) -> Change:
    stopped = rest(fresh, now)
    if trial.halt is Halt.PARK and trial.state not in {TrialState.PARKED, TrialState.HELD}:
        # Whoever stopped it, it is ours to resume.
        ours = replace(stopped, suspend_sent_at=stopped.suspend_sent_at or now)
        after = _with(trial, ours).enter(TrialState.PARKED, now, f"parked at {trial.rung}")
        return changed(trial, after, now, note(after, now, EventKind.SUSPENSION, "us"))
    if trial.submission.phase is Phase.STOPPED:
        return Change(trial=_with(trial, stopped))
    if stopped.suspend_sent_at is not None:
        after = _with(trial, stopped).enter(TrialState.INTERRUPTED, now, "suspended by us")
        return changed(trial, after, now, note(after, now, EventKind.SUSPENSION, "us"))
    after = _stopped_by_other(_with(trial, stopped), now, policy)
    return changed(trial, after, now, note(after, now, EventKind.SUSPENSION, "other"))


def _stopped_by_other(trial: Trial, now: datetime, policy: ResumeSpec) -> Trial:
    submission = trial.submission
    sent = submission.resume_sent_at
    quick = sent is not None and now - sent <= HOLD_WINDOW
    counted = replace(submission, quick_stops=submission.quick_stops + 1 if quick else 0)
    if not policy.enabled or policy.user_suspended is UserSuspended.LEAVE:
        reason = "suspended by someone else; left alone as `resume` asks"
        return _with(trial, counted).enter(TrialState.INTERRUPTED, now, reason)
    if policy.hold_after and counted.quick_stops >= policy.hold_after:
        reason = (
            f"suspended {counted.quick_stops} times soon after our resume: someone wants it "
            "stopped; resume it by hand, or `sweeper retry`"
        )
        return _with(trial, counted).enter(TrialState.HELD, now, reason)
    delay = resume_delay(counted.resumes, policy, submission.workload_name)
    due = replace(counted, next_call_at=now + (delay or timedelta()))
    return _with(trial, due).enter(TrialState.INTERRUPTED, now, "suspended by someone else")
