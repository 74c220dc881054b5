from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.samplers import TPESampler

from sweeper.domain.constraints import parse
from sweeper.domain.parameters import SearchSpace, Uniform
from sweeper.domain.result import Outcome, Result
from sweeper.domain.rules import Rules
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.domain.values import Params
from sweeper.search.study import Study, sampler_seed
from tests.search.spaces import EVERYTHING, PLAIN, an_order, completed, loss

SAMPLERS = [SamplerName.TPE, SamplerName.CMAES]


def searched(study: Study, count: int) -> list[Result]:
    """Have one trial after the other suggested and completed."""
    found: list[Result] = []
    for number in range(count):
        result = completed(number, study.ask(number))
        study.tell([result])
        found.append(result)
    return found


def test_one_trial_at_a_time_finds_what_a_bare_optuna_loop_finds() -> None:
    """The loop is what a person would write who wants to be able to begin anew at any trial."""
    bare = optuna.create_study(direction="minimize")
    expected: list[dict[str, Any]] = []
    for number in range(60):
        bare.sampler = TPESampler(seed=sampler_seed(7, number))
        trial = bare.ask()
        params: dict[str, Any] = {
            "c": trial.suggest_categorical("c", ["a", "b", "c"]),
            "lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
            "n": trial.suggest_int("n", 1, 9),
            "x": trial.suggest_float("x", -5, 10),
        }
        bare.tell(trial, loss(params))
        expected.append(params)

    found = searched(Study(an_order(PLAIN)), 60)

    assert [dict(result.params) for result in found] == expected


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_study_made_anew_from_the_results_suggests_the_same(sampler: SamplerName) -> None:
    found = searched(Study(an_order(sampler=sampler)), 40)

    for number in range(0, 40, 3):
        other = Study(an_order(sampler=sampler))
        other.tell(reversed(found[:number]))
        assert other.ask(number) == found[number].params


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_runs_beside_is_the_same_to_a_study_made_anew(sampler: SamplerName) -> None:
    study = Study(an_order(sampler=sampler))
    results: dict[int, Result] = {}
    for number in range(30):
        params = study.ask(number)
        results[number] = Result(number=number, params=params, outcome=Outcome.RUNNING)
        if number >= 3:
            ended = completed(number - 3, results[number - 3].params)
            results[number - 3] = ended
            study.tell([results[number], ended])

    other = Study(an_order(sampler=sampler))
    other.tell(results.values())

    assert other.ask(30) == study.ask(30)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_model_does_better_than_chance(sampler: SamplerName) -> None:
    ranges = {name: Uniform(min=-5, max=10) for name in "uvwx"}
    study = Study(an_order(SearchSpace(parameters=ranges), sampler))
    found: list[float] = []
    for number in range(80):
        params = study.ask(number)
        found.append(sum((float(str(value)) - 1) ** 2 for value in params.values()))
        study.tell([completed(number, params, found[-1])])

    assert sum(found[60:]) < sum(found[:20]) / 3


@pytest.mark.parametrize(
    ("seed", "goal"), [(8, Goal.MINIMIZE), (7, Goal.MAXIMIZE)], ids=["seed", "goal"]
)
def test_seed_and_goal_decide_what_is_suggested(seed: int, goal: Goal) -> None:
    found = searched(Study(an_order()), 20)

    other = searched(Study(replace(an_order(), seed=seed, goal=goal)), 20)

    assert [one.params for one in found] != [one.params for one in other]


def test_asked_again_it_suggests_the_same() -> None:
    study = Study(an_order())

    assert study.ask(0) == study.ask(0)


@pytest.mark.parametrize("outcome", [Outcome.PRUNED, Outcome.FAILED])
def test_every_end_is_told(outcome: Outcome) -> None:
    found = searched(Study(an_order()), 30)
    best = min(found, key=lambda one: one.value or 0.0)
    value = best.value if outcome is Outcome.PRUNED else None
    changed = [replace(one, outcome=outcome, value=value) if one is best else one for one in found]

    suggested = [_next(found), _next(changed)]

    assert suggested[0] != suggested[1]


def _next(results: Sequence[Result]) -> Params:
    study = Study(an_order())
    study.tell(results)
    return study.ask(len(results))


def test_a_trial_that_a_person_retried_counts_with_its_second_end() -> None:
    found = searched(Study(an_order()), 30)
    study = Study(an_order())
    study.tell(
        [
            replace(one, outcome=Outcome.FAILED, value=None) if one.number == 5 else one
            for one in found
        ]
    )

    study.tell([replace(found[5], outcome=Outcome.RUNNING, value=None)])
    study.tell([found[5]])

    assert study.ask(30) == _next(found)


def test_a_late_word_of_an_earlier_trial_is_the_same_as_an_early_one() -> None:
    found = searched(Study(an_order()), 20)
    study = Study(an_order())
    study.tell([one for one in found if one.number != 7])

    study.tell([found[7]])

    assert study.ask(20) == _next(found)


def test_results_of_other_sweeps_come_first() -> None:
    prior = tuple(searched(Study(an_order()), 30))

    suggested = Study(replace(an_order(), prior=prior)).ask(0)

    assert suggested != Study(an_order()).ask(0)


def test_params_from_outside_of_the_space_teach_nothing() -> None:
    study = Study(an_order())
    study.tell([completed(0, {**study.ask(0), "x": 99.0})])
    inside = Study(an_order())
    inside.tell([completed(0, {"x": 99.0, "n": 3, "c": "a"})])

    assert inside.ask(1).keys() == EVERYTHING.parameters.keys()


def test_options_reach_the_sampler() -> None:
    late = an_order(startup=25)

    assert Study(late).startup == 25
    assert searched(Study(late), 25)[20].params != searched(Study(an_order()), 25)[20].params


RULED = Rules(
    when={"lr": {"c": ("a", "b")}, "x": {"n": (1, 2, 3, 4, 5)}},
    constraints=(parse("n * lr < 0.3"),),
)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_suggested_keeps_to_the_rules_also_when_made_anew(sampler: SamplerName) -> None:
    order = replace(an_order(PLAIN, sampler), rules=RULED)
    study = Study(order)
    found: list[Result] = []
    for number in range(40):
        params = study.ask(number)
        assert RULED.existing(params) == params
        assert RULED.hold(params)
        found.append(completed(number, params, float(str(params["n"]))))
        study.tell([found[-1]])

    assert len({frozenset(one.params) for one in found}) > 2
    for number in range(0, 40, 7):
        other = Study(order)
        other.tell(found[:number])
        assert other.ask(number) == found[number].params


def test_a_point_of_a_person_takes_the_place_of_what_was_suggested_ahead() -> None:
    found = searched(Study(an_order()), 11)
    study = Study(an_order())
    study.tell(found[:10])
    study.ask(10)
    other = completed(10, {**found[10].params, "x": 0.5})

    study.tell([other])

    assert study.ask(11) == _next([*found[:10], other])
