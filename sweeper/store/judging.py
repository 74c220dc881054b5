"""What reports say about a trial's objective, one report after the other."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

from sweeper.domain.record import ObjectiveValue, Report
from sweeper.domain.sweep import Goal
from sweeper.store.texts import legible

_STEP_BOUND = 2**63


def storable(report: Report) -> Report:
    """Return the report as it can be kept: numbers finite, step within 64 bits, key legible.

    Reports come from programs of other people, and none of them may end the daemon.
    """
    values = {name: float(value) for name, value in report.values.items() if _is_finite(value)}
    step = report.step
    if step is not None and not -_STEP_BOUND <= step < _STEP_BOUND:
        step = None
    return replace(report, key=legible(report.key), values=values, step=step)


def folded(
    before: ObjectiveValue | None,
    report: Report,
    name: str | None,
    goal: Goal | None,
    rungs: Collection[int] = (),
) -> ObjectiveValue | None:
    """Return the objective called `name` after one more report; one without it changes nothing.

    The last value is that of the newest report by its own time: a report that was lost on the
    way and is found later in the report file does not pass for the newest.
    """
    value = report.values.get(name) if name is not None else None
    if value is None:
        return before
    if before is None:
        before = ObjectiveValue(best=value, last=value, reports=0, updated_at=report.at)
    step, furthest = report.step, before.furthest_step
    is_repeated = step is not None and furthest is not None and step <= furthest
    iterations = before.iterations + (0 if is_repeated else 1)
    is_better = before.reports == 0 or rank(value, goal) < rank(before.best, goal)
    is_newer = report.at >= before.updated_at
    is_at_rung = not is_repeated and iterations in rungs
    return ObjectiveValue(
        best=value if is_better else before.best,
        last=value if is_newer else before.last,
        reports=before.reports + 1,
        updated_at=report.at if is_newer else before.updated_at,
        iterations=iterations,
        furthest_step=furthest if step is None or is_repeated else step,
        best_at=iterations if is_better else before.best_at,
        rung=iterations if is_at_rung else before.rung,
        rung_value=value if is_at_rung else before.rung_value,
    )


def rank(value: float, goal: Goal | None) -> float:
    """Return a number that is smaller the better `value` is, whatever the goal."""
    return -value if goal is Goal.MAXIMIZE else value


def rung_keys(
    progress: Mapping[int, ObjectiveValue], bracket: int | None
) -> Collection[tuple[int, int]]:
    """Return the rungs, each with the bracket of so many trials, that trials stand at last."""
    return {
        (reached.rung, number // bracket if bracket else 0)
        for number, reached in progress.items()
        if reached.rung
    }


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
