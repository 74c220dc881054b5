from datetime import timedelta
from typing import Any

import pytest

from sweeper.domain.rebasing import SLACK, jump, rebased, shifted
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


@pytest.mark.parametrize(
    ("seconds", "off"),
    [(-61, -61), (-60, 0), (0, 0), (15, 0), (75, 0), (76, 61), (86400, 86385)],
)
def test_a_clock_has_jumped_when_it_is_where_it_cannot_be(seconds: int, off: int) -> None:
    expected = (NOW, after(seconds=15))

    assert jump(expected, after(seconds=seconds)) == timedelta(seconds=off)
