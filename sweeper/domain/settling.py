"""What the outcome of a call, or the end of a training, changes in our record of a trial.

Every function takes the trial as it was recorded before the call and returns the change to be
recorded after it. They are safe to apply to what a restart finds: none depends on the process
that made the call.
"""

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from sweeper.domain.change import Change, changed, note
from sweeper.domain.judging import Verdict
from sweeper.domain.observing import missing, observe, rest
from sweeper.domain.phase import Phase
from sweeper.domain.policy import call_delay, retry_delay
from sweeper.domain.record import EventKind
from sweeper.domain.sweep import ResumeSpec, RetryRule, RetrySpec
from sweeper.domain.trial import (
    RETRY_ASKED,
    FailureClass,
    Halt,
    Observation,
    Trial,
    TrialState,
)

UNFINDABLE = (
    "a create was not answered, and this control plane has no listing to find by name what it may "
    "have left: look there"
)
"""The reason of a trial whose create may have made a training that nothing can find."""


def accepted(trial: Trial, seen: Observation, now: datetime) -> Change:
    """Record that the control plane created the training; it has not been seen yet."""
    after = _known(trial, seen, now, Phase.CREATING)
    return changed(trial, after, now, note(after, now, EventKind.SUBMISSION, "created"))


def adopted(trial: Trial, seen: Observation, policy: ResumeSpec, now: datetime) -> Change:
    """Record that the training was found by its name and proved ours, and how it stands."""
    known = _known(trial, seen, now, Phase.UNKNOWN)
    taken = changed(
        trial,
        known,
        now,
        note(known, now, EventKind.LOOK_UP, "found"),
        note(known, now, EventKind.SUBMISSION, "adopted"),
    )
    read = observe(taken.trial, seen, now, policy)
    return replace(read, events=(*taken.events, *read.events))


def left_open(trial: Trial, now: datetime, detail: str) -> Change:
    """Record that a create may have taken effect: from here on its name is looked up."""
    event = note(trial, now, EventKind.SUBMISSION, "ambiguous", detail)
    return Change(trial=replace(trial, reason=detail), events=(event,))


def unsent(
    trial: Trial,
    now: datetime,
    detail: str,
    *,
    outcome: str,
    wait: float | None,
    earlier: datetime | None = None,
) -> Change:
    """Record that a create surely had no effect; it is sent again after a back-off.

    `outcome` is the event's (not_sent, forbidden); `wait` seconds were asked for by the server.
    `earlier` is when one before it was sent under the same name that may have had one: then the
    name is looked up once more before the next, as long as that may take to come.
    """
    cleared = replace(trial.submission, sent_at=earlier, looked_up_at=None)
    after = _failed_call(replace(trial, submission=cleared), now, wait)
    event = note(after, now, EventKind.SUBMISSION, outcome, detail)
    return Change(trial=replace(after, reason=detail), events=(event,))


def refused(trial: Trial, now: datetime, detail: str) -> Change:
    """Record that the control plane refused the training for good: the trial fails."""
    ended = replace(trial.submission, ended_at=now, reason=detail)
    after = replace(trial, submission=ended).enter(TrialState.FAILED, now, f"refused: {detail}")
    return changed(trial, after, now, note(after, now, EventKind.SUBMISSION, "rejected", detail))


def call_failed(
    trial: Trial, now: datetime, kind: EventKind, detail: str, wait: float | None
) -> Change:
    """Record a failed suspend, resume, delete or look-up; it is tried again after a back-off."""
    after = _failed_call(trial, now, wait)
    return Change(trial=after, events=(note(after, now, kind, "failed", detail),))


def uncounted(trial: Trial, before: Trial) -> Trial:
    """Return the trial with a resume that nobody refused, but that failed, out of its budget.

    The budget is for trainings that do not run again, not for a control plane that fails.
    """
    resumes = before.submission.resumes
    return replace(trial, submission=replace(trial.submission, resumes=resumes))


def call_accepted(trial: Trial, now: datetime, kind: EventKind) -> Change:
    """Record that a suspend, resume or delete was accepted."""
    calm = replace(trial, submission=replace(trial.submission, calls_failed=0))
    return Change(trial=calm, events=(note(calm, now, kind, "accepted"),))


