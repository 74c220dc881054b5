"""Whatever is decided about a trial, the record of acts tells just that, of that trial, at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from sweeper.domain.actions import Record
from sweeper.domain.caring import care
from sweeper.domain.change import Change
from sweeper.domain.freezing import lost
from sweeper.domain.judging import Verdict
from sweeper.domain.observing import observe
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Draft, plan
from sweeper.domain.rebuilding import from_deleted, from_living, from_nothing
from sweeper.domain.record import EventKind, SweepState
from sweeper.domain.settling import (
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
    unsent,
)
from sweeper.domain.sweep import LimitsSpec, ResumeSpec, RetryRule, RetrySpec, UserSuspended
from sweeper.domain.trial import TERMINAL_STATES, FailureClass, Observation, Trial, TrialState
from sweeper.domain.values import Params, digest
from tests.domain.acts import check_action, check_change
from tests.support.builders import (
    NOW,
    QUARANTINE,
    a_draft,
    a_snapshot,
    a_spec,
    a_sweep,
    a_trial,
    after,
    an_observation,
    workload_id,
    workload_name,
)

LATER = after(seconds=90)
UNSETTLED = sorted(set(TrialState) - TERMINAL_STATES - {TrialState.WAITING})
HISTORIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "suspended by us": {"suspend_sent_at": after(seconds=80)},
    "resumed just now": {"resume_sent_at": after(seconds=60), "quick_stops": 2, "resumes": 3},
    "resumed too often": {"resumes": 20},
    "deleted by us": {"delete_sent_at": NOW, "reason": "too long in Creating"},
    "lost": {"missing_since": NOW, "lost_since": NOW, "next_call_at": after(hours=1)},
    "calls failed": {"calls_failed": 2, "next_call_at": after(seconds=30)},
}
POLICIES = {
    "resume": ResumeSpec(),
    "leave": ResumeSpec(user_suspended=UserSuspended.LEAVE),
    "disabled": ResumeSpec(enabled=False),
}
each_history = pytest.mark.parametrize("history", HISTORIES)
each_policy = pytest.mark.parametrize("policy", POLICIES)


@each_history
@each_policy
def test_what_a_reading_changes_is_told(history: str, policy: str) -> None:
    for state, phase, seen in product(UNSETTLED, Phase, Phase):
        trial = a_trial(state=state, phase=phase, **HISTORIES[history])

        change = observe(trial, an_observation(seen, of=trial), LATER, POLICIES[policy])

        check_change(trial, change, LATER)


RETRY = RetrySpec(application=RetryRule(attempts=1))
CRASHED = Verdict(failure=FailureClass.APPLICATION, reason="exit code 3", exit_code=3)
PREEMPTED = Verdict(failure=None, reason="preempted: by another")


def _seen(trial: Trial, phase: Phase = Phase.RUNNING) -> Observation:
    return an_observation(phase, of=trial, workload_id=workload_id(0))


Settling = Callable[[Trial, datetime], Change]
BEFORE_AN_ANSWER: dict[str, Settling] = {
    "accepted": lambda trial, now: accepted(trial, _seen(trial), now),
    "adopted": lambda trial, now: adopted(trial, _seen(trial), ResumeSpec(), now),
    "adopted, stopped": lambda trial, now: adopted(
        trial, _seen(trial, Phase.STOPPED), ResumeSpec(), now
    ),
    "adopted, done": lambda trial, now: adopted(
        trial, _seen(trial, Phase.COMPLETED), ResumeSpec(), now
    ),
    "left open": lambda trial, now: left_open(trial, now, "503"),
    "unsent": lambda trial, now: unsent(trial, now, "refused", outcome="not_sent", wait=None),
    "refused": lambda trial, now: refused(trial, now, "400: no such image"),
    "absent": absent,
    "foreign": lambda trial, now: foreign(trial, now, "not ours"),
    "not adopted": lambda trial, now: not_adopted(trial, now, "not ours"),
    "found deleted": lambda trial, now: found_deleted(
        trial, _seen(trial, Phase.COMPLETED), RETRY, now
    ),
    "found failed and deleted": lambda trial, now: found_deleted(
        trial, _seen(trial, Phase.FAILED), RETRY, now
    ),
}
OF_A_TRAINING: dict[str, Settling] = {
    "call failed": lambda trial, now: call_failed(trial, now, EventKind.DELETE, "503", None),
    "call accepted": lambda trial, now: call_accepted(trial, now, EventKind.RESUME),
    "gone at delete": gone_at_delete,
    "lost": lost,
    "failed": lambda trial, now: failed(trial, CRASHED, RETRY, now),
    "failed for good": lambda trial, now: failed(trial, CRASHED, RetrySpec(), now),
    "preempted": lambda trial, now: failed(trial, PREEMPTED, RETRY, now),
    "gone": lambda trial, now: gone(trial, None, RETRY, now),
    "gone, done": lambda trial, now: gone(trial, _seen(trial, Phase.COMPLETED), RETRY, now),
    "gone, failed": lambda trial, now: gone(trial, _seen(trial, Phase.FAILED), RETRY, now),
}
OF_ANY: dict[str, Settling] = {
    "held": lambda trial, now: held(trial, now, "stuck"),
    "given up": lambda trial, now: given_up(trial, now, "the sweep stopped"),
    "cancelled": cancelled,
    "reopened": reopened,
}


@pytest.mark.parametrize("outcome", BEFORE_AN_ANSWER | OF_ANY)
@pytest.mark.parametrize("state", [TrialState.SUBMITTING, TrialState.HELD])
def test_what_becomes_of_a_create_is_told(outcome: str, state: TrialState) -> None:
    trial = a_trial(state=state, workload_id=None)

    change = (BEFORE_AN_ANSWER | OF_ANY)[outcome](trial, LATER)

    check_change(trial, change, LATER)


@pytest.mark.parametrize("outcome", OF_A_TRAINING | OF_ANY)
@each_history
@pytest.mark.parametrize("cancel_asked_at", [None, NOW])
def test_what_becomes_of_a_training_is_told(
    outcome: str, history: str, cancel_asked_at: datetime | None
) -> None:
    for state in UNSETTLED:
        trial = a_trial(state=state, cancel_asked_at=cancel_asked_at, **HISTORIES[history])

        change = (OF_A_TRAINING | OF_ANY)[outcome](trial, LATER)

        check_change(trial, change, LATER)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_what_is_said_of_a_settled_trial_is_told_without_a_change(state: TrialState) -> None:
    trial = a_trial(state=state, reason="why")

    change = not_adopted(trial, LATER, "not ours")

    assert change.trial is trial
    check_change(trial, change, LATER)


def test_a_failed_trial_that_is_reopened_is_told() -> None:
    trial = a_trial(state=TrialState.FAILED)

    check_change(trial, reopened(trial, LATER), LATER)


@pytest.mark.parametrize("sweep_state", SweepState)
@pytest.mark.parametrize("cancel_asked_at", [None, NOW])
@each_history
def test_what_is_asked_for_a_training_is_told(
    sweep_state: SweepState, history: str, cancel_asked_at: datetime | None
) -> None:
    sweep = a_sweep(state=sweep_state)
    for state, phase, missing_since in product(UNSETTLED, Phase, [None, NOW]):
        fields = {"missing_since": missing_since} | HISTORIES[history]
        trial = a_trial(state=state, phase=phase, cancel_asked_at=cancel_asked_at, **fields)
        stuck = replace(trial, submission=replace(trial.submission, seen_at=after(days=1)))
        for one, now in ((trial, LATER), (stuck, after(days=1))):
            action = care(one, sweep, a_spec(), now, QUARANTINE)

            if action is not None:
                check_action(action, one, now)


@pytest.mark.parametrize("sweep_state", SweepState)
@pytest.mark.parametrize("cancel_asked_at", [None, NOW])
@pytest.mark.parametrize("sent_at", [None, NOW, after(seconds=89)])
@pytest.mark.parametrize("looked_up_at", [None, after(seconds=10), after(seconds=80)])
def test_what_is_asked_for_an_open_create_is_told(
    sweep_state: SweepState,
    cancel_asked_at: datetime | None,
    sent_at: datetime | None,
    looked_up_at: datetime | None,
) -> None:
    sweep = a_sweep(state=sweep_state)
    for state in (TrialState.SUBMITTING, TrialState.HELD):
        trial = a_trial(
            state=state,
            workload_id=None,
            cancel_asked_at=cancel_asked_at,
            sent_at=sent_at,
            looked_up_at=looked_up_at,
        )

        action = care(trial, sweep, a_spec(), LATER, QUARANTINE)

        if action is not None:
            check_action(action, trial, LATER)


@pytest.mark.parametrize("failure", [None, *FailureClass])
@pytest.mark.parametrize("gpus", [0, 9])
def test_a_new_attempt_is_told_with_what_ended_the_one_before(
    failure: FailureClass | None, gpus: int
) -> None:
    due = a_trial(
        state=TrialState.INTERRUPTED,
        retry_at=LATER,
        failure=failure,
        phase=Phase.FAILED,
        ended_at=NOW,
        reason="it failed",
        params={"lr": 7},
    )

    def drafted(number: int, attempt: int, params: Params | None) -> Draft:
        return a_draft(number, attempt, params, Fraction(gpus))

    spec = a_spec(limits=LimitsSpec(active=4, gpus=Fraction(8)))
    actions = plan(a_snapshot(due, spec=spec, planned=3), drafted, LATER)

    assert len(actions) == 3
    for action in actions:
        check_action(action, due if action.trial.number == 0 else None, LATER)
        assert isinstance(action.trial.created_at, datetime)
    again = next(action for action in actions if action.trial.number == 0)
    told = [event.outcome for event in again.events if event.kind is EventKind.RESUBMIT]
    assert told == ([] if gpus else [failure or "preempted"])
    assert again.trial.params == due.params
    assert again.trial.submission.digest == digest(due.params)
    assert again.trial.submission.attempt == 2


def test_a_new_attempt_that_a_person_asked_for_is_no_preemption() -> None:
    failed_before = a_trial(state=TrialState.FAILED, phase=Phase.FAILED, ended_at=NOW)
    asked = reopened(failed_before, LATER).trial

    actions = plan(a_snapshot(asked, spec=a_spec(), planned=1), a_draft, LATER)

    told = [event.outcome for event in actions[0].events if event.kind is EventKind.RESUBMIT]
    assert told == ["asked"]


@pytest.mark.parametrize("phase", Phase)
def test_a_trial_made_again_is_told(phase: Phase) -> None:
    draft = a_draft(3, 2, None)
    seen = Observation(
        workload_id=workload_id(3, 2), name=workload_name(3, 2), phase=phase, created_at=NOW
    )
    sent = replace(
        from_living(draft, 3, 2, replace(seen, phase=Phase.UNKNOWN), a_spec(), LATER).trial,
        state=TrialState.SUBMITTING,
    )

    check_change(sent, from_living(draft, 3, 2, seen, a_spec(), LATER), LATER)
    if phase in {Phase.COMPLETED, Phase.FAILED, Phase.RUNNING}:
        check_change(sent, from_deleted(draft, 3, 2, seen, a_spec(), LATER), LATER)
    check_change(None, from_nothing(draft, 3, LATER), LATER)


@pytest.mark.parametrize("sweep_state", SweepState)
def test_what_is_asked_for_a_trial_between_attempts_is_told(sweep_state: SweepState) -> None:
    trial = a_trial(state=TrialState.INTERRUPTED, phase=Phase.FAILED, ended_at=NOW)

    action = care(trial, a_sweep(state=sweep_state), a_spec(), LATER, QUARANTINE)

    if action is not None:
        check_action(action, trial, LATER)


def test_a_past_that_is_set_right_is_recorded_over_the_trial_as_it_was() -> None:
    trial = a_trial(seen_at=after(hours=1))

    action = care(trial, a_sweep(), a_spec(), LATER, QUARANTINE)

    assert isinstance(action, Record)
    check_action(action, trial, LATER)
