from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.wire.amounts import SUFFIXES, parse_amount, read_amount
from tests.wire.generating import LIGHT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("10Gi", 10 * 2**30),
        ("10G", 10**10),
        ("1.5k", 1500),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("500m", Fraction(1, 2)),
        ("1e3", 1000),
        ("1E-3", Fraction(1, 1000)),
        ("1E", 10**18),
        ("-5G", -5 * 10**9),
        ("+5", 5),
    ],
)
def test_an_amount_is_read_exactly(text: str, value: Fraction) -> None:
    assert read_amount(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Gi",
        "10GB",
        "10gi",
        "10 Gi",
        "10Gi\n",
        "1..2",
        ".",
        "5kk",
        "1e",
        "1e999",
        "10E18",
        "\u0661",
        "10E",
    ],
)
def test_what_kubernetes_does_not_read_is_none(text: str) -> None:
    assert read_amount(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10GB", "'10GB' is no amount: write 10G"),
        ("10gib", "'10gib' is no amount: write 10Gi"),
        ("10 TIB", "'10 TIB' is no amount: write 10Ti"),
        ("1.5KB", "'1.5KB' is no amount: write 1.5k"),
        ("much", "'much' is no amount: write a number above 0 and a unit such as Gi"),
        ("-5G", "'-5G' is no amount: write a number above 0"),
        ("+5G", "'+5G' is no amount"),
        ("0", "'0' is not above 0: leave the field out to ask for nothing"),
        ("x" * 1000, "xxxx…' is no amount"),
    ],
)
def test_a_refusal_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="is ") as caught:
        parse_amount(text)

    assert message in str(caught.value)


@given(st.integers(1, 10**6), st.sampled_from(sorted(SUFFIXES)))
@LIGHT
def test_number_times_suffix_is_the_amount(number: int, suffix: str) -> None:
    value = number * SUFFIXES[suffix]

    assert read_amount(f"{number}{suffix}") == (value if value < 2**63 else None)
