"""A whole sweep by the real daemon through storms, lost answers and a listing that lags."""

import pytest

from sweeper.domain.trial import TrialState
from sweeper.local.faults.operations import Operation
from sweeper.local.faults.plan import (
    FaultPlan,
    Happening,
    ListingLag,
    Preempt,
    Rule,
    Status,
)
from sweeper.local.simulation import SimulationPlan, Uniform
from tests.local.planes import memory_folder
from tests.support.simulated_daemon import Rehearsal, sweep_text

pytestmark = pytest.mark.looptime

STORM = FaultPlan(
    seed=7,
    rules=(
        Rule(fault=ListingLag(seconds=3), on=(Operation.LIST,)),
        Rule(fault=Status(status=503, when="before"), probability=0.025),
        Rule(fault=Status(status=503, when="after"), probability=0.025),
    ),
    happenings=(Happening(misfortune=Preempt(share=0.5), at=60, every=100),),
)


@pytest.mark.timeout(60)  # much work, and nothing that could hang for long
async def test_200_trials_are_completed_once_through_a_storm() -> None:
    with memory_folder() as folder:
        rehearsal = Rehearsal(
            directory=folder,
            text=sweep_text(200, 16),
            simulation=SimulationPlan(
                seed=1, startup=3, duration=Uniform(shortest=20, longest=80), term_seconds=2
            ),
            plan=STORM,
            gpus=16,
        )
        async with rehearsal.server() as server:
            await server.run_sweep()

            history = await server.history()

    totals = await rehearsal.store.totals()
    hits = [rule["hit"] for rule in rehearsal.faults.report()["rules"]]
    assert totals.states[TrialState.COMPLETED] == 200
    assert history.completed == dict.fromkeys(range(200), 1)
    assert history.twice_live() == []
    assert history.count("Evict") > 20
    assert all(hits)
