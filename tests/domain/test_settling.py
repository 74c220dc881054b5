from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.change import Change
from sweeper.domain.judging import Verdict
from sweeper.domain.observing import observe
from sweeper.domain.phase import Phase
from sweeper.domain.policy import LONGEST_WAIT, call_delay, retry_delay
from sweeper.domain.record import EventKind
from sweeper.domain.settling import (
    UNFINDABLE,
    absent,
    accepted,
    adopted,
    call_accepted,
    call_failed,
    cancelled,
    failed,
    foreign,
    found_deleted,
    given_up,
    gone,
    gone_at_delete,
    held,
    left_open,
    not_adopted,
    refused,
    reopened,
    uncounted,
    unfindable,
    unsent,
)
from sweeper.domain.sweep import ResumeSpec, RetryRule, RetrySpec
from sweeper.domain.trial import TERMINAL_STATES, FailureClass, Halt, Trial, TrialState
from sweeper.errors import InvalidTransitionError
from tests.support.builders import (
    NOW,
    a_submission,
    a_trial,
    after,
    an_observation,
    workload_id,
)

LATER = after(seconds=60)
RETRY = RetrySpec()
CRASHED = Verdict(failure=FailureClass.APPLICATION, reason="exit code 3", exit_code=3)
NODE_LOST = Verdict(failure=FailureClass.INFRASTRUCTURE, reason="NodeLost")
PREEMPTED = Verdict(failure=None, reason="preempted: by another")


def submitting(**fields: Any) -> Trial:
    """Return a trial whose create was sent at `NOW`."""
    return a_trial(state=TrialState.SUBMITTING, workload_id=None, **fields)


def found(trial: Trial, phase: Phase) -> Change:
    """Adopt a training of the trial in that phase."""
    seen = an_observation(phase, of=trial, workload_id=workload_id(0))
    return adopted(trial, seen, ResumeSpec(), LATER)


def outcomes(change: Change, kind: EventKind) -> list[str]:
    return [event.outcome for event in change.events if event.kind is kind]


def test_a_created_training_has_not_been_seen_yet() -> None:
    seen = an_observation(Phase.PENDING, of=submitting(), workload_id=workload_id(0))

    change = accepted(submitting(calls_failed=2), seen, LATER)

    submission = change.trial.submission
    assert change.trial.state is TrialState.ACTIVE
    assert (submission.workload_id, submission.phase) == (workload_id(0), Phase.CREATING)
    assert (submission.seen_at, submission.calls_failed) == (None, 0)
    assert outcomes(change, EventKind.SUBMISSION) == ["created"]


def test_an_adopted_training_is_found_and_read_at_once() -> None:
    change = found(submitting(next_call_at=after(hours=1)), Phase.RUNNING)

    submission = change.trial.submission
    assert submission.is_at_work
    assert (submission.seen_at, submission.next_call_at) == (LATER, None)
    assert outcomes(change, EventKind.LOOK_UP) == ["found"]
    assert outcomes(change, EventKind.SUBMISSION) == ["adopted"]


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.STOPPED, TrialState.INTERRUPTED),
        (Phase.COMPLETED, TrialState.COMPLETED),
        (Phase.FAILED, TrialState.ACTIVE),
        (Phase.UNKNOWN, TrialState.ACTIVE),
    ],
)
def test_an_adopted_training_counts_as_it_stands(phase: Phase, state: TrialState) -> None:
    change = found(submitting(), phase)

    assert change.trial.state is state
    assert outcomes(change, EventKind.TRANSITION)[0] == "active"


def test_a_create_left_open_stays_sent() -> None:
    change = left_open(submitting(), LATER, "503")

    assert change.trial.submission.sent_at == NOW
    assert outcomes(change, EventKind.SUBMISSION) == ["ambiguous"]


def test_a_create_that_was_not_sent_is_marked_so_and_waits() -> None:
    trial = submitting(looked_up_at=NOW)

    change = unsent(trial, LATER, "no connection", outcome="not_sent", wait=None)

    submission = change.trial.submission
    assert (submission.sent_at, submission.looked_up_at) == (None, None)
    assert submission.calls_failed == 1
    assert submission.next_call_at is not None
    assert submission.next_call_at > LATER
    assert outcomes(change, EventKind.SUBMISSION) == ["not_sent"]


