import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.expansion import Expansion, ordinal, slug, workload_name
from sweeper.domain.parameters import IntUniform, SearchSpace, Uniform
from sweeper.domain.permutation import Permutation
from sweeper.domain.sweep import Method, Order
from tests.domain.spaces import space_of
from tests.support.builders import SWEEP_ID, a_spec, a_sweep

_GRID = space_of({"a": {"values": [1, 2, 3]}})
_RANGE = SearchSpace(parameters={"a": Uniform(min=0, max=1)})


def test_points_come_first_then_the_grid_and_repeats_are_adjacent() -> None:
    spec = a_spec(method=Method.GRID, space=_GRID, points=({"a": 9},), repeats=2)

    expansion = Expansion(spec)

    assert expansion.planned == 8
    assert [expansion.params(number)["a"] for number in range(8)] == [9, 9, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("fields", "planned"),
    [
        ({"method": Method.GRID, "space": _GRID}, 3),
        ({"method": Method.GRID, "space": _GRID, "run_cap": 2}, 2),
        ({"method": Method.GRID, "space": _GRID, "run_cap": 20}, 3),
        ({"method": Method.RANDOM, "space": _RANGE}, None),
        ({"method": Method.RANDOM, "space": _RANGE, "run_cap": 5}, 5),
        ({"method": Method.BAYES, "space": _RANGE, "run_cap": 5}, 5),
    ],
    ids=str,
)
def test_the_number_of_trials_is_the_cap_or_what_there_is(
    fields: dict[str, object], planned: int | None
) -> None:
    assert Expansion(a_spec(**fields)).planned == planned


@pytest.mark.parametrize("number", [-1, 3, 10**30])
def test_a_number_beyond_the_sweep_is_refused(number: int) -> None:
    expansion = Expansion(a_spec(method=Method.GRID, space=_GRID))

    with pytest.raises(ValueError, match="beyond"):
        expansion.params(number)


def test_points_leave_the_random_draws_as_they_are() -> None:
    plain = Expansion(a_spec(space=_RANGE))
    pointed = Expansion(a_spec(space=_RANGE, points=({"a": 0.5}, {"a": 0.25})))

    assert pointed.params(0) == {"a": 0.5}
    assert pointed.params(2) == plain.params(0)


def test_bayes_is_drawn_as_random_is() -> None:
    bayes = Expansion(a_spec(method=Method.BAYES, space=_RANGE))

    assert bayes.params(3) == Expansion(a_spec(space=_RANGE)).params(3)


def test_a_grid_too_large_to_be_written_out_still_has_its_last_trial() -> None:
    names = [f"p{number}" for number in range(600)]
    space = SearchSpace(parameters={name: IntUniform(min=1, max=10**9) for name in names})

    expansion = Expansion(a_spec(method=Method.GRID, space=space))

    assert expansion.planned == 10**5400
    assert set(expansion.params(10**5400 - 1).values()) == {10**9}
    with pytest.raises(ValueError, match="beyond"):
        expansion.params(10**5400)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo", "demo"),
        ("My Sweep_v2!", "my-sweep-v2"),
        ("../../etc/passwd", "etc-passwd"),
        ("2024-06-01", "s-2024-06-01"),
        ("Größe", "grosse"),
        ("学習率", "sweep"),
        ("", "sweep"),
        ("a" * 19 + " b", "a" * 19),
        ("x" * 50, "x" * 20),
    ],
)
def test_a_slug_keeps_what_a_name_may_hold(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(name=st.text())
def test_a_slug_is_safe_for_any_name(name: str) -> None:
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", slug(name))


_NUMBERS = st.integers(0, 10**12 - 1) | st.integers(10**12, 10**60)


@given(name=st.text(), number=_NUMBERS, attempt=st.integers(1, 9999))
def test_a_workload_name_is_short_and_safe_and_begins_with_the_prefix(
    name: str, number: int, attempt: int
) -> None:
    sweep = a_sweep(slug=slug(name))

    named = workload_name(sweep.slug, sweep.id, number, attempt)

    assert len(named) <= 50
    assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", named)
    assert named.startswith(sweep.workload_prefix)


@given(
    one=st.tuples(_NUMBERS, st.integers(1, 9999)), other=st.tuples(_NUMBERS, st.integers(1, 9999))
)
def test_no_two_attempts_share_a_name(one: tuple[int, int], other: tuple[int, int]) -> None:
    names = {workload_name("demo", SWEEP_ID, *attempt) for attempt in (one, other)}

    assert len(names) == len({one, other})


def test_a_workload_name_tells_trial_and_attempt() -> None:
    assert workload_name("demo", SWEEP_ID, 12, 3) == f"demo-{SWEEP_ID}-12-3"


def test_a_number_beyond_the_sweep_is_told_with_how_many_there_are() -> None:
    expansion = Expansion(a_spec(method=Method.GRID, space=_GRID))

    with pytest.raises(ValueError, match="trial 0x3 is beyond the 0x3 of the sweep"):
        expansion.params(3)


def test_a_negative_number_is_beyond_an_unbounded_sweep_too() -> None:
    expansion = Expansion(a_spec(method=Method.RANDOM, space=_RANGE))

    with pytest.raises(ValueError, match="trial -0x1 is beyond the 0x0 of the sweep"):
        expansion.params(-1)


def test_seed_zip_and_order_of_the_sweep_reach_its_sampler() -> None:
    space = space_of({"a": {"values": [1, 2, 3, 4]}, "b": {"values": [5, 6, 7, 8]}})
    zipped = {"space": space, "zip": (("a", "b"),), "seed": 7}

    grid = Expansion(a_spec(method=Method.GRID, order=Order.SHUFFLED, **zipped))
    draws = Expansion(a_spec(method=Method.RANDOM, **zipped))

    order = Permutation(seed=7, size=4)
    shuffled = [order.at(number) + 1 for number in range(4)]
    assert shuffled != [1, 2, 3, 4]
    assert [grid.params(number)["a"] for number in range(grid.planned or 0)] == shuffled
    for params in (draws.params(number) for number in range(9)):
        assert params["b"] == {1: 5, 2: 6, 3: 7, 4: 8}[params["a"]]  # type: ignore[index] # an int


def test_a_number_too_long_for_a_name_is_stood_for_by_a_digest_of_twelve_characters() -> None:
    assert ordinal(10**12 - 1) == "9" * 12
    assert len(ordinal(10**12)) == 12
    assert ordinal(10**12).startswith("x")
