"""Search spaces, and what is measured in them."""

from sweeper.domain.parameters import (
    Categorical,
    Constant,
    IntUniform,
    LogUniform,
    LogUniformValues,
    Normal,
    QLogUniformValues,
    QUniform,
    SearchSpace,
    Uniform,
    WeightedCategorical,
)
from sweeper.domain.result import Outcome, Result
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.domain.values import JsonValue, Params
from sweeper.search.order import Order

EVERYTHING = SearchSpace(
    parameters={
        "x": Uniform(min=-5, max=10),
        "n": IntUniform(min=1, max=9),
        "lr": LogUniformValues(min=1e-5, max=1e-1),
        "decay": LogUniform(min=-9, max=-1),
        "c": Categorical(values=("a", None, (1, 2))),
        "b": QLogUniformValues(min=32, max=256, q=8),
        "q": QUniform(min=0, max=4, q=0.5),
        "g": Normal(mu=0, sigma=1),
        "w": WeightedCategorical(values=("u", "v"), probabilities=(0.3, 0.7)),
        "k": Constant(value=3),
        "inner": SearchSpace(parameters={"y": Uniform(min=0, max=15)}),
    }
)
"""One parameter of each kind that is searched in its own way."""

PLAIN = SearchSpace(
    parameters={
        "c": Categorical(values=("a", "b", "c")),
        "lr": LogUniformValues(min=1e-5, max=1e-1),
        "n": IntUniform(min=1, max=9),
        "x": Uniform(min=-5, max=10),
    }
)
"""Parameters that Optuna has, too."""


def an_order(
    space: SearchSpace = EVERYTHING, sampler: SamplerName = SamplerName.TPE, **options: JsonValue
) -> Order:
    """Return an order to minimise."""
    return Order(sampler=sampler, seed=7, goal=Goal.MINIMIZE, space=space, options=options)


def loss(params: Params) -> float:
    """Return what is to be minimised in either space."""
    x, n = params["x"], params["n"]
    assert isinstance(x, int | float)
    assert isinstance(n, int)
    return (x - 1) ** 2 + abs(n - 4) + (params["c"] != "a")


def completed(number: int, params: Params, value: float | None = None) -> Result:
    """Return the result of a trial that ran through, by `loss` where no value is given."""
    reached = loss(params) if value is None else value
    return Result(number=number, params=params, outcome=Outcome.COMPLETED, value=reached, reports=3)