def test_a_create_before_one_that_was_not_sent_stays_open() -> None:
    trial = submitting(sent_at=LATER, looked_up_at=LATER)

    change = unsent(trial, LATER, "403", outcome="forbidden", wait=None, earlier=NOW)

    submission = change.trial.submission
    assert (submission.sent_at, submission.looked_up_at) == (NOW, None)


def test_a_refused_create_fails_the_trial() -> None:
    change = refused(submitting(), LATER, "400: no such image")

    assert change.trial.state is TrialState.FAILED
    assert change.trial.reason == "refused: 400: no such image"
    assert not change.trial.holds_slot
    assert outcomes(change, EventKind.SUBMISSION) == ["rejected"]


@pytest.mark.parametrize("wait", [None, 60.0, 10**9])
def test_a_failed_call_is_put_off_within_bounds(wait: float | None) -> None:
    change = call_failed(a_trial(calls_failed=3), NOW, EventKind.DELETE, "503", wait)

    submission = change.trial.submission
    assert submission.calls_failed == 4
    assert submission.next_call_at is not None
    assert NOW < submission.next_call_at <= NOW + LONGEST_WAIT
    assert outcomes(change, EventKind.DELETE) == ["failed"]


def test_an_accepted_call_ends_the_count_of_failed_ones() -> None:
    change = call_accepted(a_trial(calls_failed=3), NOW, EventKind.SUSPEND)

    assert change.trial.submission.calls_failed == 0
    assert outcomes(change, EventKind.SUSPEND) == ["accepted"]


def test_a_resume_that_failed_takes_nothing_of_the_budget() -> None:
    assert uncounted(a_trial(resumes=5), a_trial(resumes=4)).submission.resumes == 4


@pytest.mark.parametrize(
    ("settle", "outcome", "state"),
    [
        (lambda trial: absent(trial, LATER), "absent", TrialState.SUBMITTING),
        (lambda trial: foreign(trial, LATER, "not ours"), "foreign", TrialState.HELD),
    ],
)
def test_a_look_up_without_a_training_of_ours_counts_from_when_it_was_asked(
    settle: Callable[[Trial], Change], outcome: str, state: TrialState
) -> None:
    change = settle(submitting(calls_failed=2))

    submission = change.trial.submission
    assert (submission.looked_up_at, submission.calls_failed) == (LATER, 0)
    assert change.trial.state is state
    assert outcomes(change, EventKind.LOOK_UP) == [outcome]


def test_a_delete_that_finds_nothing_is_looked_into() -> None:
    change = gone_at_delete(a_trial(delete_sent_at=NOW, calls_failed=1), LATER)

    submission = change.trial.submission
    assert (submission.missing_since, submission.calls_failed) == (LATER, 1)
    assert outcomes(change, EventKind.DELETE) == ["gone"]


def test_a_held_trial_keeps_its_slot() -> None:
    trial = held(a_trial(), LATER, "stuck").trial

    assert (trial.state, trial.reason) == (TrialState.HELD, "stuck")
    assert trial.holds_slot


def test_a_failure_without_budget_is_the_end() -> None:
    trial = failed(a_trial(), CRASHED, RETRY, LATER).trial

    assert (trial.state, trial.reason) == (TrialState.FAILED, "application: exit code 3")
    assert (trial.submission.exit_code, trial.failure) == (3, FailureClass.APPLICATION)
    assert not trial.holds_slot


def test_a_failure_with_budget_waits_for_its_next_attempt() -> None:
    trial = failed(a_trial(next_call_at=after(hours=1)), NODE_LOST, RETRY, LATER).trial

    assert trial.state is TrialState.INTERRUPTED
    assert trial.retries == {FailureClass.INFRASTRUCTURE: 1}
    assert trial.retry_at is not None
    assert timedelta(seconds=15) <= trial.retry_at - LATER <= timedelta(seconds=30)
    assert trial.reason == "infrastructure: NodeLost; retry 1 of 3"
    assert trial.submission.next_call_at is None
    assert not trial.holds_slot


