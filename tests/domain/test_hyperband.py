"""W&B's own hyperband decides what ours does: what its package `sweeps` 0.3.0 said is recorded."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sweeper.domain.halting import Field, halts
from sweeper.domain.record import Report
from sweeper.domain.stopping import bands, last_place, rungs
from sweeper.domain.sweep import EarlyTerminateSpec, Goal, ObjectiveSpec
from sweeper.domain.trial import TrialState
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial

_CASES = json.loads(
    (Path(__file__).parents[1] / "data" / "wandb" / "hyperband.json").read_text(encoding="utf-8")
)
_STATES = {
    "running": TrialState.ACTIVE,
    "finished": TrialState.COMPLETED,
    "failed": TrialState.FAILED,
}


@pytest.mark.parametrize("case", _CASES, ids=map(str, range(len(_CASES))))
async def test_the_runs_that_w_and_b_stops_are_stopped(case: dict[str, Any]) -> None:
    settings, goal = case["early_terminate"], Goal(case["goal"])
    where = {key: settings[key] for key in ("min_iter", "max_iter", "s") if key in settings}
    early = EarlyTerminateSpec(
        rungs=rungs(bands(eta=settings["eta"], **where)),
        eta=settings["eta"],
        strict=settings["strict"],
    )
    store = await _reported(case["runs"], early, goal)

    field = Field(
        spec=early,
        objective=ObjectiveSpec(name="loss", goal=goal),
        live=await store.live_trials(),
        comparison=await store.comparison(partial(last_place, early)),
        begins_at=None,
        planned=None,
    )

    assert sorted(halts(field, NOW).changes) == case["stopped"]


async def _reported(runs: list[Any], early: EarlyTerminateSpec, goal: Goal) -> MemoryStore:
    """Return a store with trials that reported as the runs did; None is another metric's."""
    store = MemoryStore()
    await store.save_sweep(a_sweep(objective="loss", goal=goal, rungs=early.rungs))
    trials = [
        a_trial(number, state=_STATES[state], version=0) for number, (state, _) in enumerate(runs)
    ]
    await store.commit(trials)
    for number, (_, values) in enumerate(runs):
        reports = [
            Report(trial=number, key=str(place), at=NOW, values={"loss": value})
            for place, value in enumerate(values)
            if value is not None
        ]
        await store.add_reports(reports)
    return store
