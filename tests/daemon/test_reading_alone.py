"""A daemon over a control plane that has no listing: every training is read alone."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import Observation, TrialState
from sweeper.errors import ControlPlaneError, TransientError
from tests.support.builders import NOW, a_spec
from tests.support.clock import Clock
from tests.support.daemon import World
from tests.support.remote import RUNS_THROUGH, Remote, refused_by_gateway

AT_WORK = 400


class Watched(Remote):
    """A server without a listing that knows when each training was read."""

    def __init__(self, now: Clock) -> None:
        super().__init__(now=now, has_listing=False)
        self.reads: dict[str, list[float]] = {}
        self.broken: frozenset[int] = frozenset()
        self.error: ControlPlaneError = TransientError("500")

    async def get(self, workload_id: str) -> Observation:
        seen = await super().get(workload_id)
        self.reads.setdefault(workload_id, []).append((self.now() - NOW).total_seconds())
        if int(seen.name.split("-")[-2]) in self.broken:
            raise self.error
        return seen


async def a_world(*, active: int, planned: int) -> tuple[World, Watched]:
    world = World(spec=a_spec(limits=LimitsSpec(active=active)), planned=planned)
    await world.begin()
    world.remote = watched = Watched(world.remote.now)
    return world, watched


def endless(number: int, attempt: int) -> Sequence[Phase]:
    return [Phase.RUNNING] * 10**4


async def test_many_at_work_are_each_read_within_two_minutes_under_the_budget() -> None:
    world, watched = await a_world(active=AT_WORK, planned=2 * AT_WORK)
    watched.script = endless
    daemon = world.daemon()
    await world.ticks(daemon, 120)
    watched.reads.clear()
    started = world.clock()

    while world.clock() < started + timedelta(minutes=10):
        tick = await daemon.tick()
        world.pass_time(tick.wait)

    reads = list(watched.reads.values())
    gaps = [later - sooner for times in reads for sooner, later in pairwise(times)]
    assert len(reads) == AT_WORK
    assert max(gaps) < 120
    per_second = Counter(int(at) for times in reads for at in times)
    assert max(sum(per_second[at + back] for back in range(3)) for at in per_second) <= 16


@pytest.mark.parametrize("active", [2, 3])
async def test_one_that_can_never_be_read_keeps_nothing_else_from_going_on(active: int) -> None:
    world, watched = await a_world(active=active, planned=6)
    watched.faults = {("create", number): refused_by_gateway() for number in range(2, active + 1)}
    watched.script = lambda number, attempt: endless(0, 1) if number == 0 else RUNS_THROUGH
    watched.broken = frozenset({0})
    daemon = world.daemon()

    for _ in range(400):
        tick = await daemon.tick()
        world.pass_time(tick.wait)

    states = {view.trial.number: view.trial.state for view in await world.store.trials()}
    assert states == {0: TrialState.ACTIVE} | dict.fromkeys(range(1, 6), TrialState.COMPLETED)
