from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sweeper.domain.catching_up import (
    NOT_CREATED,
    ON_RECORD_FOR,
    Trace,
    attempted,
    is_unknown,
    newest_traces,
    passed_over,
    taken_up,
)
from sweeper.domain.phase import Phase
from sweeper.domain.rebuilding import NO_TRACE
from sweeper.domain.record import EventKind
from sweeper.domain.trial import FailureClass, Observation, Trial, TrialState
from tests.domain.acts import check_change
from tests.support.builders import (
    NOW,
    QUARANTINE,
    SWEEP_ID,
    a_draft,
    a_spec,
    a_submission,
    a_trial,
    after,
    workload_name,
)

PREFIX = f"demo-{SWEEP_ID}-"
LATER = after(hours=1)


def seen(name: str, phase: Phase = Phase.RUNNING, **fields: Any) -> Observation:
    return Observation(workload_id=f"id of {name}", name=name, phase=phase, **fields)


def a_trace(attempt: int, phase: Phase = Phase.RUNNING, **fields: Any) -> Trace:
    one = seen(workload_name(0, attempt), phase, created_at=after(minutes=5), **fields)
    return Trace(number=0, attempt=attempt, seen=one)


def test_the_newest_attempt_of_each_trial_counts_and_no_other_name() -> None:
    names = [f"{PREFIX}3-1", f"{PREFIX}3-2", f"{PREFIX}1-1", f"{PREFIX}3-3-copy", "other-9-1"]

    traces = newest_traces(PREFIX, map(seen, names))

    assert [(number, one.attempt) for number, one in traces.items()] == [(1, 1), (3, 2)]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_one_name_the_living_training_counts(is_first: bool) -> None:
    both = [seen(f"{PREFIX}0-1"), seen(f"{PREFIX}0-1", deleted_at=NOW)]

    traces = newest_traces(PREFIX, both if is_first else reversed(both))

    assert traces[0].seen.deleted_at is None


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        pytest.param(None, True, id="no row"),
        pytest.param(a_trial(0), True, id="an older attempt"),
        pytest.param(a_trial(0, state=TrialState.FAILED), True, id="retried by a person"),
        pytest.param(a_trial(0, state=TrialState.COMPLETED), False, id="completed"),
        pytest.param(a_trial(0, submission=a_submission(0, attempt=2)), False, id="the same"),
        pytest.param(a_trial(0, submission=a_submission(0, attempt=3)), False, id="a later one"),
    ],
)
def test_what_the_store_has_already_is_not_unknown(trial: Trial | None, expected: bool) -> None:
    assert is_unknown(a_trace(2), trial) is expected


@pytest.mark.parametrize(
    ("trial", "spent"),
    [
        pytest.param(None, 2, id="no row"),
        pytest.param(a_trial(0), 2, id="at work when last written"),
        pytest.param(
            a_trial(0, submission=a_submission(0, ended_at=NOW), retries={}), 1, id="judged"
        ),
    ],
)
def test_attempts_that_nobody_judged_count_against_every_budget(
    trial: Trial | None, spent: int
) -> None:
    after_all = attempted(trial, a_trace(3), a_draft(0, 3, None), LATER)

    assert after_all.submission.attempt == 3
    assert after_all.retries == dict.fromkeys(FailureClass, spent)


def test_a_row_is_written_over_at_its_version() -> None:
    failed = a_trial(0, state=TrialState.FAILED, ended_at=NOW, version=7)

    trial = attempted(failed, a_trace(2), a_draft(0, 2, None), LATER)

    assert (trial.version, trial.state, trial.ended_at) == (7, TrialState.SUBMITTING, None)


@pytest.mark.parametrize(
    ("trace", "state"),
    [
        pytest.param(a_trace(1), TrialState.ACTIVE, id="running"),
        pytest.param(a_trace(1, Phase.COMPLETED), TrialState.COMPLETED, id="completed"),
        pytest.param(
            a_trace(1, Phase.COMPLETED, deleted_at=LATER), TrialState.COMPLETED, id="and deleted"
        ),
        pytest.param(a_trace(1, deleted_at=LATER), TrialState.INTERRUPTED, id="deleted alive"),
    ],
)
def test_a_training_is_taken_up_as_it_stands(trace: Trace, state: TrialState) -> None:
    change = taken_up(attempted(None, trace, a_draft(0, 1, None), LATER), trace, a_spec(), LATER)

    assert change.trial.state is state
    assert change.trial.submission.workload_id == trace.seen.workload_id
    assert next(event.outcome for event in change.events) == "unknown"


def test_what_was_never_created_is_submitted_anew_after_the_quarantine() -> None:
    trial = passed_over(a_draft(4, 1, None), 4, NOW, LATER, QUARANTINE).trial

    assert (trial.number, trial.state) == (4, TrialState.INTERRUPTED)
    assert trial.retry_at == LATER + QUARANTINE
    assert not trial.holds_slot


def test_what_may_have_been_forgotten_is_left_to_a_person() -> None:
    now = NOW + ON_RECORD_FOR

    trial = passed_over(a_draft(4, 1, None), 4, NOW, now, QUARANTINE).trial

    assert trial.state is TrialState.FAILED
    assert "no trace" in trial.reason


@pytest.mark.parametrize("created_at", [None, after(minutes=5)])
@pytest.mark.parametrize("trial", [None, a_trial(0, reason="why", params={"lr": 0})])
def test_an_attempt_taken_up_began_when_its_training_was_created(
    trial: Trial | None, created_at: datetime | None
) -> None:
    trace = a_trace(2)
    trace = replace(trace, seen=replace(trace.seen, created_at=created_at))

    taken = attempted(trial, trace, a_draft(0, 2, None), LATER)

    since = created_at or LATER
    assert (taken.submission.intent_at, taken.submission.sent_at) == (since, since)
    assert (taken.number, taken.state_since, taken.reason) == (0, LATER, "")
    assert (taken.retry_at, taken.failure) == (None, None)


def test_budgets_used_up_before_are_added_to() -> None:
    kind = FailureClass.INFRASTRUCTURE
    trial = a_trial(0, submission=a_submission(0, ended_at=NOW), retries={kind: 2})

    assert attempted(trial, a_trace(3), a_draft(0, 3, None), LATER).retries[kind] == 3


def test_an_attempt_taken_up_is_told_with_what_was_found() -> None:
    trial = attempted(None, a_trace(1), a_draft(0, 1, None), LATER)

    change = taken_up(trial, a_trace(1, Phase.STOPPED), a_spec(), LATER)

    first, *others = change.events
    assert (first.kind, first.outcome, first.at) == (EventKind.LOOK_UP, "unknown", LATER)
    assert first.detail == "the store was older than this"
    check_change(trial, replace(change, events=tuple(others)), LATER)


@pytest.mark.parametrize("since", [NOW, LATER - ON_RECORD_FOR])
def test_a_trial_passed_over_is_told(since: datetime) -> None:
    change = passed_over(a_draft(3, 1, None), 3, since, LATER, QUARANTINE)

    trial = change.trial
    check_change(None, change, LATER)
    assert (trial.number, trial.submission.attempt, trial.created_at) == (3, 1, LATER)
    assert trial.reason == trial.submission.reason == (NO_TRACE if since != NOW else NOT_CREATED)
