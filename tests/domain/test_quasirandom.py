import builtins
from collections.abc import Callable
from typing import Any

import pytest
from scipy.stats import qmc

from sweeper.domain.expansion import Expansion
from sweeper.domain.parameters import Categorical, Constant, SearchSpace, Uniform
from sweeper.domain.quasirandom import QuasiRandomSampler
from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.errors import MissingExtraError
from tests.support.builders import a_spec

NAMES = [SamplerName.SOBOL, SamplerName.HALTON]
SPACE = SearchSpace(
    parameters={
        "a": Uniform(min=0, max=1),
        "k": Constant(value=3),
        "b": Uniform(min=0, max=1),
        "c": Categorical(values=(0, 1, 2, 3)),
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_a_point_is_found_without_those_before_it(name: SamplerName) -> None:
    near = [QuasiRandomSampler(SPACE, 5, name=name).params(index) for index in range(1000)]

    assert QuasiRandomSampler(SPACE, 5, name=name).params(999) == near[999]
    assert QuasiRandomSampler(SPACE, 6, name=name).params(999) != near[999]
    assert len({(one["a"], one["b"]) for one in near}) == 1000


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_too_large(name: SamplerName) -> None:
    sampler = QuasiRandomSampler(SPACE, 5, name=name)

    assert sampler.params(2**30 + 3) == sampler.params(3)
    assert sampler.params(10**40)


@pytest.mark.parametrize("name", NAMES)
def test_points_are_those_of_scipy_s_sequence(name: SamplerName) -> None:
    kind: Callable[..., Any] = qmc.Sobol if name is SamplerName.SOBOL else qmc.Halton
    expected = kind(3, scramble=True, rng=5).random(256)

    found = [QuasiRandomSampler(SPACE, 5, name=name).params(index) for index in range(256)]

    assert [(one["a"], one["b"]) for one in found] == [(row[0], row[1]) for row in expected]


def test_a_sobol_sequence_is_even_over_a_power_of_two() -> None:
    found = [
        QuasiRandomSampler(SPACE, 5, name=SamplerName.SOBOL).params(index) for index in range(64)
    ]

    for name in ("a", "b"):
        eighths = [int(float(str(one[name])) * 8) for one in found]
        assert [eighths.count(each) for each in range(8)] == [8] * 8
    assert [sum(one["c"] == each for one in found) for each in range(4)] == [16] * 4


def test_zipped_parameters_share_a_dimension() -> None:
    space = SearchSpace(
        parameters={"a": Categorical(values=(1, 2, 3)), "b": Categorical(values=("x", "y", "z"))}
    )
    sampler = QuasiRandomSampler(space, 1, [("a", "b")], name=SamplerName.HALTON)

    pairs = {(one["a"], one["b"]) for one in map(sampler.params, range(30))}

    assert pairs == {(1, "x"), (2, "y"), (3, "z")}


def test_a_sweep_is_drawn_by_the_sampler_that_it_names() -> None:
    spec = a_spec(space=SPACE, search=SearchSpec(sampler=SamplerName.SOBOL), seed=5)

    assert Expansion(spec).params(3) == QuasiRandomSampler(SPACE, 5, name=SamplerName.SOBOL).params(
        3
    )


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def absent(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return found(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", absent)

    with pytest.raises(MissingExtraError, match=r"sobol.*sweeper\[search\]"):
        QuasiRandomSampler(SPACE, 5, name=SamplerName.SOBOL)
