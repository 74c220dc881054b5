"""An Optuna study that is made from results, and is the same whoever makes it.

The store is the one truth, so a study lives in memory only. It holds one Optuna trial for each
trial of ours, in the order of their numbers, and draws each with a sampler made for it, seeded by
the sweep's seed and the trial's number: who kills it and makes it anew from the same results is
suggested the same. What was drawn is told back as the params mean it, never as it was drawn.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState

from sweeper.domain.result import Outcome, Result
from sweeper.domain.ruled import RuledSampler
from sweeper.domain.rules import Rules
from sweeper.domain.sampling import RandomSampler as RandomSampling
from sweeper.domain.sampling import nested
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.domain.values import JsonValue, Params
from sweeper.search.dimensions import Coordinate, Dimension, constants, dimensions
from sweeper.search.order import Order

Coordinates: TypeAlias = Mapping[str, Coordinate]

_ENDS = {
    Outcome.COMPLETED: TrialState.COMPLETE,
    Outcome.PRUNED: TrialState.PRUNED,
    Outcome.FAILED: TrialState.FAIL,
}

_STARTUP = 10

optuna.logging.set_verbosity(optuna.logging.ERROR)


def sampler_seed(seed: int, number: int) -> int:
    """Return the seed of the sampler that draws trial `number` of a sweep: 32 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4])


