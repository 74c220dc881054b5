"""Early stopping: at which iterations trials are compared, and which of them go on.

A rung is an iteration at which trials are compared: what W&B calls a band. Everything here is a
pure function of what trials reported there.
"""

import math
from collections.abc import Iterable
from typing import assert_never

from sweeper.domain.record import ObjectiveValue, RungPlace
from sweeper.domain.sweep import EarlyTerminateSpec, ObjectiveSpec, StoppingAction, StoppingRule

_MOST = 100

ONCE = frozenset({StoppingRule.ASHA, StoppingRule.SUCCESSIVE_HALVING})
"""Rules that decide about a trial once at each rung; the others whenever it is looked at."""


def bands(
    *,
    eta: float = 3,
    min_iter: int | None = None,
    max_iter: int | None = None,
    s: int | None = None,
) -> tuple[int, ...]:
    """Return the iterations at which W&B's hyperband compares trials, ascending.

    With `max_iter` that is divided by `eta` up to `s` times, and is no band itself; otherwise
    `min_iter` is multiplied by `eta` again and again, a hundred bands in all, fewer where floats
    end. Duplicates are kept. Empty when `max_iter` is below `eta`.
    """
    if max_iter is not None:
        return _downwards(max_iter, eta, s or 0)
    return _upwards(min_iter or 1, eta)


def _downwards(start: int, eta: float, steps: int) -> tuple[int, ...]:
    found: list[int] = []
    band: float = start
    for _ in range(steps):
        band /= eta
        if band < 1:
            break
        found.append(int(band))
    return tuple(sorted(found))


def _upwards(start: int, eta: float) -> tuple[int, ...]:
    found: list[int] = []
    band: float = start
    for _ in range(_MOST):
        if band > 1e300 or not math.isfinite(band):
            break
        found.append(int(band))
        band *= eta
    return tuple(found)


def evenly(first: int, every: int) -> tuple[int, ...]:
    """Return a hundred iterations that are `every` apart, from `first` on."""
    return rungs(first + every * count for count in range(_MOST))


def rungs(iterations: Iterable[int], below: int | None = None) -> tuple[int, ...]:
    """Return iterations at which trials can be compared: ascending, each once, under `below`."""
    return tuple(sorted({each for each in iterations if below is None or each < below}))


def last_place(spec: EarlyTerminateSpec, reached: int) -> int | None:
    """Return which of `reached` trials, best first from 0 on, is the last to go on at a rung.

    None where all go on, whatever they reached. There is always one that goes on.
    """
    match spec.rule:
        case StoppingRule.HYPERBAND:
            # W&B takes the value at this place for the threshold, and stops what is worse.
            return int(1.0 / spec.eta * reached)
        case StoppingRule.ASHA | StoppingRule.SUCCESSIVE_HALVING:
            return max(int(reached / spec.eta), 1) - 1
        case StoppingRule.MEDIAN | StoppingRule.PERCENTILE:
            if reached < spec.min_trials:
                return None
            return max(math.ceil(reached * spec.percentile / 100), 1) - 1
        case StoppingRule.THRESHOLD | StoppingRule.PATIENCE:
            return None
        case _:
            assert_never(spec.rule)


def shares_are_whole(spec: EarlyTerminateSpec, reached: int) -> bool:
    """Return whether so many trials got to a rung that one of them is surely among its best."""
    return int(reached / spec.eta) >= 1


def threshold(spec: EarlyTerminateSpec, place: RungPlace | None) -> float | None:
    """Return the value that a trial has to reach to go on, None where there is none."""
    if spec.rule is StoppingRule.THRESHOLD:
        return spec.threshold
    return None if place is None else place.value


def compared(spec: EarlyTerminateSpec, reached: ObjectiveValue) -> float | None:
    """Return the value by which a trial is judged, None before its first rung."""
    if spec.rule is StoppingRule.PATIENCE:
        return reached.best
    if reached.rung_value is None:
        return None
    return reached.rung_value if spec.strict else reached.best


def is_poor(
    spec: EarlyTerminateSpec,
    objective: ObjectiveSpec,
    reached: ObjectiveValue,
    place: RungPlace | None,
) -> bool:
    """Return whether a trial is strictly worse than it must be to go on, whoever it is."""
    if spec.rule is StoppingRule.PATIENCE:
        return spec.patience is not None and reached.iterations - reached.best_at >= spec.patience
    value, wanted = compared(spec, reached), threshold(spec, place)
    return value is not None and wanted is not None and objective.better(wanted, than=value)


def is_among_best(
    spec: EarlyTerminateSpec,
    objective: ObjectiveSpec,
    trial: int,
    reached: ObjectiveValue,
    place: RungPlace | None,
) -> bool:
    """Return whether a trial is in the share of its rung that goes on; ties go by number."""
    if place is None or place.trial is None or place.value is None:
        return True
    if reached.rung_value == place.value:
        return trial <= place.trial
    return not is_poor(spec, objective, reached, place)


def waits_for_all(spec: EarlyTerminateSpec) -> bool:
    """Return whether a rung is judged only when no other trial may get there."""
    return spec.rule is StoppingRule.SUCCESSIVE_HALVING


def parks(spec: EarlyTerminateSpec) -> bool:
    """Return whether poor trials are parked, and so may be left over when the sweep ends."""
    return spec.action is not StoppingAction.STOP


def bracket_of(spec: EarlyTerminateSpec, trial: int) -> int:
    """Return which bracket a trial is in, 0 where there is one."""
    return 0 if spec.bracket is None else trial // spec.bracket
