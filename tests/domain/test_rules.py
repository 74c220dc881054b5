import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.constraints import parse
from sweeper.domain.expansion import Expansion
from sweeper.domain.parameters import Categorical, Constant, IntUniform, SearchSpace, Uniform
from sweeper.domain.ruled import LARGEST_GRID, RuledGrid
from sweeper.domain.rules import Rules
from sweeper.domain.sampling import GridSampler
from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import Method, Order
from sweeper.domain.values import canonical_json
from sweeper.errors import UnmetRulesError
from tests.support.builders import a_spec

SPACE = SearchSpace(
    parameters={
        "optimizer": Categorical(values=("sgd", "adam", "lion")),
        "momentum": Categorical(values=(0.5, 0.9)),
        "nesterov": Categorical(values=(True, False)),
        "width": IntUniform(min=1, max=4),
    }
)
CHAIN = Rules(
    when={"momentum": {"optimizer": ("sgd", "lion")}, "nesterov": {"momentum": (0.9,)}},
    constraints=(parse("width * momentum < 3"),),
)


def expected() -> list[str]:
    """Return every point by hand, in the grid's order."""
    found: list[str] = []
    names = sorted(SPACE.parameters)
    values = {
        "momentum": (0.5, 0.9),
        "nesterov": (True, False),
        "optimizer": ("sgd", "adam", "lion"),
        "width": (1, 2, 3, 4),
    }
    for row in itertools.product(*(values[name] for name in names)):
        point = dict(zip(names, row, strict=True))
        if point["optimizer"] == "adam":
            del point["momentum"]
        if point.get("momentum") != 0.9:
            del point["nesterov"]
        if "momentum" in point and float(str(point["width"])) * float(str(point["momentum"])) >= 3:
            continue
        text = canonical_json(point)
        if text not in found:
            found.append(text)
    return found


def test_a_grid_has_each_point_that_keeps_to_the_rules_once_in_its_order() -> None:
    expansion = Expansion(a_spec(space=SPACE, method=Method.GRID, rules=CHAIN))

    assert expansion.planned is not None
    points = [canonical_json(expansion.params(number)) for number in range(expansion.planned)]

    assert points == expected()


def test_a_shuffled_grid_has_the_same_points() -> None:
    spec = a_spec(space=SPACE, method=Method.GRID, rules=CHAIN, order=Order.SHUFFLED, seed=3)
    expansion = Expansion(spec)

    points = [canonical_json(expansion.params(number)) for number in range(expansion.planned or 0)]

    assert points != expected()
    assert sorted(points) == sorted(expected())


def test_a_grid_without_conditions_is_walked_as_ever() -> None:
    rules = Rules(constraints=(parse("width <= 9"),))

    ruled = RuledGrid(SPACE, 0, (), Order.FILE, rules)

    grid = GridSampler(SPACE)
    assert [ruled.params(i) for i in range(ruled.size)] == [
        grid.params(i) for i in range(grid.size)
    ]


def test_a_grid_too_large_to_be_looked_at_is_refused() -> None:
    space = SearchSpace(parameters={"n": IntUniform(min=0, max=LARGEST_GRID)})

    with pytest.raises(ValueError, match=r"250,001 combinations.*method: random"):
        RuledGrid(space, 0, (), Order.FILE, CHAIN)


@given(st.integers(0, 10**6), st.sampled_from([None, SamplerName.SOBOL, SamplerName.HALTON]))
def test_every_draw_keeps_to_the_rules(number: int, sampler: SamplerName | None) -> None:
    search = None if sampler is None else SearchSpec(sampler=sampler)
    expansion = Expansion(a_spec(space=SPACE, rules=CHAIN, search=search, seed=5))

    point = expansion.params(number)

    assert CHAIN.existing(point) == point
    assert CHAIN.hold(point)
    assert point == expansion.params(number)


def test_what_keeps_to_the_rules_is_drawn_as_without_them() -> None:
    free = SearchSpace(parameters={"x": Uniform(min=0, max=1), "y": Uniform(min=0, max=1)})
    rules = Rules(constraints=(parse("x + y < 1.5"),))
    ruled = Expansion(a_spec(space=free, rules=rules))
    plain = Expansion(a_spec(space=free))

    for number in range(200):
        drawn = plain.params(number)
        assert (ruled.params(number) == drawn) is rules.hold(drawn)


def test_rules_that_nothing_meets_end_in_an_error() -> None:
    rules = Rules(constraints=(parse("width > 9"),))

    with pytest.raises(UnmetRulesError, match="none of 1,000 draws"):
        Expansion(a_spec(space=SPACE, rules=rules)).params(0)


def test_a_condition_may_name_a_constant() -> None:
    space = SearchSpace(parameters={"a": Constant(value=1), "b": Constant(value=2)})
    never, always = Rules(when={"b": {"a": (2,)}}), Rules(when={"b": {"a": (1.0,)}})

    assert Expansion(a_spec(space=space, rules=never)).params(0) == {"a": 1}
    assert Expansion(a_spec(space=space, rules=always)).params(0) == {"a": 1, "b": 2}
