import importlib.util
from typing import Any

import pytest

from sweeper.bootstrap import searching
from sweeper.bootstrap.searching import fall_back, has_model, known_params
from sweeper.domain.expansion import Expansion
from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import SweepSpec
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.search.study import Study
from tests.search.spaces import PLAIN, an_order
from tests.support.builders import a_spec


def searched(sampler: SamplerName | None, *, implied: bool = False, **fields: Any) -> SweepSpec:
    search = None if sampler is None else SearchSpec(sampler=sampler, is_implied=implied)
    return a_spec(space=PLAIN, run_cap=30, search=search, seed=7, **fields)


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Packages that count as not installed."""
    names: set[str] = set()
    found = importlib.util.find_spec
    monkeypatch.setattr(searching, "find_spec", lambda name: None if name in names else found(name))
    return names


@pytest.mark.parametrize(
    ("sampler", "has"),
    [
        (None, False),
        (SamplerName.SOBOL, False),
        (SamplerName.HALTON, False),
        (SamplerName.TPE, True),
        (SamplerName.CMAES, True),
    ],
)
def test_a_model_is_asked_where_the_sampler_is_one(sampler: SamplerName | None, has: bool) -> None:
    assert has_model(searched(sampler)) is has
    assert fall_back(searched(sampler)) == ""


@pytest.mark.parametrize(
    ("sampler", "package", "words"),
    [
        (SamplerName.TPE, "optuna", r"the sampler tpe .*sweeper\[search\]"),
        (SamplerName.CMAES, "cmaes", r"the sampler cmaes .*sweeper\[search\]"),
        (SamplerName.GP, "torch", "pip install torch"),
    ],
)
def test_a_sampler_that_is_named_and_lacks_a_package_is_refused(
    sampler: SamplerName, package: str, words: str, lacking: set[str]
) -> None:
    lacking.add(package)

    with pytest.raises((MissingExtraError, SettingsError), match=words):
        has_model(searched(sampler))


def test_bayes_alone_is_drawn_at_random_where_optuna_is_not_and_says_so(lacking: set[str]) -> None:
    lacking.add("optuna")
    spec = searched(SamplerName.TPE, implied=True)

    assert not has_model(spec)
    assert "drawn at random; pip install 'sweeper[search]'" in fall_back(spec)
    expected = [Expansion(spec).params(number) for number in range(3)]
    assert known_params(spec, Expansion(spec), 3) == expected


def test_the_first_trials_of_a_model_are_known_and_no_more() -> None:
    spec = searched(SamplerName.TPE)
    study = Study(an_order(PLAIN))

    known = known_params(spec, Expansion(spec), 20)

    assert known == [study.ask(number) for number in range(10)]


def test_nothing_is_known_of_a_model_that_learns_from_other_sweeps() -> None:
    search = SearchSpec(sampler=SamplerName.TPE, warm_start=("old",))
    spec = a_spec(space=PLAIN, run_cap=30, search=search)

    assert known_params(spec, Expansion(spec), 20) == []


def test_points_and_repeats_are_known_as_they_are() -> None:
    point = {"c": "a", "lr": 0.01, "n": 2, "x": 0.0}
    spec = searched(SamplerName.CMAES, points=(point,), repeats=2)

    known = known_params(spec, Expansion(spec), 20)

    assert known[:2] == [point, point]
    assert len(known) == 4
    assert known[2] == known[3]
