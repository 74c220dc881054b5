"""What a person reads of a trial: why it waits, why it is held, why it ended; to the letter."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from sweeper.domain.caring import care
from sweeper.domain.change import Change
from sweeper.domain.judging import Verdict
from sweeper.domain.observing import observe
from sweeper.domain.phase import Phase
from sweeper.domain.rebuilding import NO_TRACE, from_nothing
from sweeper.domain.record import EventKind, SweepState
from sweeper.domain.settling import (
    call_failed,
    cancelled,
    failed,
    foreign,
    given_up,
    gone,
    left_open,
    not_adopted,
    refused,
    reopened,
    unsent,
)
from sweeper.domain.sweep import ResumeSpec, RetryRule, RetrySpec, UserSuspended
from sweeper.domain.trial import FailureClass, Trial, TrialState
from tests.support.builders import (
    NOW,
    QUARANTINE,
    a_draft,
    a_spec,
    a_sweep,
    a_trial,
    after,
    an_observation,
)

LATER = after(seconds=60)
Reason: TypeAlias = Callable[[], str]
TWICE = RetrySpec(application=RetryRule(attempts=2))
CRASHED = Verdict(failure=FailureClass.APPLICATION, reason="exit code 3")


def stopped(**policy: Any) -> str:
    trial = a_trial(resume_sent_at=NOW, quick_stops=2)
    seen = an_observation(Phase.STOPPED, of=trial)
    return observe(trial, seen, LATER, ResumeSpec(**policy)).trial.reason


def read(trial: Trial, phase: Phase) -> str:
    return observe(trial, an_observation(phase, of=trial), LATER, ResumeSpec()).trial.reason


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (lambda: read(a_trial(), Phase.PENDING), "preempted"),
        (lambda: read(a_trial(), Phase.RESUMING), "being resumed"),
        (lambda: read(a_trial(), Phase.STOPPING), "being suspended"),
        (lambda: read(a_trial(suspend_sent_at=NOW), Phase.STOPPED), "suspended by us"),
        (lambda: read(a_trial(), Phase.STOPPED), "suspended by someone else"),
        (
            lambda: read(a_trial(state=TrialState.HELD, phase=Phase.STOPPED), Phase.PENDING),
            "resumed by someone else",
        ),
        (
            lambda: stopped(user_suspended=UserSuspended.LEAVE),
            "suspended by someone else; left alone as `resume` asks",
        ),
        (
            lambda: stopped(hold_after=3),
            "suspended 3 times soon after our resume: someone wants it stopped; resume it by "
            "hand, or `sweeper retry`",
        ),
    ],
)
def test_an_interruption_says_whose_doing_it_is(reason: Reason, expected: str) -> None:
    assert reason() == expected


def cared(trial: Trial, state: SweepState = SweepState.OPEN, **later: float) -> str:
    action = care(trial, a_sweep(state=state), a_spec(), after(**later), QUARANTINE)
    assert action is not None
    return action.trial.reason


def for_an_hour(phase: Phase, **fields: Any) -> Trial:
    return a_trial(phase=phase, seen_at=after(hours=1), **fields)


STUCK = "stuck in Deleting; look at it on the cluster"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            lambda: cared(for_an_hour(Phase.CREATING), hours=1),
            "in phase Creating for longer than 0:10:00",
        ),
        (
            lambda: cared(for_an_hour(Phase.DELETING), hours=1),
            "in phase Deleting for longer than 0:15:00: look at it on the cluster",
        ),
        pytest.param(
            lambda: cared(for_an_hour(Phase.DELETING, delete_sent_at=NOW), hours=1),
            STUCK,
            id="deleted by us",
        ),
        pytest.param(
            lambda: cared(for_an_hour(Phase.DELETING, cancel_asked_at=NOW), hours=1),
            STUCK,
            id="given up",
        ),
        (
            lambda: cared(a_trial(state=TrialState.INTERRUPTED, phase=Phase.STOPPED, resumes=20)),
            "resumed 20 times without running again",
        ),
        (
            lambda: cared(
                a_trial(state=TrialState.SUBMITTING, workload_id=None, sent_at=None),
                SweepState.STOPPED,
            ),
            "not submitted: the sweep stopped",
        ),
        (
            lambda: cared(a_trial(state=TrialState.INTERRUPTED, ended_at=NOW), SweepState.STOPPED),
            "not tried again: the sweep stopped",
        ),
    ],
)
def test_what_is_given_up_or_held_says_why(reason: Reason, expected: str) -> None:
    assert reason() == expected


def test_a_timeout_is_told_of_the_trial_and_kept_with_its_attempt() -> None:
    action = care(for_an_hour(Phase.CREATING), a_sweep(), a_spec(), after(hours=1), QUARANTINE)

    assert action is not None
    assert action.trial.reason == action.trial.submission.reason


def submitting(**fields: Any) -> Trial:
    return a_trial(state=TrialState.SUBMITTING, workload_id=None, **fields)


@pytest.mark.parametrize(
    "settle",
    [
        lambda: left_open(submitting(), LATER, "no answer in time"),
        lambda: unsent(submitting(), LATER, "no answer in time", outcome="not_sent", wait=None),
        lambda: not_adopted(submitting(), LATER, "no answer in time"),
        lambda: foreign(submitting(), LATER, "no answer in time"),
    ],
    ids=["left open", "unsent", "not adopted", "foreign"],
)
def test_the_words_for_a_create_stand_at_the_trial_and_in_the_record(
    settle: Callable[[], Change],
) -> None:
    change = settle()

    assert change.trial.reason == "no answer in time"
    assert change.events[0].detail == "no answer in time"


def test_a_refusal_stands_at_the_trial_at_its_attempt_and_in_the_record() -> None:
    change = refused(submitting(), LATER, "400: no such image")

    assert change.trial.reason == "refused: 400: no such image"
    assert change.trial.submission.reason == "400: no such image"
    assert change.events[0].detail == "400: no such image"


def test_a_failed_call_is_recorded_with_its_words() -> None:
    change = call_failed(a_trial(), LATER, EventKind.DELETE, "503", None)

    assert [event.detail for event in change.events] == ["503"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            lambda: failed(a_trial(), CRASHED, RetrySpec(), LATER).trial.reason,
            "application: exit code 3",
        ),
        (
            lambda: failed(a_trial(), CRASHED, TWICE, LATER).trial.reason,
            "application: exit code 3; retry 1 of 2",
        ),
        (
            lambda: (
                failed(
                    a_trial(), Verdict(failure=None, reason="preempted: Evict"), TWICE, LATER
                ).trial.reason
            ),
            "preempted: Evict",
        ),
        (
            lambda: (
                gone(a_trial(), None, RetrySpec(vanished=RetryRule(attempts=0)), LATER).trial.reason
            ),
            "vanished: deleted while it lived",
        ),
        (
            lambda: (
                gone(
                    a_trial(), an_observation(Phase.FAILED, of=a_trial()), RetrySpec(), LATER
                ).trial.reason
            ),
            "application: it failed, then was deleted",
        ),
        (lambda: cancelled(a_trial(), LATER).trial.reason, "cancelled"),
        (lambda: given_up(a_trial(), LATER, "the sweep stopped").trial.reason, "the sweep stopped"),
        pytest.param(
            lambda: reopened(a_trial(state=TrialState.FAILED), LATER).trial.reason,
            "retry asked for",
            id="failed",
        ),
        pytest.param(
            lambda: reopened(a_trial(state=TrialState.HELD), LATER).trial.reason,
            "retry asked for",
            id="held",
        ),
        (lambda: from_nothing(a_draft(3, 1, None), 3, LATER).trial.reason, NO_TRACE),
    ],
)
def test_an_end_says_why(reason: Reason, expected: str) -> None:
    assert reason() == expected


def test_an_attempt_keeps_why_it_ended() -> None:
    assert failed(a_trial(), CRASHED, TWICE, LATER).trial.submission.reason == "exit code 3"
    assert from_nothing(a_draft(3, 1, None), 3, LATER).trial.submission.reason == NO_TRACE
