import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.axes import Axis, arange, collapse, identity


def _values(axis: Axis) -> list[object]:
    return [axis.value(index) for index in range(axis.size)]


@given(first=st.integers(-50, 50), end=st.integers(-50, 50), step=st.integers(1, 9))
def test_integers_step_as_range_does(first: int, end: int, step: int) -> None:
    end = max(first + 1, end)

    assert _values(arange(first, end, step)) == list(range(first, end, step))


def test_floats_step_as_numpy_has_them_to_the_last_bit() -> None:
    values = _values(arange(0.1, 1.0, 0.1))

    assert values[:4] == [0.1, 0.2, 0.30000000000000004, 0.4]
    assert values[-1] == 0.9
    assert len(values) == 9


def test_the_first_of_the_floats_keeps_its_sign() -> None:
    assert str(_values(arange(-0.0, 1, 0.5))) == "[-0.0, 0.5]"


def test_one_float_among_the_three_makes_all_values_floats() -> None:
    assert str(_values(arange(1, 4, 1.0))) == "[1.0, 2.0, 3.0]"


def test_a_step_so_fine_that_floats_overflow_still_has_a_size() -> None:
    axis = arange(0.0, 1e300, 1e-300)

    assert 10**599 < axis.size < 10**601


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (3, 3.0, True),
        (1, True, False),
        (0, False, False),
        ("3", 3, False),
        (None, "null", False),
        ([1], [1.0], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (1e300, int(1e300), True),
    ],
    ids=str,
)
def test_values_are_the_same_when_wandb_takes_them_for_the_same(
    one: object, other: object, same: bool
) -> None:
    assert (identity(one) == identity(other)) is same  # type: ignore[arg-type] # any JSON value


def test_collapsing_keeps_one_value_of_each_identity() -> None:
    assert str(collapse((1, 2, 1.0, 2.5, 2))) == "(1.0, 2, 2.5)"


def test_a_step_so_fine_counts_from_its_beginning() -> None:
    axis = arange(1e300, 2e300, 1e-300)

    assert 10**599 < axis.size < 2 * 10**600
    assert arange(-1e300, 1e300, 1e-300).size > 10**600


def test_the_second_float_is_exact_however_far_the_first_lies() -> None:
    axis = arange(1e16, 1e16 + 8, 1.5)

    assert axis.value(1) == 1e16 + 1.5
