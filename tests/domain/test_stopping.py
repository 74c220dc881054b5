import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.stopping import bands


@pytest.mark.parametrize(
    ("max_iter", "s", "eta", "meant"),
    [
        (27, 2, 3, (3, 9)),
        (81, 3, 3, (3, 9, 27)),
        (27, 9, 3, (1, 3, 9)),
        (10, 3, 2.5, (1, 4)),
        (100, 3, 1.5, (29, 44, 66)),
        (2, 3, 3, ()),
        (27, None, 3, ()),
    ],
)
def test_max_iter_is_divided(
    max_iter: int, s: int | None, eta: float, meant: tuple[int, ...]
) -> None:
    assert bands(max_iter=max_iter, s=s, eta=eta) == meant


def test_min_iter_is_multiplied_a_hundred_times() -> None:
    assert bands(min_iter=3) == tuple(3 ** (power + 1) for power in range(100))


def test_bands_that_round_to_the_same_are_kept() -> None:
    assert bands(min_iter=1, eta=1.5)[:6] == (1, 1, 2, 3, 5, 7)


def test_max_iter_wins_over_min_iter() -> None:
    assert bands(max_iter=27, s=2, min_iter=5) == (3, 9)


def test_bands_end_where_floats_do() -> None:
    found = bands(min_iter=1, eta=1e90)

    assert len(found) == 4


@given(
    st.floats(1, 1e6, exclude_min=True),
    st.integers(1, 10**30),
    st.integers(1, 50),
)
def test_bands_rise_and_lie_below_max_iter(eta: float, max_iter: int, s: int) -> None:
    found = bands(eta=eta, max_iter=max_iter, s=s)

    assert list(found) == sorted(found)
    assert all(1 <= band <= max_iter for band in found)
    assert len(found) <= s


def test_min_iter_is_one_unless_it_is_given() -> None:
    assert bands()[:4] == (1, 3, 9, 27)


def test_bands_end_before_the_largest_float() -> None:
    assert [len(bands(eta=eta)) for eta in (1e150, 1e101)] == [3, 3]
