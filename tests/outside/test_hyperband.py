"""W&B's own hyperband decides what ours does, on histories of all kinds."""

import asyncio
from functools import partial
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps import RunState, SweepRun, stop_runs

from sweeper.domain.halting import Field, halts
from sweeper.domain.record import Report
from sweeper.domain.stopping import bands, last_place, rungs
from sweeper.domain.sweep import EarlyTerminateSpec, Goal, ObjectiveSpec
from sweeper.domain.trial import TrialState
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial

Run: TypeAlias = tuple[str, list[float | None]]
"""The state of a run, and what it logged of the metric, None where it logged something else."""

_STATES = {
    "running": TrialState.ACTIVE,
    "finished": TrialState.COMPLETED,
    "failed": TrialState.FAILED,
    "killed": TrialState.PRUNED,
}
_VALUES = st.one_of(st.none(), st.integers(-3, 3).map(float), st.floats(-9, 9))
_RUNS = st.lists(st.tuples(st.sampled_from(sorted(_STATES)), st.lists(_VALUES, max_size=14)))
_WHERE = st.one_of(
    st.fixed_dictionaries({"min_iter": st.integers(1, 5)}),
    st.fixed_dictionaries({"max_iter": st.integers(9, 60), "s": st.integers(1, 4)}),
)


@settings(max_examples=400, deadline=None)
@given(_RUNS, _WHERE, st.sampled_from([1.5, 2, 3, 4]), st.booleans(), st.sampled_from(Goal))
def test_the_same_runs_are_stopped(
    runs: list[Run], where: dict[str, int], eta: float, strict: bool, goal: Goal
) -> None:
    config = {
        "method": "random",
        "metric": {"name": "loss", "goal": goal.value},
        "early_terminate": {"type": "hyperband", "eta": eta, "strict": strict, **where},
        "parameters": {"a": {"min": 0.0, "max": 1.0}},
    }
    early = EarlyTerminateSpec(rungs=rungs(bands(eta=eta, **where)), eta=eta, strict=strict)

    theirs = {int(run.name) for run in stop_runs(config, [*map(_of_theirs, range(99), runs)])}

    assert asyncio.run(_stopped(runs, early, goal)) == theirs


def _of_theirs(number: int, run: Run) -> Any:
    state, values = run
    history = [{"other": 1.0} if value is None else {"loss": value} for value in values]
    return SweepRun(name=str(number), state=RunState(state), history=history)


async def _stopped(runs: list[Run], early: EarlyTerminateSpec, goal: Goal) -> set[int]:
    """Return the trials that we prune, with what they reported in a store."""
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
    field = Field(
        spec=early,
        objective=ObjectiveSpec(name="loss", goal=goal),
        live=await store.live_trials(),
        comparison=await store.comparison(partial(last_place, early)),
        begins_at=None,
        planned=None,
    )
    return set(halts(field, NOW).changes)