def test_each_class_of_failure_has_a_budget_of_its_own() -> None:
    spent = {FailureClass.INFRASTRUCTURE: 3, FailureClass.TIMEOUT: 1}
    retry = RetrySpec(application=RetryRule(attempts=1))

    assert failed(a_trial(retries=spent), NODE_LOST, retry, NOW).trial.state is TrialState.FAILED
    again = failed(a_trial(retries=spent), CRASHED, retry, NOW).trial
    assert again.state is TrialState.INTERRUPTED
    assert again.retries == {**spent, FailureClass.APPLICATION: 1}


def test_an_exit_code_may_exclude_a_retry() -> None:
    retry = RetrySpec(application=RetryRule(attempts=5, unless_exit=frozenset({3})))

    assert failed(a_trial(), CRASHED, retry, NOW).trial.state is TrialState.FAILED


def test_a_preemption_in_disguise_costs_no_budget_but_waits() -> None:
    change = failed(a_trial(), PREEMPTED, RETRY, LATER)

    trial = change.trial
    assert (trial.state, trial.retries) == (TrialState.INTERRUPTED, {})
    assert trial.submission.preemptions == 1
    assert trial.retry_at is not None
    assert trial.retry_at > LATER
    assert outcomes(change, EventKind.PREEMPTION) == ["seen"]


def test_a_failed_trial_that_was_given_up_is_not_tried_again() -> None:
    trial = a_trial(cancel_asked_at=NOW)

    assert failed(trial, NODE_LOST, RETRY, LATER).trial.state is TrialState.FAILED


@pytest.mark.parametrize("verdict", [CRASHED, NODE_LOST, PREEMPTED])
def test_what_fails_after_our_delete_was_cancelled_if_that_was_why(verdict: Verdict) -> None:
    trial = a_trial(cancel_asked_at=NOW, delete_sent_at=NOW)

    assert failed(trial, verdict, RETRY, LATER).trial.state is TrialState.CANCELLED


@pytest.mark.parametrize("verdict", [CRASHED, NODE_LOST, PREEMPTED])
def test_what_fails_after_our_delete_timed_out_otherwise(verdict: Verdict) -> None:
    trial = a_trial(submission=a_submission(delete_sent_at=NOW, reason="too long in Creating"))

    again = failed(trial, verdict, RETRY, LATER).trial

    assert again.failure is FailureClass.TIMEOUT
    assert again.reason == "timeout: too long in Creating; retry 1 of 1"


DELETED_BY_US = a_trial(submission=a_submission(delete_sent_at=NOW, reason="too long"))
GONE = [
    pytest.param(a_trial(), Phase.COMPLETED, TrialState.COMPLETED, None, id="completed"),
    pytest.param(DELETED_BY_US, Phase.COMPLETED, TrialState.COMPLETED, None, id="in time"),
    pytest.param(
        a_trial(cancel_asked_at=NOW), Phase.COMPLETED, TrialState.COMPLETED, None, id="too late"
    ),
    pytest.param(a_trial(), Phase.FAILED, TrialState.FAILED, FailureClass.APPLICATION, id="failed"),
    pytest.param(
        a_trial(), Phase.RUNNING, TrialState.INTERRUPTED, FailureClass.VANISHED, id="deleted"
    ),
    pytest.param(a_trial(), None, TrialState.INTERRUPTED, FailureClass.VANISHED, id="unknown"),
    pytest.param(
        DELETED_BY_US, Phase.DELETING, TrialState.INTERRUPTED, FailureClass.TIMEOUT, id="by us"
    ),
    pytest.param(
        a_trial(cancel_asked_at=NOW), Phase.RUNNING, TrialState.CANCELLED, None, id="cancelled"
    ),
]


