from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.wording import phrase_duration, printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("größer 🛑", "größer 🛑"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\u202eright to left", r"\u202eright to left"),
        ("half a pair \ud800", r"half a pair \ud800"),
        ("nul\x00", r"nul\x00"),
    ],
)
def test_what_cannot_be_printed_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_becomes_one_line_that_can_be_encoded(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown


def test_a_text_is_shortened_to_exactly_its_bound() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-3), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=3, seconds=5), "3m05s"),
        (timedelta(hours=2, minutes=3, seconds=59), "2h03m"),
        (timedelta(days=4, hours=1), "4d01h"),
    ],
)
def test_a_duration_has_two_units_at_most(length: timedelta, words: str) -> None:
    assert phrase_duration(length) == words
