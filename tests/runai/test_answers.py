from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.answers import (
    MAX_RETRY_AFTER_SECONDS,
    MAX_TEXT,
    finite,
    read_date,
    read_retry_after,
    show,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 2.5 ", 2.5, id="fraction"),
        pytest.param("0", 0.0, id="zero"),
        pytest.param("-30", 0.0, id="negative"),
        pytest.param("86400", MAX_RETRY_AFTER_SECONDS, id="a day"),
        pytest.param("9" * 5000, MAX_RETRY_AFTER_SECONDS, id="absurd"),
        pytest.param("Sun, 01 Mar 2026 12:00:20 GMT", 20.0, id="date"),
        pytest.param("Sun, 01 Mar 2026 11:00:00 GMT", 0.0, id="date in the past"),
        pytest.param("Fri, 01 Jan 2100 00:00:00 GMT", MAX_RETRY_AFTER_SECONDS, id="far date"),
        pytest.param("Sun, 01 Mar 2026 12:00:20 -0000", 20.0, id="date without zone"),
        pytest.param("soon", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param("nan", None, id="nan"),
        pytest.param("inf", None, id="infinity"),
        pytest.param("1e9", None, id="exponent"),
        pytest.param("١٢", None, id="other digits"),
    ],
)
def test_retry_after_is_read_and_clamped(text: str, expected: float | None) -> None:
    assert read_retry_after({"retry-after": text}, NOW) == expected


def test_a_retry_date_is_compared_with_the_clock_of_who_wrote_it() -> None:
    headers = {
        "retry-after": "Sun, 01 Mar 2026 18:00:20 GMT",
        "date": "Sun, 01 Mar 2026 18:00:00 GMT",
    }

    assert read_retry_after(headers, NOW) == 20.0


def test_without_the_header_there_is_no_wait() -> None:
    assert read_retry_after({}, NOW) is None


@given(st.text())
def test_any_retry_after_is_within_its_bounds(text: str) -> None:
    seconds = read_retry_after({"retry-after": text}, NOW)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS


@given(st.text())
def test_any_text_reads_as_a_date_or_as_none(text: str) -> None:
    at = read_date(text)

    assert at is None or at.tzinfo is UTC


def test_a_servers_words_are_cut_and_their_control_characters_escaped() -> None:
    shown = show("a\x1b[31m\n\r\x00\u202e" + "b" * 10_000)

    assert shown.startswith("a\\x1b[31m\\n\\r\\x00\\u202eb")
    assert shown.endswith("b…")
    assert len(shown) <= 2 * MAX_TEXT


@given(st.text())
def test_whatever_is_shown_is_printable(text: str) -> None:
    assert show(text).isprintable()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(3600, 3600.0, id="integer"),
        pytest.param("3600", 3600.0, id="integer as text"),
        pytest.param(1.5, 1.5, id="fraction"),
        pytest.param(True, None, id="truth"),
        pytest.param(None, None, id="nothing"),
        pytest.param("", None, id="empty text"),
        pytest.param("nan", None, id="not a number"),
        pytest.param(float("inf"), None, id="infinity"),
        pytest.param(10**400, None, id="beyond a double"),
        pytest.param([1], None, id="a list"),
    ],
)
def test_only_finite_numbers_are_numbers(value: object, expected: float | None) -> None:
    assert finite(value) == expected
