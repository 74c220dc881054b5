from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.phase import Phase
from sweeper.domain.policy import (
    LONGEST_WAIT,
    asked_wait,
    backoff,
    call_delay,
    is_due,
    is_overdue,
    jittered,
    phase_timeout,
    resume_delay,
    retry_delay,
)
from sweeper.domain.sweep import RESUME_BACKOFF_CAP, ResumeSpec, RetryRule, TimeoutsSpec
from tests.support.builders import NOW, a_submission, after

SECOND = timedelta(seconds=1)
delays = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400))


@pytest.mark.parametrize(
    ("doublings", "seconds"), [(0, 30), (1, 60), (3, 240), (4, 480), (5, 600), (10**6, 600)]
)
def test_backoff_doubles_up_to_its_cap(doublings: int, seconds: int) -> None:
    assert backoff(30 * SECOND, doublings, timedelta(minutes=10)) == seconds * SECOND


@given(first=delays, doublings=st.integers(0, 10**9))
def test_no_backoff_is_longer_than_its_cap(first: timedelta, doublings: int) -> None:
    delay = backoff(first, doublings, RESUME_BACKOFF_CAP)

    assert min(first, RESUME_BACKOFF_CAP) <= delay <= RESUME_BACKOFF_CAP


@given(delay=delays, key=st.text(max_size=20))
def test_jitter_keeps_between_half_and_the_whole(delay: timedelta, key: str) -> None:
    assert delay / 2 <= jittered(delay, key) <= delay


def test_jitter_parts_trials_but_not_replays() -> None:
    delays = {key: jittered(60 * SECOND, key) for key in ("one", "two", "three")}

    assert len(set(delays.values())) == 3
    assert jittered(60 * SECOND, "one") == delays["one"]


def test_resumes_end_with_their_budget() -> None:
    policy = ResumeSpec(max=2)

    assert resume_delay(1, policy, "key") is not None
    assert resume_delay(2, policy, "key") is None


def test_a_resume_far_down_a_large_budget_still_has_a_delay() -> None:
    policy = ResumeSpec(max=10**6, backoff=timedelta(minutes=9))

    delay = resume_delay(500_000, policy, "key")

    assert delay is not None
    assert delay <= RESUME_BACKOFF_CAP


@pytest.mark.parametrize(
    ("used", "exit_code", "rule", "retries"),
    [
        pytest.param(0, 1, RetryRule(attempts=0), False, id="no budget"),
        pytest.param(1, 1, RetryRule(attempts=2), True, id="budget left"),
        pytest.param(2, 1, RetryRule(attempts=2), False, id="budget spent"),
        pytest.param(0, 7, RetryRule(attempts=1, only_exit=frozenset({7})), True, id="only"),
        pytest.param(0, 8, RetryRule(attempts=1, only_exit=frozenset({7})), False, id="not only"),
        pytest.param(0, 8, RetryRule(attempts=1, unless_exit=frozenset({8})), False, id="unless"),
        pytest.param(0, 7, RetryRule(attempts=1, unless_exit=frozenset({8})), True, id="other"),
        pytest.param(0, None, RetryRule(attempts=1, only_exit=frozenset({7})), True, id="unknown"),
        pytest.param(
            0,
            7,
            RetryRule(attempts=1, only_exit=frozenset({7}), unless_exit=frozenset({7})),
            False,
            id="both name it",
        ),
    ],
)
def test_a_retry_needs_budget_and_a_fitting_exit_code(
    used: int, exit_code: int | None, rule: RetryRule, retries: bool
) -> None:
    assert (retry_delay(used, rule, exit_code, "key") is not None) is retries


def test_a_failing_call_waits_longer_each_time_up_to_a_cap() -> None:
    waits = [call_delay(failed, "key") for failed in (1, 3, 5, 100)]

    assert waits == sorted(waits)
    assert SECOND <= waits[0] <= 2 * SECOND
    assert 45 * SECOND <= waits[-1] <= 90 * SECOND


@pytest.mark.parametrize(("asked", "at_least"), [(30.0, 30), (0.1, 1), (10**12, 900)])
def test_a_failing_call_waits_as_long_as_asked_within_reason(asked: float, at_least: int) -> None:
    wait = call_delay(1, "key", asked)

    assert at_least * SECOND <= wait <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("seconds", "due"), [(-1, True), (0, True), (1, False), (900, False), (901, True)]
)
def test_what_waits_is_due_in_time_or_when_no_wait_is_so_long(seconds: int, due: bool) -> None:
    assert is_due(after(seconds=seconds), NOW) is due


def test_what_was_not_put_off_is_due() -> None:
    assert is_due(None, NOW)


def test_phases_in_which_a_training_may_stay_for_ever_have_no_timeout() -> None:
    unbounded = {phase for phase in Phase if phase_timeout(phase, TimeoutsSpec()) is None}

    assert unbounded == {
        Phase.PENDING,
        Phase.RUNNING,
        Phase.UPDATING,
        Phase.DEGRADED,
        Phase.STOPPED,
        Phase.COMPLETED,
        Phase.FAILED,
        Phase.UNKNOWN,
    }


@pytest.mark.parametrize(("minutes", "overdue"), [(9, False), (10, True), (11, True)])
def test_a_phase_is_overdue_once_seen_for_longer_than_its_timeout(
    minutes: int, overdue: bool
) -> None:
    submission = a_submission(phase=Phase.CREATING, seen_at=after(minutes=minutes))

    assert is_overdue(submission, TimeoutsSpec()) is overdue


def test_a_phase_that_nobody_has_looked_at_is_not_overdue() -> None:
    submission = a_submission(phase=Phase.CREATING, seen_at=None)

    assert not is_overdue(submission, TimeoutsSpec())


def test_jitter_uses_the_whole_of_its_range() -> None:
    waits = [jittered(100 * SECOND, str(key)) for key in range(500)]

    assert min(waits) < 51 * SECOND
    assert max(waits) > 99 * SECOND


def test_nobody_who_asks_for_no_wait_is_kept_waiting() -> None:
    assert asked_wait(None) == asked_wait(0.0) == timedelta()
