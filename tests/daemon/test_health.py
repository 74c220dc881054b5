from datetime import timedelta

import pytest

from sweeper.daemon.health import AUTH_PAUSE, CALLS_AT_ONCE, FORBIDDEN_PAUSE, Health
from sweeper.domain.policy import LONGEST_WAIT
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    NotSentError,
    RejectedError,
    TransientError,
)
from tests.support.builders import NOW, after


def test_a_new_daemon_may_call_but_not_many_at_once() -> None:
    health = Health()

    assert health.may_call(NOW)
    assert health.may_create(NOW)
    assert (health.calls_at_once, health.trouble) == (1, "")


def test_a_failed_reading_leaves_the_control_plane_alone_for_longer_each_time() -> None:
    health = Health()
    waits = []

    for _ in range(20):
        health.fail(TransientError("503"), NOW)
        assert health.calls_after is not None
        waits.append((health.calls_after - NOW).total_seconds())

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (3.0, 15.0)
    assert health.trouble == "503"


def test_a_good_reading_ends_the_wait() -> None:
    health = Health()
    health.fail(TransientError("503"), NOW)

    health.read_well()

    assert health.may_call(NOW)
    assert (health.failures, health.trouble) == (0, "")


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30), (1.0, 3), (10.0**9, 900)])
def test_the_control_plane_is_left_alone_as_long_as_it_asks(asked: float, wait: int) -> None:
    health = Health()

    health.fail(TransientError("503", retry_after=asked), NOW)

    assert not health.may_call(after(seconds=wait - 1))
    assert health.may_call(after(seconds=wait))


def test_a_clock_set_back_ends_the_wait() -> None:
    health = Health()
    health.fail(AuthError("refused"), NOW)

    assert not health.may_call(NOW)
    assert health.may_call(NOW - LONGEST_WAIT)


@pytest.mark.parametrize(
    ("errors", "proven"),
    [
        ([None], True),
        ([RejectedError("400")], True),
        ([ForbiddenError("403")], True),
        ([TransientError("503"), None], True),
        ([TransientError("503"), AmbiguousError("cut")], False),
        ([NotSentError("no connection")], False),
    ],
)
def test_calls_prove_a_control_plane_that_answers(
    errors: list[ControlPlaneError | None], proven: bool
) -> None:
    health = Health()

    health.called(errors, NOW)

    assert health.is_proven is proven
    assert health.calls_at_once == (CALLS_AT_ONCE if proven else 1)
    assert health.may_call(NOW)


def test_a_refused_token_pauses_all_calls() -> None:
    health = Health()

    health.called([None, AuthError("refused")], NOW)

    assert not health.may_call(NOW + AUTH_PAUSE - timedelta(seconds=1))
    assert health.may_call(NOW + AUTH_PAUSE)


def test_a_failed_create_pauses_creates_only() -> None:
    health = Health()

    health.create_failed(AmbiguousError("503"), NOW)

    assert not health.may_create(after(seconds=2))
    assert health.may_create(after(seconds=3))
    assert health.may_call(NOW)
    assert not health.is_creating_well
    assert health.trouble == "creates fail: 503"


def test_a_forbidden_create_pauses_creates_for_minutes() -> None:
    health = Health()

    health.create_failed(ForbiddenError("403"), NOW)

    assert not health.may_create(NOW + FORBIDDEN_PAUSE - timedelta(seconds=1))
    assert health.may_create(NOW + FORBIDDEN_PAUSE)
    health.read_well()
    assert health.trouble == "creates are forbidden: 403"


def test_a_create_that_is_answered_ends_the_pause() -> None:
    health = Health()
    health.create_failed(AmbiguousError("503"), NOW)

    health.created()

    assert health.may_create(NOW)
    assert health.is_creating_well
    assert health.trouble == ""


def test_nothing_is_known_to_be_refused_or_not_until_the_control_plane_answers() -> None:
    health = Health()

    before = health.refusal
    health.read_well()
    answered = health.refusal
    health.fail(TransientError("503"), NOW)

    assert (before, answered, health.refusal) == (None, "", None)


def test_a_refused_token_needs_a_person_until_it_is_taken_again() -> None:
    health = Health()
    health.fail(AuthError("the secret is wrong"), NOW)
    health.fail(TransientError("503"), NOW)

    refused = health.refusal
    health.read_well()

    assert refused == "the control plane lets us in no more: the secret is wrong"
    assert health.refusal == ""


def test_forbidden_creates_need_a_person_until_one_is_answered() -> None:
    health = Health()
    health.create_failed(ForbiddenError("403"), NOW)
    health.read_well()

    refused = health.refusal
    health.created()

    assert refused == "creates are forbidden: 403"
    assert health.refusal == ""
