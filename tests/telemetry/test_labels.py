import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.trial import FailureClass, TrialState
from sweeper.runai.operations import Operation
from sweeper.telemetry import labels

_TRANSPORT_WORDS = [
    *("connect", "pool", "timeout", "network", "protocol", "oversized", "cancelled", "error")
]


def test_every_operation_of_the_client_is_known() -> None:
    assert frozenset(Operation) == labels.OPERATIONS


def test_every_class_of_failure_may_cause_a_resubmit() -> None:
    assert set(FailureClass) < set(labels.RESUBMITS)


def test_every_terminal_state_is_an_outcome() -> None:
    assert set(labels.OUTCOMES) == {state for state in TrialState if state.is_terminal}


def test_what_is_not_known_becomes_other() -> None:
    assert labels.known("create", labels.OPERATIONS) == "create"
    assert labels.known("trial-7", labels.OPERATIONS) == "other"


@pytest.mark.parametrize(
    ("status", "label"),
    [
        ("503", "503"),
        ("418", "4xx"),
        ("599", "5xx"),
        ("302", "3xx"),
        ("100", "1xx"),
        ("999", "other"),
        ("099", "other"),
        ("20", "other"),
        ("٢٠٠", "other"),
        ("", "other"),
        *((word, word) for word in _TRANSPORT_WORDS),
    ],
)
def test_a_status_is_kept_or_becomes_its_class(status: str, label: str) -> None:
    assert labels.status_label(status) == label


@given(st.text(max_size=5) | st.integers(0, 9999).map(str))
def test_statuses_stay_within_a_fixed_set(status: str) -> None:
    expected = {"200 201 202 204 400 401 403 404 405 409 413 415 422 429", "500 501 502 503 504"}
    words = {word for line in expected for word in line.split()}
    classes = {"1xx", "2xx", "3xx", "4xx", "5xx", "other"}

    assert labels.status_label(status) in words | classes | set(_TRANSPORT_WORDS)


def test_a_name_becomes_one_line_of_bounded_length() -> None:
    assert labels.text_label("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert len(labels.text_label("x" * 10_000)) == 200
    assert labels.text_label(None) == ""
