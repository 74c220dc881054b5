import sys
from typing import Any, get_args

import pytest

from sweeper.domain.axes import Counted
from sweeper.domain.parameters import (
    Beta,
    Categorical,
    Constant,
    IntUniform,
    LogNormal,
    Parameter,
    QUniform,
    SearchSpace,
    Uniform,
    WeightedCategorical,
    describe_space,
)
from sweeper.domain.values import JsonValue
from tests.domain.spaces import exact, parameter_of, recorded, space_of

_RECORDED = recorded("quantiles")


@pytest.mark.parametrize("row", _RECORDED, ids=lambda row: exact(row["parameter"]))
def test_every_quantile_has_the_value_that_wandb_gives(row: dict[str, Any]) -> None:
    parameter = parameter_of(row["parameter"])

    found = [parameter.at(quantile) for quantile, _ in row["points"]]

    for value, (_, expected) in zip(found, row["points"], strict=True):
        assert type(value) in {type(expected), tuple} or not isinstance(expected, int | float)
        if isinstance(expected, float):
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-15)
        else:
            assert exact(value) == exact(expected)


def test_the_recorded_values_cover_every_kind() -> None:
    kinds = {kind.distribution for kind in get_args(Parameter)}

    covered = {row["parameter"]["distribution"] for row in _RECORDED}

    assert covered == kinds


def test_constants_and_choices_cannot_be_changed_from_outside() -> None:
    listed: list[JsonValue] = [[1, 2], {"k": [3]}]

    constant, choice = Constant(value=listed), Categorical(values=tuple(listed))
    listed[0] = []

    assert exact(constant.value) == exact(choice.values) == '[[1, 2], {"k": [3]}]'


def test_a_large_range_of_integers_is_an_axis_that_holds_none_of_them() -> None:
    axis = IntUniform(min=5, max=10**30).axis()

    assert isinstance(axis, Counted)
    assert axis.size == 10**30 - 4
    assert axis.value(axis.size - 1) == 10**30


def test_the_axis_of_a_constant_has_its_one_value() -> None:
    axis = Constant(value=None).axis()

    assert axis.size == 1
    assert axis.value(0) is None


def test_the_last_of_equal_choices_stands_at_the_place_of_the_first() -> None:
    axis = Categorical(values=(3, "a", 3.0, True, 1)).axis()

    values = [axis.value(index) for index in range(axis.size)]

    assert exact(values) == '[3.0, "a", true, 1]'


def test_the_axis_of_q_uniform_begins_at_min_and_leaves_out_max() -> None:
    axis = QUniform(min=1, max=10, q=3).axis()

    assert [axis.value(index) for index in range(axis.size)] == [1, 4, 7]


def test_a_draw_that_would_overflow_is_the_largest_float() -> None:
    assert LogNormal(mu=10_000).at(0.5) == sys.float_info.max
    assert Uniform(min=-1.7e308, max=1.7e308).at(0.75) == pytest.approx(0.85e308)


def test_bounds_are_described_as_the_file_names_them() -> None:
    described = WeightedCategorical(values=("a", ["b"]), probabilities=(0.25, 0.75)).describe()

    assert described == {"values": ["a", ["b"]], "probabilities": [0.25, 0.75]}


def test_a_space_is_described_with_medians_and_nested_spaces() -> None:
    space = space_of(
        {
            "lr": {"distribution": "uniform", "min": 0, "max": 1},
            "opt": {"parameters": {"m": {"value": [9]}}},
        }
    )

    assert describe_space(space) == {
        "lr": {
            "distribution": "uniform",
            "median": 0.5,
            "min": 0,
            "max": 1,
            "examples": [0.1, 0.3, 0.7, 0.9],
        },
        "opt": {"parameters": {"m": {"distribution": "constant", "median": [9], "value": [9]}}},
    }


def test_a_space_keeps_its_parameters_when_the_given_mapping_changes() -> None:
    given: dict[str, Parameter | SearchSpace] = {"a": Beta()}

    space = SearchSpace(parameters=given)
    given.clear()

    assert list(space.parameters) == ["a"]


def test_a_range_is_described_by_some_of_its_values() -> None:
    space = SearchSpace(parameters={"n": IntUniform(min=1, max=9), "c": Categorical(values=(1, 2))})

    described = describe_space(space)

    assert described == {
        "n": {
            "distribution": "int_uniform",
            "median": 5,
            "min": 1,
            "max": 9,
            "examples": [1, 3, 7, 9],
        },
        "c": {"distribution": "categorical", "median": 1, "values": [1, 2]},
    }