@pytest.mark.parametrize(("trial", "last", "state", "failure"), GONE)
def test_what_is_gone_ended_as_it_was_last_seen(
    trial: Trial, last: Phase | None, state: TrialState, failure: FailureClass | None
) -> None:
    seen = an_observation(last, of=trial) if last is not None else None

    ended = gone(trial, seen, RETRY, LATER).trial

    assert (ended.state, ended.failure) == (state, failure)
    assert not ended.holds_slot


def test_what_vanished_twice_fails() -> None:
    trial = a_trial(retries={FailureClass.VANISHED: 1})

    assert gone(trial, None, RETRY, LATER).trial.state is TrialState.FAILED


def test_a_given_up_attempt_says_why_and_fails() -> None:
    waiting = a_trial(state=TrialState.INTERRUPTED, ended_at=NOW, retry_at=LATER)

    trial = given_up(waiting, LATER, "the sweep stopped").trial

    assert (trial.state, trial.reason) == (TrialState.FAILED, "the sweep stopped")
    assert (trial.retry_at, trial.submission.ended_at) == (None, NOW)


def test_a_cancelled_trial_holds_nothing() -> None:
    trial = cancelled(a_trial(), LATER).trial

    assert (trial.state, trial.reason) == (TrialState.CANCELLED, "cancelled")
    assert trial.submission.ended_at == LATER
    assert trial.submission.running_seconds == 60.0


def test_a_cancelled_trial_that_was_held_still_says_why() -> None:
    trial = held(a_trial(), NOW, "a workload of that name exists").trial

    assert cancelled(trial, LATER).trial.reason == "cancelled; a workload of that name exists"


def test_a_cancelled_trial_says_that_it_may_have_left_something_that_cannot_be_found() -> None:
    unfound = unfindable(submitting(), NOW).trial

    assert cancelled(unfound, LATER).trial.reason == f"cancelled; {UNFINDABLE}"
    assert cancelled(absent(submitting(), NOW).trial, LATER).trial.reason == "cancelled"


def test_a_failed_trial_is_reopened_with_new_budgets() -> None:
    trial = a_trial(
        state=TrialState.FAILED,
        retries={FailureClass.TIMEOUT: 1},
        failure=FailureClass.TIMEOUT,
        cancel_asked_at=NOW,
    )

    again = reopened(trial, LATER).trial

    assert (again.state, again.retry_at, again.ended_at) == (TrialState.INTERRUPTED, LATER, None)
    assert (again.retries, again.failure, again.cancel_asked_at) == ({}, None, None)
    assert not again.holds_slot


@pytest.mark.parametrize(
    ("trial", "state"),
    [
        (a_trial(state=TrialState.HELD, resumes=20, quick_stops=3), TrialState.INTERRUPTED),
        (a_trial(state=TrialState.HELD, workload_id=None), TrialState.SUBMITTING),
    ],
)
def test_a_held_trial_gets_a_new_chance(trial: Trial, state: TrialState) -> None:
    again = reopened(trial, LATER).trial

    assert again.state is state
    assert (again.submission.resumes, again.submission.quick_stops) == (0, 0)


@pytest.mark.parametrize("state", sorted(set(TrialState) - {TrialState.FAILED, TrialState.HELD}))
def test_nothing_else_is_reopened(state: TrialState) -> None:
    trial = a_trial(state=state)

    assert reopened(trial, LATER) == Change(trial=trial)


def _read(trial: Trial, phase: Phase) -> Change:
    return observe(trial, an_observation(phase, of=trial), LATER, ResumeSpec())


