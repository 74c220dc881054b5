"""What a model of the results is told of each point of a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from sweeper.domain.record import TrialView
from sweeper.domain.trial import TrialState
from sweeper.domain.values import Params


class Outcome(StrEnum):
    """How far a point is that a model is told of."""

    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a model is told of a point: a trial, or the repeats of one.

    `number` counts points. `value` is the best that was reported of the objective (None: nothing
    was, or it may still get better); `reports` counts how often it was.
    """

    number: int
    params: Params
    outcome: Outcome
    value: float | None = None
    reports: int = 0


_OUTCOMES = {
    TrialState.COMPLETED: Outcome.COMPLETED,
    TrialState.PRUNED: Outcome.PRUNED,
    TrialState.FAILED: Outcome.FAILED,
    TrialState.CANCELLED: Outcome.FAILED,
}


def result_of(number: int, views: Sequence[TrialView], repeats: int = 1) -> Result:
    """Return what a model is told of point `number`, whose trials stand as `views` say.

    It is running until all of its `repeats` have ended. Its value is the mean of those that
    completed; only if none did, of those that were pruned. One without any value says nothing of
    the objective: it counts as failed.
    """
    params = views[0].trial.params
    ends = [_OUTCOMES[one.trial.state] for one in views if one.trial.state in _OUTCOMES]
    if len(ends) < repeats:
        return Result(number=number, params=params, outcome=Outcome.RUNNING)
    for outcome in (Outcome.COMPLETED, Outcome.PRUNED):
        found = [
            one.objective
            for one, end in zip(views, ends, strict=True)
            if end is outcome and one.objective is not None
        ]
        if found:
            return Result(
                number=number,
                params=params,
                outcome=outcome,
                value=fmean(one.best for one in found),
                reports=max(one.reports for one in found),
            )
    return Result(number=number, params=params, outcome=Outcome.FAILED)
