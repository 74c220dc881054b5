from datetime import timedelta
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.rebasing import SLACK, rebased, shifted, watched_anew
from sweeper.domain.sweep import TimeoutsSpec
from sweeper.domain.trial import Submission
from tests.support.builders import NOW, a_submission, a_trial, after

PAST = [
    "sent_at",
    "looked_up_at",
    "phase_since",
    "seen_at",
    "running_since",
    "resume_sent_at",
    "suspend_sent_at",
    "delete_sent_at",
    "missing_since",
    "lost_since",
]


@pytest.mark.parametrize("name", PAST)
def test_a_past_that_lies_ahead_becomes_the_present(name: str) -> None:
    fields: dict[str, Any] = {name: after(days=1)}
    trial = a_trial(**fields)

    assert getattr(rebased(trial, NOW).submission, name) == NOW


@pytest.mark.parametrize("ahead", [-SLACK, 0 * SLACK, SLACK])
def test_clocks_that_nearly_agree_change_nothing(ahead: timedelta) -> None:
    trial = a_trial(sent_at=NOW + ahead)

    assert rebased(trial, NOW) is trial


def test_what_is_right_stays_beside_what_is_not() -> None:
    trial = a_trial(sent_at=after(days=1), seen_at=after(seconds=-5))

    submission = rebased(trial, NOW).submission

    assert (submission.sent_at, submission.seen_at) == (NOW, after(seconds=-5))


def test_an_attempt_that_is_over_is_left_as_it_is() -> None:
    trial = a_trial(submission=a_submission(sent_at=after(days=1), ended_at=NOW))

    assert rebased(trial, NOW) is trial


def test_a_shift_moves_the_past_and_the_deadlines_along() -> None:
    fields: dict[str, Any] = dict.fromkeys(PAST, NOW)
    trial = a_trial(next_call_at=NOW, retry_at=NOW, **fields)

    moved = shifted(trial, timedelta(hours=1))

    times = [getattr(moved.submission, name) for name in [*PAST, "next_call_at"]]
    assert {*times, moved.retry_at} == {after(hours=1)}


def test_a_shift_makes_no_times_up() -> None:
    submission = Submission(attempt=1, workload_name="a", digest="0", intent_at=NOW)
    trial = a_trial(submission=submission)

    assert shifted(trial, timedelta(hours=1)) == trial


def test_an_unanswered_create_waits_anew_when_a_daemon_starts() -> None:
    trial = a_trial(workload_id=None, sent_at=after(days=-1), looked_up_at=after(days=-1))

    submission = watched_anew(trial, TimeoutsSpec(), NOW).submission

    assert (submission.sent_at, submission.looked_up_at) == (NOW, None)


def test_a_lost_training_is_waited_for_anew_when_a_daemon_starts() -> None:
    trial = a_trial(workload_id="w", sent_at=after(days=-2), lost_since=after(days=-1))

    submission = watched_anew(trial, TimeoutsSpec(), NOW).submission

    assert (submission.sent_at, submission.lost_since) == (after(days=-2), NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"workload_id": "w", "sent_at": NOW, "missing_since": NOW},
        {"workload_id": None, "sent_at": None},
        {"workload_id": None, "sent_at": NOW, "ended_at": NOW},
    ],
    ids=["its training is known", "nothing was sent", "it is over"],
)
def test_what_does_not_wait_for_an_absence_to_be_believed_is_left(fields: dict[str, Any]) -> None:
    trial = a_trial(submission=a_submission(**fields))

    assert watched_anew(trial, TimeoutsSpec(), after(days=1)) is trial


@pytest.mark.parametrize(
    ("limit", "since", "then"),
    [(600, -86400, -540), (600, -541, -540), (600, -540, -540), (600, -10, -10), (30, -86400, 0)],
)
def test_a_minute_is_left_of_each_phase_when_a_daemon_starts(
    limit: float, since: float, then: float
) -> None:
    timeouts = TimeoutsSpec(creating=timedelta(seconds=limit))
    trial = a_trial(phase=Phase.CREATING, phase_since=after(seconds=since))

    submission = watched_anew(trial, timeouts, NOW).submission

    assert submission.phase_since == after(seconds=then)


def test_a_phase_without_a_timeout_has_lasted_as_long_as_it_has() -> None:
    trial = a_trial(phase=Phase.PENDING, phase_since=after(days=-9))

    assert watched_anew(trial, TimeoutsSpec(), NOW) is trial