SEEN = an_observation(Phase.RUNNING, of=a_trial())
OUTCOMES: dict[str, Callable[[Trial], Change]] = {
    "accepted": lambda trial: accepted(trial, SEEN, LATER),
    "adopted": lambda trial: adopted(trial, SEEN, ResumeSpec(), LATER),
    "left open": lambda trial: left_open(trial, LATER, "503"),
    "unsent": lambda trial: unsent(trial, LATER, "no route", outcome="not_sent", wait=None),
    "refused": lambda trial: refused(trial, LATER, "400"),
    "call failed": lambda trial: call_failed(trial, LATER, EventKind.RESUME, "503", None),
    "call accepted": lambda trial: call_accepted(trial, LATER, EventKind.RESUME),
    "absent": lambda trial: absent(trial, LATER),
    "foreign": lambda trial: foreign(trial, LATER, "not ours"),
    "gone at delete": lambda trial: gone_at_delete(trial, LATER),
    "held": lambda trial: held(trial, LATER, "stuck"),
    "crashed": lambda trial: failed(trial, CRASHED, RETRY, LATER),
    "node lost": lambda trial: failed(trial, NODE_LOST, RETRY, LATER),
    "preempted": lambda trial: failed(trial, PREEMPTED, RETRY, LATER),
    "gone": lambda trial: gone(trial, None, RETRY, LATER),
    "given up": lambda trial: given_up(trial, LATER, "stopped"),
    "cancelled": lambda trial: cancelled(trial, LATER),
    **{phase: partial(_read, phase=phase) for phase in Phase},
}


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_outcome_moves_a_trial_out_of_a_terminal_state(outcome: str, state: TrialState) -> None:
    trial = a_trial(state=state, delete_sent_at=None)

    try:
        after_it = OUTCOMES[outcome](trial).trial
    except InvalidTransitionError:
        return

    assert after_it.state is state


@settings(max_examples=100)
@given(names=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=15))
def test_a_trial_is_settled_once_and_holds_a_slot_until_its_training_ended(
    names: list[str],
) -> None:
    trial = a_trial()

    for name in names:
        if trial.state.is_terminal or not trial.holds_slot:
            break
        trial = OUTCOMES[name](trial).trial

    assert (trial.ended_at is not None) is trial.state.is_terminal
    assert not (trial.state.is_terminal and trial.holds_slot)
    assert trial.holds_slot is (trial.submission.ended_at is None)
    if not trial.holds_slot and not trial.state.is_terminal:
        assert (trial.state, trial.retry_at is not None) == (TrialState.INTERRUPTED, True)


def test_a_wait_that_was_asked_for_puts_the_next_call_off() -> None:
    name = a_trial().submission.workload_name
    due = NOW + call_delay(4, name, 60.0)

    called = call_failed(a_trial(calls_failed=3), NOW, EventKind.DELETE, "503", 60.0)
    created = unsent(submitting(calls_failed=3), NOW, "503", outcome="not_sent", wait=60.0)

    assert due >= after(seconds=60)
    assert called.trial.submission.next_call_at == due
    assert created.trial.submission.next_call_at == due


def test_without_such_a_wait_each_training_has_a_back_off_of_its_own() -> None:
    name = a_trial().submission.workload_name

    called = call_failed(a_trial(calls_failed=3), NOW, EventKind.DELETE, "503", None)

    assert called.trial.submission.next_call_at == NOW + call_delay(4, name)


def test_an_accepted_training_waits_for_nothing_and_is_as_old_as_it_says() -> None:
    trial = submitting(next_call_at=after(hours=1), seen_at=NOW)
    seen = an_observation(Phase.PENDING, of=trial, created_at=after(seconds=7))

    submission = accepted(trial, seen, LATER).trial.submission

    assert (submission.next_call_at, submission.seen_at) == (None, None)
    assert (submission.created_at, submission.phase_since) == (after(seconds=7), LATER)


def test_an_adopted_training_is_as_old_as_it_says_and_in_its_phase_since_it_was_found() -> None:
    trial = submitting()
    seen = an_observation(
        Phase.UNKNOWN, of=trial, workload_id=workload_id(0), created_at=after(seconds=7)
    )

    submission = adopted(trial, seen, ResumeSpec(), LATER).trial.submission

    assert (submission.phase, submission.phase_since) == (Phase.UNKNOWN, LATER)
    assert submission.created_at == after(seconds=7)


@pytest.mark.parametrize("used", [0, 1])
def test_the_next_attempt_waits_as_long_as_its_class_asks(used: int) -> None:
    trial = a_trial(retries={FailureClass.INFRASTRUCTURE: used})
    name = trial.submission.workload_name
    delay = retry_delay(used, RETRY.infrastructure, None, name)

    assert delay is not None
    assert failed(trial, NODE_LOST, RETRY, LATER).trial.retry_at == LATER + delay


