import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.sweepfile.scalars import MAX_DIGITS, Scalar, resolve

GOLDEN: list[tuple[str, Scalar]] = [
    ("1e-4", 0.0001),
    ("5e-6", 5e-6),
    ("1e5", 100000.0),
    ("3E6", 3e6),
    (".5e3", 500.0),
    ("-1.5e+2", -150.0),
    ("1.", 1.0),
    (".5", 0.5),
    ("+0.5", 0.5),
    ("1_000.5", 1000.5),
    ("1", 1),
    ("-12", -12),
    ("+3", 3),
    ("0", 0),
    ("1_000", 1000),
    ("0x1F", 31),
    ("-0x1f", -31),
    ("0b101", 5),
    ("0o17", 15),
    ("017", 15),
    ("-017", -15),
    ("08", "08"),
    ("019", "019"),
    ("1:30", "1:30"),
    ("2024-01-01", "2024-01-01"),
    ("1.2.3", "1.2.3"),
    ("1e", "1e"),
    ("e5", "e5"),
    ("-", "-"),
    (".", "."),
    ("+.", "+."),
    ("_1", "_1"),
    ("0x", "0x"),
    ("=", "="),
    ("12abc", "12abc"),
    ("true", True),
    ("False", False),
    ("yes", True),
    ("NO", False),
    ("On", True),
    ("off", False),
    ("y", "y"),
    ("n", "n"),
    ("tRue", "tRue"),
    ("", None),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("nul", "nul"),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("inf", "inf"),
    ("nan", "nan"),
    ("1e999", math.inf),
]


@pytest.mark.parametrize(("word", "value"), GOLDEN, ids=[word or "empty" for word, _ in GOLDEN])
def test_a_plain_word_means_what_w_and_b_reads(word: str, value: Scalar) -> None:
    found = resolve(word).value

    assert (type(found), found) == (type(value), value)


def test_nan_is_a_float() -> None:
    found = resolve(".nan").value

    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize(
    ("word", "remark"),
    [
        ("yes", "read as true"),
        ("off", "read as false"),
        ("017", "octal number 15"),
        ("1:30", "base 60"),
        ("true", ""),
        ("15", ""),
        ("2024-01-01", ""),
    ],
)
def test_what_surprises_is_remarked(word: str, remark: str) -> None:
    found = resolve(word).remark

    assert remark in found
    assert bool(found) is bool(remark)


def test_a_whole_number_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 100 digits: quote it"):
        resolve("9" * (MAX_DIGITS + 1))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_writes_is_read_back(number: float) -> None:
    assert resolve(repr(number)).value == number


@given(st.integers(-(10**80), 10**80))
def test_every_int_is_read_back(number: int) -> None:
    assert resolve(str(number)).value == number


@given(st.text(max_size=12))
def test_every_word_means_something(word: str) -> None:
    resolve(word)
