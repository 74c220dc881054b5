import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweeper.domain.parameters import (
    Categorical,
    Constant,
    IntUniform,
    Normal,
    QNormal,
    SearchSpace,
    Uniform,
    WeightedCategorical,
)
from sweeper.domain.sampling import RandomSampler
from sweeper.search.dimensions import constants, dimensions
from tests.search.spaces import EVERYTHING


def test_what_optuna_has_is_searched_as_it_has_it() -> None:
    found = dimensions(EVERYTHING)

    assert found["x"].distribution == FloatDistribution(-5, 10)
    assert found["n"].distribution == IntDistribution(1, 9)
    assert found["lr"].distribution == FloatDistribution(1e-5, 1e-1, log=True)
    assert found["c"].distribution == CategoricalDistribution(range(3))
    assert found["inner.y"].paths == [("inner", "y")]


def test_a_parameter_with_one_value_is_no_dimension() -> None:
    space = SearchSpace(parameters={"k": Constant(value=3), "one": Categorical(values=(2, 2.0))})

    assert dimensions(space) == {}
    assert dict(constants(space)) == {("k",): 3, ("one",): 2.0}


def test_names_that_look_the_same_stay_apart() -> None:
    inner = SearchSpace(parameters={"b": Uniform(min=0, max=1)})
    space = SearchSpace(parameters={"a": inner, "a.b": Uniform(min=2, max=3)})

    assert len(dimensions(space)) == 2


def test_a_zipped_group_is_one_dimension() -> None:
    space = SearchSpace(
        parameters={"a": Categorical(values=(1, 2, 1)), "b": Categorical(values=("x", "y", "x"))}
    )

    (one,) = dimensions(space, [("a", "b")]).values()

    assert one.distribution == CategoricalDistribution(range(2))
    assert one.values(1) == (2, "y")
    assert one.coordinate((2, "y")) == 1
    assert one.coordinate((2, "x")) is None


@pytest.mark.parametrize("name", list(dimensions(EVERYTHING)))
@given(seed=st.integers(0, 10**6))
def test_params_find_their_way_back(name: str, seed: int) -> None:
    dimension = dimensions(EVERYTHING)[name]
    params = RandomSampler(EVERYTHING, seed).params(0)
    value = params["inner"]["y"] if name == "inner.y" else params[name]  # type: ignore[index,call-overload]

    coordinate = dimension.coordinate([value])

    assert coordinate is not None
    (again,) = dimension.values(coordinate)
    assert again == pytest.approx(value, rel=1e-9) if isinstance(value, float) else again == value
    # Once more leads to the same place: what is told twice is told the same.
    assert dimension.coordinate([again]) == pytest.approx(coordinate, rel=1e-9)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Uniform(min=0, max=1), 1.5),
        (Uniform(min=0, max=1), "0.5"),
        (Uniform(min=0, max=1), True),
        (IntUniform(min=1, max=3), 2.5),
        (IntUniform(min=1, max=3), 4),
        (Categorical(values=(1, True)), "1"),
        (QNormal(mu=0, sigma=1, q=2), 3),
        (Normal(), None),
        (WeightedCategorical(values=("a", "b"), probabilities=(1.0, 0.0)), "b"),
    ],
)
def test_what_is_outside_of_the_space_has_no_place_in_it(parameter: object, value: object) -> None:
    space = SearchSpace(parameters={"p": parameter, "other": Uniform(min=0, max=1)})  # type: ignore[dict-item]

    assert dimensions(space)["p"].coordinate([value]) is None  # type: ignore[list-item]


def test_a_value_of_a_weighted_list_stands_in_the_middle_of_its_share() -> None:
    dimension = dimensions(EVERYTHING)["w"]

    assert dimension.coordinate(["u"]) == pytest.approx(0.15)
    assert dimension.coordinate(["v"]) == pytest.approx(0.65)