def absent(trial: Trial, asked_at: datetime) -> Change:
    """Record that a look-up begun at `asked_at` found no training of the trial's name."""
    looked = replace(trial.submission, looked_up_at=asked_at, calls_failed=0)
    after = replace(trial, submission=looked)
    return Change(trial=after, events=(note(after, asked_at, EventKind.LOOK_UP, "absent"),))


def unfindable(trial: Trial, asked_at: datetime) -> Change:
    """Record that a look-up was due where there is no listing: only the quarantine counts."""
    return absent(replace(trial, reason=UNFINDABLE), asked_at)


def gone_at_delete(trial: Trial, now: datetime) -> Change:
    """Record that a delete found no such training; how it ended is looked up next."""
    after = missing(trial, now)
    return Change(trial=after, events=(note(after, now, EventKind.DELETE, "gone"),))


def held(trial: Trial, now: datetime, reason: str) -> Change:
    """Record that the trial needs a person; it keeps its slot while its training may live."""
    return changed(trial, trial.enter(TrialState.HELD, now, reason), now)


def foreign(trial: Trial, asked_at: datetime, reason: str) -> Change:
    """Record that a look-up begun at `asked_at` found the name taken by what is not ours."""
    looked = replace(trial.submission, looked_up_at=asked_at, calls_failed=0)
    after = replace(trial, submission=looked).enter(TrialState.HELD, asked_at, reason)
    event = note(after, asked_at, EventKind.LOOK_UP, "foreign", reason)
    return changed(trial, after, asked_at, event)


def not_adopted(trial: Trial, now: datetime, reason: str) -> Change:
    """Record that a training that a person named was not taken for the trial's."""
    kept = trial if trial.state.is_terminal else replace(trial, reason=reason)
    return Change(trial=kept, events=(note(kept, now, EventKind.LOOK_UP, "foreign", reason),))


def failed(trial: Trial, verdict: Verdict, retry: RetrySpec, now: datetime) -> Change:
    """Record that the newest attempt failed, and whether there is to be another.

    A preemption in disguise costs no budget, but waits like the first infrastructure retry, so
    that a training that is evicted at once again and again does not spin. Whatever the end looks
    like after a delete of ours, it is that delete's: a cancel, or a timeout.
    """
    if trial.submission.delete_sent_at is not None:
        if trial.is_given_up:
            return cancelled(trial, now)
        verdict = Verdict(failure=FailureClass.TIMEOUT, reason=trial.submission.reason)
    ended = replace(
        rest(trial.submission, now),
        ended_at=now,
        exit_code=verdict.exit_code,
        reason=verdict.reason,
        next_call_at=None,
    )
    over = replace(trial, submission=ended, failure=verdict.failure)
    if verdict.failure is None:
        return _preempted(trial, over, verdict.reason, now)
    used = trial.retries.get(verdict.failure, 0)
    rule = retry.rule(verdict.failure)
    delay = retry_delay(used, rule, verdict.exit_code, ended.workload_name)
    if delay is None or trial.is_given_up:
        reason = f"{verdict.failure}: {verdict.reason}"
        return changed(trial, over.enter(TrialState.FAILED, now, reason), now)
    spent = MappingProxyType({**trial.retries, verdict.failure: used + 1})
    reason = f"{verdict.failure}: {verdict.reason}; retry {used + 1} of {rule.attempts}"
    again = replace(over, retries=spent, retry_at=now + delay)
    return changed(trial, again.enter(TrialState.INTERRUPTED, now, reason), now)


def gone(trial: Trial, last: Observation | None, retry: RetrySpec, now: datetime) -> Change:
    """Record that the training is gone; `last` is what the listing of deleted ones still has.

    Finished before it was deleted is finished. Deleted by us is cancelled, or timed out. Deleted
    by someone else while it lived is `vanished`.
    """
    if last is not None and last.phase is Phase.COMPLETED:
        ended = replace(rest(trial.submission, now), ended_at=now, phase=Phase.COMPLETED)
        after = replace(trial, submission=ended).enter(TrialState.COMPLETED, now)
        return changed(trial, after, now)
    if trial.is_given_up:
        return cancelled(trial, now)
    if last is not None and last.phase is Phase.FAILED:
        verdict = Verdict(failure=FailureClass.APPLICATION, reason="it failed, then was deleted")
    else:
        verdict = Verdict(failure=FailureClass.VANISHED, reason="deleted while it lived")
    return failed(trial, verdict, retry, now)


