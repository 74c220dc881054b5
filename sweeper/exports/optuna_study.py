"""Results as a study of Optuna, which its dashboard and its plots read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import DuplicatedStudyError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from sweeper.domain.parameters import (
    Categorical,
    InvLogUniform,
    InvLogUniformValues,
    LogUniform,
    LogUniformValues,
    QLogUniform,
    QLogUniformValues,
    SearchSpace,
    WeightedCategorical,
)
from sweeper.domain.sampling import leaves
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState as OurState
from sweeper.domain.values import plain
from sweeper.errors import SettingsError
from sweeper.exports.rows import PARAMS, Row, flat

Point: TypeAlias = Mapping[str, Any]
"""One report, with its `step` and its `values`."""

SWEEP_KEY = "sweeper_sweep"
"""The attribute of a study that names, by its id, the sweep that it was made of."""

_BY_LOGARITHM = (
    InvLogUniform,
    InvLogUniformValues,
    LogUniform,
    LogUniformValues,
    QLogUniform,
    QLogUniformValues,
)
_ENDS = {
    OurState.COMPLETED: TrialState.COMPLETE,
    OurState.PRUNED: TrialState.PRUNED,
    OurState.FAILED: TrialState.FAIL,
    OurState.CANCELLED: TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.ERROR)


def trials_of(
    rows: Sequence[Row], curves: Mapping[int, Sequence[Point]], objective: str, space: SearchSpace
) -> list[FrozenTrial]:
    """Return Optuna's trials for `rows`, in their order.

    A completed trial without an objective is one that failed, for Optuna knows no other. A point
    of a curve without a step has the number of points before it. What is not settled is running.
    """
    points = [
        {name.removeprefix(PARAMS): value for name, value in flat(row).items() if _is_param(name)}
        for row in rows
    ]
    drawn = _distributions(points, space)
    return [
        _trial(row, point, _intermediate(curves.get(row["trial"], ()), objective), drawn)
        for row, point in zip(rows, points, strict=True)
    ]


def write_study(
    url: str, name: str, sweep_id: str, goal: str | None, trials: Iterable[FrozenTrial]
) -> None:
    """Write the study `name` into the database at `url`, in place of an earlier one of this sweep.

    Raises:
        SettingsError: the database cannot be used, or has a study of that name that is not ours.
    """
    try:
        _replace(url, name, sweep_id)
        direction = StudyDirection.MAXIMIZE if goal == Goal.MAXIMIZE else StudyDirection.MINIMIZE
        study = optuna.create_study(storage=url, study_name=name, direction=direction)
        study.set_user_attr(SWEEP_KEY, sweep_id)
        study.add_trials(trials)
    except DuplicatedStudyError as error:
        raise SettingsError(f"the database has a study {name} of something else") from error
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # The address may hold a password, and so may what a driver says of it.
        raise SettingsError(
            f"the database at --optuna cannot be used ({type(error).__name__}): "
            "write one like sqlite:///study.db"
        ) from error


def _replace(url: str, name: str, sweep_id: str) -> None:
    if name not in optuna.get_all_study_names(storage=url):
        return
    if optuna.load_study(study_name=name, storage=url).user_attrs.get(SWEEP_KEY) == sweep_id:
        optuna.delete_study(study_name=name, storage=url)


def _is_param(name: str) -> bool:
    return name.startswith(PARAMS)


def _trial(
    row: Row,
    point: Mapping[str, Any],
    intermediate: dict[int, float],
    drawn: Mapping[str, BaseDistribution],
) -> FrozenTrial:
    state, value = _ENDS.get(row["state"], TrialState.RUNNING), row["objective"]
    if state is TrialState.COMPLETE and value is None:
        state = TrialState.FAIL
    trial = create_trial(
        state=state,
        value=value if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params={name: _held(drawn[name], held) for name, held in point.items()},
        distributions={name: drawn[name] for name in point},
        user_attrs={"sweeper_trial": row["trial"], "sweeper_state": row["state"]},
        intermediate_values=intermediate,
    )
    trial.datetime_start = _time(row["started_at"]) or trial.datetime_start
    if state.is_finished():
        trial.datetime_complete = _time(row["ended_at"]) or trial.datetime_complete
    return trial


def _intermediate(curve: Sequence[Point], objective: str) -> dict[int, float]:
    found: dict[int, float] = {}
    for point in curve:
        if objective in point["values"]:
            step = len(found) if point["step"] is None else point["step"]
            found[step] = point["values"][objective]
    return found


def _distributions(
    points: Sequence[Mapping[str, Any]], space: SearchSpace
) -> dict[str, BaseDistribution]:
    known = {".".join(path): parameter for path, parameter in leaves(space)}
    names = dict.fromkeys(name for point in points for name in point)
    values = {name: [point[name] for point in points if name in point] for name in names}
    return {name: _distribution(values[name], known.get(name)) for name in names}


def _distribution(values: Sequence[Any], parameter: object) -> BaseDistribution:
    """Return one that holds all of `values`, and what the parameter of the sweep could give."""
    if isinstance(parameter, Categorical | WeightedCategorical):
        texts = dict.fromkeys(map(_text, [*parameter.values, *values]))
        return CategoricalDistribution(tuple(texts))
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return CategoricalDistribution(tuple(dict.fromkeys(map(_text, values))))
    low, high = min(values), max(values)
    if all(isinstance(value, int) for value in values) and max(abs(low), abs(high)) < 2**53:
        return IntDistribution(low, high, log=isinstance(parameter, _BY_LOGARITHM) and low > 0)
    by_logarithm = isinstance(parameter, _BY_LOGARITHM) and low > 0
    return FloatDistribution(float(low), float(high), log=by_logarithm)


def _held(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return _text(value)
    return value if isinstance(distribution, IntDistribution) else float(value)


def _text(value: Any) -> str:
    """Return a choice as text: to Optuna True is 1, and a list no choice."""
    return value if isinstance(value, str) else json.dumps(plain(value))


def _time(text: str | None) -> datetime | None:
    """Return a time as Optuna keeps it: local, and without a zone."""
    return None if text is None else datetime.fromisoformat(text).astimezone().replace(tzinfo=None)
