from datetime import timedelta

import pytest

from sweeper.domain.sweep import ResumeSpec, RetryRule, RetrySpec, TimeoutsSpec, UserSuspended
from tests.sweepfile.files import PLAIN, spec_of, the_fault


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_without_a_word_the_defaults_hold() -> None:
    found = spec_of(PLAIN + "retry:\nresume: {}\ntimeouts: ~\n")

    assert found.retry == RetrySpec()
    assert found.resume == ResumeSpec()
    assert found.timeouts == TimeoutsSpec()
    assert found.cleanup == timedelta(days=7)


def test_a_budget_may_be_a_count_or_a_rule() -> None:
    found = spec_of(
        PLAIN
        + "retry:\n  application: 2\n  infrastructure: {attempts: 5, backoff: 1m}\n"
        + "  timeout: {attempts: 1, only_exit: [1, 2], unless_exit: [3]}\n"
    ).retry

    assert found == RetrySpec(
        application=RetryRule(attempts=2),
        infrastructure=RetryRule(attempts=5, backoff=seconds(60)),
        timeout=RetryRule(attempts=1, only_exit=frozenset({1, 2}), unless_exit=frozenset({3})),
    )


def test_resuming_can_be_changed() -> None:
    found = spec_of(
        PLAIN + "resume: {enabled: false, max: 0, backoff: 5, user_suspended: leave, hold_after: 0}"
    ).resume

    assert found == ResumeSpec(
        enabled=False,
        max=0,
        backoff=seconds(5),
        user_suspended=UserSuspended.LEAVE,
        hold_after=0,
    )


def test_a_timeout_may_be_taken_away() -> None:
    found = spec_of(PLAIN + "timeouts: {running: 12h, creating: null, stopping: 90}").timeouts

    assert found == TimeoutsSpec(running=seconds(43200), creating=None, stopping=seconds(90))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("keep", None), ("{after: 3d}", timedelta(days=3)), ("{after: 0}", timedelta(0))],
)
def test_cleanup_keeps_or_names_a_time(written: str, meant: timedelta | None) -> None:
    assert spec_of(PLAIN + f"cleanup: {written}").cleanup == meant


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("retry: 3", "retry", "3 is no mapping: write {application: 1, infrastructure: 3}"),
        ("retry: {application: -1}", "retry.application", "-1 is too small"),
        ("retry: {application: true}", "retry.application", "true is no mapping: write a count"),
        ("retry: {aplication: 1}", "retry.aplication", "did you mean application?"),
        ("retry: {timeout: {backoff: 1}}", "retry.timeout.attempts", "attempts is missing"),
        (
            "retry: {timeout: {attempts: 1, unless_exits: [1]}}",
            "retry.timeout.unless_exits",
            "did you mean unless_exit?",
        ),
        (
            "retry: {timeout: {attempts: 1, only_exit: [300]}}",
            "retry.timeout.only_exit[0]",
            "300 is too large: write 255 or less",
        ),
        (
            "retry: {timeout: {attempts: 1, only_exit: []}}",
            "retry.timeout.only_exit",
            "write 1 or more",
        ),
        ("retry: {timeout: {attempts: 1, backoff: x}}", "retry.timeout.backoff", "length of time"),
        ("resume: {max: 1.5}", "resume.max", "1.5 is no whole number"),
        ("resume: {enabled: 1}", "resume.enabled", "write one of them"),
        ("resume: {user_suspended: ignore}", "resume.user_suspended", "write 'resume' or 'leave'"),
        ("timeouts: {running: 0}", "timeouts.running", "write more than 0"),
        ("timeouts: {pending: 1h}", "timeouts.pending", "unknown key"),
        ("cleanup: never", "cleanup", "write keep, or {after: 7d}"),
        ("cleanup: 7", "cleanup", "7 is no mapping"),
        ("cleanup: {}", "cleanup.after", "after is missing"),
        ("cleanup: {after: -1}", "cleanup.after", "write 0 or more"),
    ],
)
def test_what_does_not_fit_is_a_fault(written: str, path: str, said: str) -> None:
    fault = the_fault(PLAIN + written)

    assert (fault.line, fault.path) == (6, path)
    assert said in fault.message