class Study:
    """Suggests params from what it was told."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._make, self._plain = _maker(order), RandomSampler(seed=0)
        self._keeps_state = order.sampler is SamplerName.CMAES
        found = dimensions(order.space, order.groups)
        # Those that others depend on are drawn first.
        by_order = sorted(found, key=lambda name: _depth(order.rules, found[name]))
        self._dimensions = {name: found[name] for name in by_order}
        chance = RandomSampling(order.space, order.seed, order.groups)
        self._chance = RuledSampler(chance, chance, order.rules)
        self._fixed = tuple(constants(order.space))
        self._results: dict[int, Result] = {}
        self._begin()

    @property
    def startup(self) -> int:
        """How many of the first points do not depend on results."""
        standard = 1 if self._order.sampler is SamplerName.CMAES else _STARTUP
        return int(cast(int, self._order.options.get("startup", standard)))

    def tell(self, results: Iterable[Result]) -> None:
        """Take in how trials stand, new ones and those that changed."""
        is_stale = False
        for result in sorted(results, key=lambda one: one.number):
            before = self._results.get(result.number)
            if result == before:
                continue
            self._results[result.number] = result
            # What has ended cannot go on in Optuna, nor can another come before it. Samplers that
            # keep their state with the trials would depend on who ended when, too.
            is_last = result.number >= max(self._trials, default=-1)
            is_late = not is_last and (before is None or self._keeps_state)
            is_new_end = before is not None and before.outcome is not Outcome.RUNNING
            # What was suggested ahead gives way to a point that a person enqueued.
            is_other = before is not None and before.params != result.params
            if is_stale or is_late or is_new_end or is_other:
                is_stale = True
            else:
                self._take(result)
        if is_stale:
            self._begin()

    def ask(self, number: int) -> Params:
        """Return the params of a trial; asked again, and told nothing new, the same."""
        if number in self._results:
            return self._results[number].params
        self._study.sampler = self._make(sampler_seed(self._order.seed, number))
        trial = self._drawn()
        params = self._params(trial.params)
        if self._order.rules.hold(params):
            self._correct(trial, params)
            self._trials[number] = trial
            self._results[number] = Result(number=number, params=params, outcome=Outcome.RUNNING)
            return params
        # No sampler knows the constraints; what does not meet them is drawn anew by chance.
        params = self._chance.params(number)
        self._results[number] = Result(number=number, params=params, outcome=Outcome.RUNNING)
        self._begin()
        return params

    def _begin(self) -> None:
        self._storage = InMemoryStorage()
        is_least = self._order.goal is Goal.MINIMIZE
        direction = StudyDirection.MINIMIZE if is_least else StudyDirection.MAXIMIZE
        self._study = optuna.create_study(storage=self._storage, direction=direction)
        self._trials: dict[int, Trial] = {}
        for place, prior in enumerate(self._order.prior):
            self._take(prior, place - len(self._order.prior))
        for _, result in sorted(self._results.items()):
            self._take(result)

    def _take(self, result: Result, number: int | None = None) -> None:
        number = result.number if number is None else number
        trial = self._trials.get(number)
        if trial is None:
            coordinates = self._coordinates(result.params)
            if coordinates is None:
                return  # outside of the space: it says nothing about what is inside
            self._study.enqueue_trial(dict(coordinates))
            self._study.sampler = self._plain
            self._trials[number] = trial = self._drawn()
            self._note(trial, number)
        state = _ENDS.get(result.outcome)
        if state is None:
            return
        if state is TrialState.PRUNED and result.value is not None:
            trial.report(result.value, result.reports)
        value = result.value if state is TrialState.COMPLETE else None
        self._study.tell(trial, value, state)

    def _note(self, trial: Trial, number: int) -> None:
        """Let a sampler that keeps its state with the trials keep it with one it did not draw."""
        if self._keeps_state:
            sampler = self._make(sampler_seed(self._order.seed, number))
            frozen = self._storage.get_trial(self._id_of(trial))
            space = sampler.infer_relative_search_space(self._study, frozen)
            sampler.sample_relative(self._study, frozen, space)

    def _id_of(self, trial: Trial) -> int:
        study = self._storage.get_study_id_from_name(self._study.study_name)
        return self._storage.get_trial_id_from_study_id_trial_number(study, trial.number)

    def _drawn(self) -> Trial:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._study.ask()
            for name, dimension in self._dimensions.items():
                if self._exists(dimension, trial):
                    _suggest(trial, name, dimension.distribution)
            return trial

    def _exists(self, dimension: Dimension, trial: Trial) -> bool:
        """Whether a dimension has a meaning beside those that were drawn before it."""
        rules = self._order.rules
        if not rules.when:
            return True
        before = self._params(trial.params)
        return any(rules.exists(path[0], before) for path in dimension.paths)

    def _params(self, coordinates: Mapping[str, Any]) -> Params:
        """Return the params that the coordinates of a trial mean."""
        found = dict(self._fixed)
        for name, coordinate in coordinates.items():
            dimension = self._dimensions[name]
            found.update(zip(dimension.paths, dimension.values(coordinate), strict=True))
        return self._order.rules.existing(nested(found.items()))

    def _coordinates(self, params: Params) -> Coordinates | None:
        """Return the coordinates of params, None where the space does not hold them."""
        found: dict[str, Coordinate] = {}
        rules = self._order.rules
        for name, dimension in self._dimensions.items():
            if not any(rules.exists(path[0], params) for path in dimension.paths):
                continue
            try:
                values = [_value_at(params, path) for path in dimension.paths]
            except LookupError:
                return None
            coordinate = dimension.coordinate(values)
            if coordinate is None:
                return None
            found[name] = coordinate
        return found

    def _correct(self, trial: Trial, params: Params) -> None:
        """Let a trial stand where its params will be found again by whoever is told of them."""
        coordinates = self._coordinates(params) or {}
        for name, coordinate in coordinates.items():
            if coordinate != trial.params[name]:
                distribution = self._dimensions[name].distribution
                internal = distribution.to_internal_repr(coordinate)
                self._storage.set_trial_param(self._id_of(trial), name, internal, distribution)


def _depth(rules: Rules, dimension: Dimension) -> int:
    return max(rules.order(path[0]) for path in dimension.paths)


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> None:
    match distribution:
        case FloatDistribution(low=low, high=high, log=log):
            trial.suggest_float(name, low, high, log=log)
        case IntDistribution(low=low, high=high):
            trial.suggest_int(name, low, high)
        case CategoricalDistribution(choices=choices):
            trial.suggest_categorical(name, choices)
        case _:
            raise TypeError(f"no dimension is a {type(distribution).__name__}")


def _value_at(params: Params, path: tuple[str, ...]) -> JsonValue:
    value: JsonValue = params
    for name in path:
        if not isinstance(value, Mapping):
            raise LookupError(name)  # noqa: TRY004 - params without it, not a wrong type
        value = value[name]
    return value


def _maker(order: Order) -> Callable[[int], BaseSampler]:
    """Return what makes a sampler from a seed."""
    options: dict[str, Any] = dict(order.options)
    match order.sampler:
        case SamplerName.GP:
            return lambda seed: GPSampler(
                seed=seed,
                n_startup_trials=options.get("startup", _STARTUP),
                deterministic_objective=options.get("deterministic", False),
                warn_independent_sampling=False,
            )
        case SamplerName.CMAES:
            return lambda seed: CmaEsSampler(
                seed=seed,
                n_startup_trials=options.get("startup", 1),
                sigma0=options.get("sigma"),
                popsize=options.get("population"),
                warn_independent_sampling=False,
                independent_sampler=RandomSampler(seed=seed),
            )
        case _:
            return lambda seed: TPESampler(
                seed=seed,
                n_startup_trials=options.get("startup", _STARTUP),
                n_ei_candidates=options.get("candidates", 24),
                multivariate=options.get("multivariate"),
                constant_liar=True,
            )