@pytest.mark.parametrize("attempt", [1, 2, 1000])
def test_an_evicted_attempt_waits_longer_each_time_without_end(attempt: int) -> None:
    trial = a_trial(attempt=attempt)
    rule = RetryRule(attempts=10**9)
    delay = retry_delay(attempt - 1, rule, None, trial.submission.workload_name)

    assert delay is not None
    assert failed(trial, PREEMPTED, RETRY, LATER).trial.retry_at == LATER + delay


def test_what_was_completed_before_it_was_deleted_is_kept_as_completed() -> None:
    last = an_observation(Phase.COMPLETED, of=a_trial())

    assert gone(a_trial(), last, RETRY, LATER).trial.submission.phase is Phase.COMPLETED


def test_a_held_trial_that_is_retried_waits_for_nothing() -> None:
    trial = a_trial(state=TrialState.HELD, next_call_at=after(hours=1))

    assert reopened(trial, LATER).trial.submission.next_call_at is None


def test_what_only_the_deleted_ones_have_is_known_as_it_was() -> None:
    trial = submitting(next_call_at=after(hours=1), calls_failed=2)
    last = an_observation(
        Phase.FAILED, of=trial, workload_id=workload_id(0), created_at=after(seconds=7)
    )

    change = found_deleted(trial, last, RETRY, LATER)

    submission = change.trial.submission
    assert (submission.workload_id, submission.phase) == (workload_id(0), Phase.FAILED)
    assert (submission.created_at, submission.ended_at) == (after(seconds=7), LATER)
    assert (submission.next_call_at, submission.calls_failed) == (None, 0)
    assert outcomes(change, EventKind.LOOK_UP) == ["deleted"]


def test_what_a_person_named_wrongly_is_told_and_changes_nothing_else() -> None:
    trial = submitting()

    change = not_adopted(trial, LATER, "another one")

    assert change.trial == replace(trial, reason="another one")
    assert outcomes(change, EventKind.LOOK_UP) == ["foreign"]


def test_an_attempt_that_is_given_up_keeps_what_was_said_of_it_before() -> None:
    trial = replace(a_trial(), reason="NodeLost; retry 1 of 3")

    reason = given_up(trial, LATER, "not tried again: the sweep stopped").trial.reason

    assert reason == "NodeLost; retry 1 of 3; not tried again: the sweep stopped"


@pytest.mark.parametrize(
    ("reason", "is_open"), [(f"{UNFINDABLE}; refused", False), ("a workload of that name", True)]
)
def test_who_retries_a_create_that_cannot_be_found_has_looked_for_it(
    reason: str, is_open: bool
) -> None:
    left = a_trial(state=TrialState.HELD, workload_id=None, looked_up_at=NOW)

    change = reopened(replace(left, reason=reason), after(seconds=1))

    submission = change.trial.submission
    assert change.trial.state is TrialState.SUBMITTING
    assert (submission.sent_at is not None) is is_open
    assert (submission.looked_up_at is not None) is is_open


class TestPruned:
    def test_a_trial_given_up_by_early_stopping_is_pruned(self) -> None:
        trial = a_trial(halt=Halt.PRUNE, rung=9, delete_sent_at=NOW)

        change = gone(trial, None, RetrySpec(), NOW)

        assert (change.trial.state, change.trial.reason) == (TrialState.PRUNED, "pruned at 9")

    def test_what_a_person_cancelled_is_not_pruned(self) -> None:
        trial = a_trial(halt=Halt.PRUNE, cancel_asked_at=NOW, delete_sent_at=NOW)

        assert gone(trial, None, RetrySpec(), NOW).trial.state is TrialState.CANCELLED

    def test_what_failed_before_its_delete_is_not_tried_again(self) -> None:
        verdict = Verdict(failure=FailureClass.INFRASTRUCTURE, reason="node lost")

        change = failed(a_trial(halt=Halt.PRUNE), verdict, RetrySpec(), NOW)

        assert change.trial.state is TrialState.FAILED
