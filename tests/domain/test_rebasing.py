from datetime import timedelta
from typing import Any

import pytest

from sweeper.domain.rebasing import SLACK, rebased
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
