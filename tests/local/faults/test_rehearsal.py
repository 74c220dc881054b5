"""Whole sweeps by the real daemon through storms, lost answers, kills and a listing that lags."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from sweeper.clock import pause
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.trial import TrialState
from sweeper.local.faults.plan import (
    Drop,
    ExpireTokens,
    FaultPlan,
    Garbage,
    Happening,
    ListingLag,
    PhaseWord,
    Preempt,
    Rule,
    RuleStop,
    Status,
    Sticking,
)
from sweeper.local.simulation import SimulationPlan, Uniform
from tests.local.planes import memory_folder
from tests.support.simulated_daemon import History, Rehearsal, sweep_text

pytestmark = [
    pytest.mark.looptime,
    pytest.mark.timeout(60),  # much work, and nothing that could hang for long
]

COURSES = SimulationPlan(
    seed=1, startup=3, duration=Uniform(shortest=20, longest=80), term_seconds=2
)
LAG = Rule(fault=ListingLag(seconds=3))
STORM = FaultPlan(
    seed=7,
    rules=(
        LAG,
        Rule(fault=Status(status=503, when="before"), probability=0.025),
        Rule(fault=Status(status=503, when="after"), probability=0.025),
    ),
    happenings=(Happening(misfortune=Preempt(share=0.5), at=60, every=100),),
)
BROKEN = FaultPlan(
    seed=8,
    rules=(
        LAG,
        Rule(fault=Drop(when="after"), probability=0.05),
        Rule(fault=Garbage(), probability=0.03),
        Rule(fault=PhaseWord(), probability=0.1),
    ),
)
STOPPED = FaultPlan(
    seed=9,
    happenings=(
        Happening(misfortune=RuleStop(share=0.5), at=30),
        Happening(misfortune=RuleStop(share=0.5, desired="Running"), at=400),
        Happening(misfortune=ExpireTokens(), at=20, every=50),
    ),
    sticking=(Sticking(phase="Resuming", share=0.5, seconds=60),),
)


def rehearsal(folder: Path, plan: FaultPlan, trials: int = 24, active: int = 6) -> Rehearsal:
    return Rehearsal(
        directory=folder,
        text=sweep_text(trials, active),
        simulation=COURSES,
        plan=plan,
        gpus=active,
    )


async def check(here: Rehearsal, history: History, trials: int) -> None:
    """Judge a sweep by what the server has on record."""
    totals = await here.store.totals()
    assert totals.states[TrialState.COMPLETED] == trials
    assert history.completed == dict.fromkeys(range(trials), 1)
    assert history.twice_live() == []


async def test_200_trials_are_completed_once_through_a_storm() -> None:
    with memory_folder() as folder:
        here = rehearsal(folder, STORM, 200, 16)
        async with here.server() as server:
            await here.run_sweep()
            history = await server.history()

    await check(here, history, 200)
    assert history.count("Evict") > 20
    assert all(rule["hit"] for rule in here.faults.report()["rules"])


@pytest.mark.parametrize("plan", [BROKEN, STOPPED], ids=["broken answers", "rule stops"])
async def test_a_sweep_comes_through(plan: FaultPlan) -> None:
    with memory_folder() as folder:
        here = rehearsal(folder, plan)
        async with here.server() as server:
            record = await here.run_sweep()
            history = await server.history()

    assert record.state is SweepState.FINISHED
    await check(here, history, 24)


async def test_a_server_that_goes_and_comes_back_costs_nothing() -> None:
    with memory_folder() as folder:
        here = rehearsal(folder, FaultPlan(rules=(LAG,)))
        async with asyncio.TaskGroup() as group:
            daemon = group.create_task(here.run_sweep())
            for _ in range(3):
                async with here.server():
                    await pause(40)
                await pause(20)
            async with here.server() as server:
                await daemon
                history = await server.history()

    await check(here, history, 24)
    assert history.count("NodeLost") == 0


async def test_daemons_killed_at_any_time_create_nothing_twice() -> None:
    with memory_folder() as folder:
        here = rehearsal(folder, STORM)
        record: SweepRecord | None = None
        async with here.server() as server:
            while record is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(13.7):
                        record = await here.run_sweep()
            history = await server.history()

    await check(here, history, 24)


async def test_the_same_rehearsal_goes_the_same_way_again() -> None:
    async def lives() -> list[tuple[str, object]]:
        with memory_folder() as folder:
            here = rehearsal(folder, STORM, trials=12)
            async with here.server() as server:
                await here.run_sweep()
                trainings = (await server.history()).trainings
        return [(one.name, one.completed_at) for one in trainings]

    assert await lives() == await lives()
