import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain import quantiles
from sweeper.errors import MissingExtraError

_SMALLEST, _LARGEST = 1 / 2**53, 1 - 1 / 2**53
_QUANTILES = st.floats(_SMALLEST, _LARGEST)


@given(quantile=_QUANTILES, count=st.integers(1, 10**40), first=st.integers(-(10**40), 10**40))
def test_a_position_lies_in_its_range(quantile: float, count: int, first: int) -> None:
    assert first <= quantiles.position(quantile, count, first) < first + count


def test_positions_of_a_range_beyond_floats_are_spread_over_all_of_it() -> None:
    count = 10**30

    assert quantiles.position(0.5, count) == count // 2 - 1
    assert quantiles.position(_SMALLEST, count) < 10**15
    assert quantiles.position(_LARGEST, count) > count - 10**15


def test_what_rounding_leaves_of_the_probabilities_goes_to_the_last_choice_with_a_chance() -> None:
    assert quantiles.weighted_position(0.9999999, (0.5, 0.499999, 0)) == 1


@given(
    quantile=_QUANTILES,
    bounds=st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e300)),
)
def test_a_uniform_draw_lies_within_its_bounds(
    quantile: float, bounds: tuple[float, float]
) -> None:
    low, high = bounds[0], max(bounds[0] + bounds[1], bounds[0])

    assert low <= quantiles.uniform(quantile, low, min(high, sys.float_info.max)) <= high


@given(quantile=_QUANTILES, low=st.floats(1e-300, 1e300), factor=st.floats(1, 1e8))
def test_a_draw_even_in_its_log_lies_within_its_bounds(
    quantile: float, low: float, factor: float
) -> None:
    assert low <= quantiles.log_uniform_between(quantile, low, low * factor) <= low * factor


@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    q=st.floats(min_value=1e-320, allow_infinity=False) | st.integers(1, 10**400),
)
def test_rounding_never_overflows(value: float, q: float) -> None:
    multiple = quantiles.rounded(value, q)

    assert isinstance(multiple, int) or math.isfinite(multiple)


def test_rounding_goes_half_to_even_and_has_no_negative_zero() -> None:
    halves = [quantiles.rounded(value, 1.0) for value in (0.5, 1.5, 2.5, -0.5)]

    assert [str(half) for half in halves] == ["0.0", "2.0", "2.0", "0.0"]


def test_a_step_too_fine_for_floats_changes_nothing() -> None:
    assert quantiles.rounded(1e300, 1e-300) == 1e300


def test_bounds_beyond_floats_stand_for_the_largest() -> None:
    assert quantiles.uniform(0.5, -(10**400), 10**400) == 0
    assert quantiles.normal(0.9, 10**400, 1) == sys.float_info.max


def test_a_normal_of_no_width_is_its_mean() -> None:
    assert quantiles.normal(0.99, 3, 0) == 3


@pytest.mark.parametrize(
    ("a", "b", "low", "high"), [(0, 1, 0, 0), (1, 0, 1, 1), (0, 0, 0, 1)], ids=str
)
def test_a_beta_without_one_of_its_sides_has_only_ends(
    a: int, b: int, low: float, high: float
) -> None:
    assert quantiles.beta(0.25, a, b) == low
    assert quantiles.beta(0.75, a, b) == high


def test_beta_without_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'sweeper\[search\]'"):
        quantiles.beta(0.5, 2, 3)


def test_the_border_between_two_integers_belongs_to_the_lower_one() -> None:
    assert [quantiles.position(quarter / 4, 4) for quarter in (1, 2, 3)] == [0, 1, 2]
    assert [quantiles.position(tenth / 10, 10, 5) for tenth in (1, 3, 7)] == [5, 7, 11]


@given(quantile=_QUANTILES, count=st.integers(1, 1000))
def test_a_position_is_the_first_whose_share_reaches_the_quantile(
    quantile: float, count: int
) -> None:
    place = quantiles.position(quantile, count)

    assert (place + 1) / count >= quantile
    assert place == 0 or place / count < quantile


def test_the_ends_of_a_beta_meet_in_the_middle() -> None:
    assert quantiles.beta(0.5, 0, 0) == 0


def test_beta_without_scipy_names_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)

    with pytest.raises(MissingExtraError, match=r"^the beta distribution needs"):
        quantiles.beta(0.5, 2, 3)


@pytest.mark.parametrize(("q", "expected"), [(2, 4), (2.0, 4.0), (10**400, 0)])
def test_a_whole_step_keeps_its_type(q: float, expected: float) -> None:
    result = quantiles.rounded(3.5, q)

    assert (result, type(result)) == (expected, type(q))


def test_a_multiple_beyond_floats_is_the_largest() -> None:
    assert quantiles.rounded(sys.float_info.max, 1.7e308) <= sys.float_info.max


def test_a_quantile_that_floats_push_over_the_border_still_belongs_to_the_lower_one() -> None:
    assert 0.07 * 100 > 7
    assert quantiles.position(0.07, 100) == 6


def test_a_whole_multiple_may_be_larger_than_any_float() -> None:
    assert quantiles.rounded(1.7e308, 10**308) == 2 * 10**308
