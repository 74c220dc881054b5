from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.rebuilding import from_deleted, from_living, from_nothing, sweep_ids
from sweeper.domain.settling import reopened
from sweeper.domain.trial import FailureClass, Observation, TrialState
from tests.support.builders import NOW, a_draft, a_spec, after, workload_id, workload_name

SPEC = a_spec()


def seen(phase: Phase, **fields: Any) -> Observation:
    given: dict[str, Any] = {"created_at": NOW, "phase": phase}
    return Observation(workload_id=workload_id(3, 2), name=workload_name(3, 2), **given | fields)


def test_names_tell_the_sweeps_that_they_belong_to() -> None:
    names = [
        "demo-abcdefghij-0-1",
        "demo-abcdefghij-1-1",
        "demo-234567abcd-0-1",
        "demo-abcdefghij-0-1-copy",
        "demo-abcdefghi1-0-1",
        "demo-more-abcdefghij-0-1",
        "demo-abcdefghij",
    ]

    assert sweep_ids("demo", names) == {"abcdefghij": 2, "234567abcd": 1}


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.RUNNING, TrialState.ACTIVE),
        (Phase.PENDING, TrialState.ACTIVE),
        (Phase.STOPPED, TrialState.INTERRUPTED),
        (Phase.COMPLETED, TrialState.COMPLETED),
        (Phase.FAILED, TrialState.ACTIVE),
    ],
)
def test_a_training_that_is_there_gives_its_trial_back(phase: Phase, state: TrialState) -> None:
    trial = from_living(a_draft(3, 2, None), 3, 2, seen(phase), SPEC, after(hours=1)).trial

    assert (trial.number, trial.state, trial.version) == (3, state, 0)
    assert (trial.submission.attempt, trial.submission.phase) == (2, phase)
    assert trial.submission.workload_id == workload_id(3, 2)
    assert trial.created_at == trial.submission.sent_at == NOW


@pytest.mark.parametrize(
    ("phase", "state", "failure"),
    [
        (Phase.COMPLETED, TrialState.COMPLETED, None),
        (Phase.FAILED, TrialState.FAILED, FailureClass.APPLICATION),
        (Phase.RUNNING, TrialState.INTERRUPTED, FailureClass.VANISHED),
    ],
)
def test_a_deleted_one_ends_its_attempt_as_it_ended(
    phase: Phase, state: TrialState, failure: FailureClass | None
) -> None:
    last = seen(phase, deleted_at=NOW)

    trial = from_deleted(a_draft(3, 2, None), 3, 2, last, SPEC, after(hours=1)).trial

    assert (trial.state, trial.failure) == (state, failure)
    assert not trial.holds_slot
    submission = trial.submission
    assert (submission.workload_id, submission.phase) == (workload_id(3, 2), phase)
    assert (trial.created_at, submission.created_at, submission.intent_at) == (NOW, NOW, NOW)


def test_what_left_nothing_fails_and_can_be_retried() -> None:
    trial = from_nothing(a_draft(3, 1, None), 3, NOW).trial

    assert (trial.state, trial.holds_slot) == (TrialState.FAILED, False)
    assert "no trace" in trial.reason
    assert reopened(trial, NOW).trial.state is TrialState.INTERRUPTED


@pytest.mark.parametrize("since", [None, NOW])
def test_what_the_file_says_of_an_attempt_is_known_again(since: datetime | None) -> None:
    draft = replace(a_draft(3, 2, None), gpus=Fraction(1, 3))
    now = after(hours=1)

    for making, phase in ((from_living, Phase.RUNNING), (from_deleted, Phase.FAILED)):
        trial = making(draft, 3, 2, replace(seen(phase), created_at=since), SPEC, now).trial

        submission = trial.submission
        assert (trial.number, trial.params) == (3, draft.params)
        assert (submission.attempt, submission.workload_name) == (2, draft.workload_name)
        assert (submission.digest, submission.gpus) == (draft.digest, Fraction(1, 3))
        assert (trial.created_at, submission.sent_at) == (since or now, since or now)


def test_what_left_nothing_is_told_as_vanished_and_never_sent() -> None:
    change = from_nothing(a_draft(3, 1, None), 3, NOW)

    trial = change.trial
    assert (trial.number, trial.submission.attempt, trial.created_at) == (3, 1, NOW)
    assert (trial.failure, trial.submission.sent_at) == (FailureClass.VANISHED, None)
    assert [event.at for event in change.events] == [NOW]