def found_deleted(trial: Trial, last: Observation, retry: RetrySpec, now: datetime) -> Change:
    """Record that only the deleted trainings have one of the trial's name: it is over."""
    known = replace(
        trial.submission,
        workload_id=last.workload_id,
        created_at=last.created_at,
        phase=last.phase,
        next_call_at=None,
        calls_failed=0,
    )
    taken = replace(trial, submission=known)
    found = note(taken, now, EventKind.LOOK_UP, "deleted")
    change = gone(taken, last, retry, now)
    return replace(change, events=(found, *change.events))


def given_up(trial: Trial, now: datetime, why: str) -> Change:
    """Record that an attempt that holds no training will not be made: the trial fails."""
    ended = replace(trial.submission, ended_at=trial.submission.ended_at or now)
    over = replace(trial, submission=ended, retry_at=None)
    reason = f"{trial.reason}; {why}" if trial.reason else why
    return changed(trial, over.enter(TrialState.FAILED, now, reason), now)


def cancelled(trial: Trial, now: datetime) -> Change:
    """Record that the trial is given up and holds no training any more.

    It is pruned where early stopping gave it up, and no person did.
    """
    ended = replace(rest(trial.submission, now), ended_at=trial.submission.ended_at or now)
    # Both may leave something behind on the control plane that only a person can find.
    may_leave = trial.state is TrialState.HELD or trial.reason == UNFINDABLE
    is_pruned = trial.halt is Halt.PRUNE and trial.cancel_asked_at is None
    state = TrialState.PRUNED if is_pruned else TrialState.CANCELLED
    word = f"pruned at {trial.rung}" if is_pruned else "cancelled"
    reason = f"{word}; {trial.reason}" if may_leave else word
    after = replace(trial, submission=ended, retry_at=None).enter(state, now, reason)
    return changed(trial, after, now)


def reopened(trial: Trial, now: datetime) -> Change:
    """Give a failed trial a new attempt, or a held one a new chance, because a person asked.

    The one way out of a terminal state; budgets start anew. Any other trial stays as it is.
    """
    if trial.state is TrialState.FAILED:
        after = replace(
            trial,
            state=TrialState.INTERRUPTED,
            state_since=now,
            ended_at=None,
            reason=RETRY_ASKED,
            retries=MappingProxyType({}),
            retry_at=now,
            failure=None,
            cancel_asked_at=None,
            halt=None,
        )
        return changed(trial, after, now)
    if trial.state is TrialState.HELD:
        fresh = replace(trial.submission, resumes=0, quick_stops=0, next_call_at=None)
        if trial.reason.startswith(UNFINDABLE):
            # Whoever asks has looked: no create of before left anything behind.
            fresh = replace(fresh, sent_at=None, looked_up_at=None)
        state = TrialState.INTERRUPTED if fresh.workload_id else TrialState.SUBMITTING
        after = replace(trial, submission=fresh).enter(state, now, RETRY_ASKED)
        return changed(trial, after, now)
    return Change(trial=trial)


def _known(trial: Trial, seen: Observation, now: datetime, phase: Phase) -> Trial:
    submission = replace(
        trial.submission,
        workload_id=seen.workload_id,
        created_at=seen.created_at,
        phase=phase,
        phase_since=now,
        seen_at=None,
        next_call_at=None,
        calls_failed=0,
    )
    return replace(trial, submission=submission).enter(TrialState.ACTIVE, now)


def _preempted(trial: Trial, over: Trial, reason: str, now: datetime) -> Change:
    counted = replace(over.submission, preemptions=over.submission.preemptions + 1)
    # The attempts so far stand in for a count of evictions: each one adds an attempt.
    delay = retry_delay(counted.attempt - 1, RetryRule(attempts=10**9), None, counted.workload_name)
    again = replace(
        over, submission=counted, retry_at=now + (delay or RetryRule(attempts=0).backoff)
    )
    after = again.enter(TrialState.INTERRUPTED, now, reason)
    return changed(trial, after, now, note(after, now, EventKind.PREEMPTION, "seen", reason))


def _failed_call(trial: Trial, now: datetime, wait: float | None) -> Trial:
    count = trial.submission.calls_failed + 1
    delay = call_delay(count, trial.submission.workload_name, wait)
    return replace(
        trial, submission=replace(trial.submission, calls_failed=count, next_call_at=now + delay)
    )
