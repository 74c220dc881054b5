from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.sweepfile.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (90, timedelta(seconds=90)),
        (0.5, timedelta(milliseconds=500)),
        (0, timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("7h", timedelta(hours=7)),
        ("2d", timedelta(days=2)),
        ("1.5h", timedelta(minutes=90)),
        (" 10 m ", timedelta(minutes=10)),
    ],
)
def test_a_duration_is_seconds_or_has_a_unit(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("10", "write seconds, or 90s"),
        ("1h30m", "write seconds, or 90s"),
        ("-1s", "write seconds, or 90s"),
        (True, "write seconds, or 90s"),
        (None, "write seconds, or 90s"),
        ([1], "write seconds, or 90s"),
        (-1, "0 or more"),
        (float("nan"), "0 or more"),
        (float("inf"), "0 or more"),
        ("4000d", "ten years"),
        (10**100, "ten years"),
        (10**400, "ten years"),
        (-(10**400), "0 or more"),
    ],
)
def test_anything_else_is_no_duration(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_duration(written)


@given(st.text(max_size=10))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert parse_duration(text) >= timedelta(0)
    except ValueError as error:
        assert "write" in str(error)  # noqa: PT017 - either outcome is right
