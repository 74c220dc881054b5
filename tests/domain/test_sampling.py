import math
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.parameters import Categorical, Constant, IntUniform, SearchSpace, Uniform
from sweeper.domain.sampling import GridSampler, RandomSampler
from sweeper.domain.sweep import Order
from tests.domain.spaces import exact, recorded, space_of

_CHOICES = st.lists(st.integers(0, 3) | st.booleans() | st.text(max_size=1), min_size=1, max_size=4)
_SPACES = st.dictionaries(
    st.text("aBc.", min_size=1, max_size=2),
    st.builds(lambda values: Categorical(values=tuple(values)), _CHOICES)
    | st.builds(
        lambda low, more: IntUniform(min=low, max=low + more), st.integers(), st.integers(0, 3)
    ),
    max_size=3,
).map(lambda parameters: SearchSpace(parameters=dict(parameters)))


@pytest.mark.parametrize("row", recorded("grids"), ids=lambda row: exact(row["parameters"]))
def test_a_grid_has_the_trials_that_wandb_gives_in_its_order(row: dict[str, Any]) -> None:
    grid = GridSampler(space_of(row["parameters"]))

    trials = [grid.params(index) for index in range(grid.size)]

    assert [exact(trial) for trial in trials] == [exact(trial) for trial in row["trials"]]


@settings(max_examples=50)
@given(space=_SPACES, order=st.sampled_from(Order))
def test_a_grid_has_as_many_trials_as_choices_multiply_to_and_all_differ(
    space: SearchSpace, order: Order
) -> None:
    grid = GridSampler(space, seed=3, order=order)

    sizes = [parameter.axis().size for parameter in space.parameters.values()]  # type: ignore[union-attr] # all can be walked
    trials = {exact(grid.params(index)) for index in range(grid.size)}
    assert grid.size == math.prod(sizes) == len(trials)


def test_the_last_trial_of_a_grid_of_a_billion_points_is_found_at_once() -> None:
    space = SearchSpace(
        parameters={"a": IntUniform(min=1, max=10**6), "b": IntUniform(min=1, max=1000)}
    )

    grid = GridSampler(space)

    assert grid.size == 10**9
    assert grid.params(10**9 - 1) == {"a": 10**6, "b": 1000}
    assert grid.params(1) == {"a": 1, "b": 2}


def test_a_shuffled_grid_has_the_same_trials_in_another_order() -> None:
    space = SearchSpace(parameters={"a": IntUniform(min=0, max=29)})
    plain, shuffled = GridSampler(space), GridSampler(space, seed=5, order=Order.SHUFFLED)

    walked = [plain.params(index)["a"] for index in range(30)]
    mixed = [shuffled.params(index)["a"] for index in range(30)]

    assert mixed != walked
    assert sorted(map(str, mixed)) == sorted(map(str, walked))


def test_a_grid_refuses_what_it_cannot_walk() -> None:
    space = space_of({"o": {"parameters": {"lr": {"distribution": "normal"}}}})

    with pytest.raises(ValueError, match=r"o\.lr: a grid cannot walk a normal"):
        GridSampler(space)


def test_zipped_values_walk_together_at_the_place_of_the_first_name() -> None:
    space = space_of(
        {"z": {"values": [1, 2]}, "m": {"values": ["p", "q"]}, "a": {"values": [10, 20]}}
    )

    grid = GridSampler(space, groups=(("z", "a"),))

    rows = [tuple(grid.params(index).values()) for index in range(grid.size)]
    assert rows == [(a, m, z) for (a, z), m in product([(10, 1), (20, 2)], "pq")]


def test_a_zipped_row_collapses_only_with_an_equal_row() -> None:
    space = space_of({"a": {"values": [1, 1, 1.0]}, "b": {"values": [5, 6, 5]}})

    grid = GridSampler(space, groups=(("a", "b"),))

    assert exact([grid.params(index) for index in range(grid.size)]) == exact(
        [{"a": 1.0, "b": 5}, {"a": 1, "b": 6}]
    )


def test_zip_refuses_a_parameter_without_a_list() -> None:
    space = space_of({"a": {"values": [1]}, "b": {"value": 2}})

    with pytest.raises(ValueError, match="zip: b has no list of values"):
        GridSampler(space, groups=(("a", "b"),))


def test_a_zipped_group_shares_its_draw_under_random() -> None:
    values = list(range(100))
    space = space_of({"a": {"values": values}, "b": {"values": values}, "c": {"values": values}})

    sampler = RandomSampler(space, seed=1, groups=(("b", "a"),))

    drawn = [sampler.params(index) for index in range(20)]
    assert all(params["a"] == params["b"] for params in drawn)
    assert any(params["a"] != params["c"] for params in drawn)


@given(seed=st.integers(), index=st.integers(min_value=0))
def test_random_params_depend_on_seed_and_index_alone(seed: int, index: int) -> None:
    space = space_of(
        {"lr": {"distribution": "uniform", "min": 0, "max": 1}, "n": {"min": 1, "max": 9}}
    )
    used, fresh = RandomSampler(space, seed), RandomSampler(space, seed)

    used.params(index + 1)

    assert used.params(index) == fresh.params(index)


def test_another_parameter_leaves_the_draws_of_the_others_alone() -> None:
    lr = Uniform(min=0, max=1)
    small = RandomSampler(SearchSpace(parameters={"lr": lr}), seed=2)
    large = RandomSampler(SearchSpace(parameters={"a": lr, "lr": lr}), seed=2)

    assert small.params(7)["lr"] == large.params(7)["lr"]
    assert large.params(7)["a"] != large.params(7)["lr"]


def test_random_draws_fill_the_unit_interval_evenly() -> None:
    sampler = RandomSampler(SearchSpace(parameters={"x": Uniform(min=0, max=1)}), seed=0)

    drawn = sorted(float(str(sampler.params(index)["x"])) for index in range(2000))

    # Kolmogorov-Smirnov: beyond 0.0437 once in a thousand times, were they uniform.
    assert max(abs(value - place / 2000) for place, value in enumerate(drawn)) < 0.0437


def test_random_never_ends_and_keeps_constants() -> None:
    space = SearchSpace(
        parameters={"c": Constant(value=[1]), "o": SearchSpace(parameters={"d": Constant(value=2)})}
    )

    sampler = RandomSampler(space, seed=0)

    assert sampler.size is None
    assert sampler.params(10**12) == {"c": (1,), "o": {"d": 2}}


def test_draws_stay_the_same_in_every_release() -> None:
    draws = RandomSampler(SearchSpace(parameters={"a": Uniform(min=0, max=1)}), seed=7)

    assert [draws.params(index)["a"] for index in range(3)] == [
        0.10478882039864745,
        0.48083771190872693,
        0.9090267518177412,
    ]
