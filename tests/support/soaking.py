"""A long sweep with faults and kills in virtual time, and what the process holds meanwhile.

The real daemon, client and store (in a file) and the simulated control plane in one process. What
is counted is counted for all of them together, so whatever grows with the trials that are over
shows, on either side.
"""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sweeper.domain.record import Event, SweepRecord, SweepState
from sweeper.local.faults.plan import Drop, FaultPlan, Happening, ListingLag, Preempt, Rule, Status
from sweeper.local.simulation import SimulationPlan, Uniform
from sweeper.ports import TickSummary
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from sweeper.telemetry.metrics import Metrics
from tests.support.daemon import Heard
from tests.support.simulated_daemon import Rehearsal, Server, sweep_text

COURSES = SimulationPlan(
    seed=3,
    startup=2,
    duration=Uniform(shortest=5, longest=25),
    failures=0.01,
    preemptions_per_hour=2,
    term_seconds=2,
)
FAULTS = FaultPlan(
    seed=11,
    rules=(
        Rule(fault=ListingLag(seconds=2)),
        Rule(fault=Status(status=503, when="before"), probability=0.01),
        Rule(fault=Status(status=503, when="after"), probability=0.01),
        Rule(fault=Drop(when="after"), probability=0.01),
    ),
    happenings=(Happening(misfortune=Preempt(share=0.2), at=100, every=300),),
)

TASKS_AT_ONCE = 8
"""What two ticks may differ by: the calls that are made side by side."""
LIVES = 3
"""After so many lives of a daemon the control plane is closed and opened again, too."""
MORE_OBJECTS = 1.05
MORE_MEMORY = 1.15
LARGEST_WAL = 8 * 2**20
"""Twice what SQLite lets a log grow to before it is copied into the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """How long a sweep is soaked; the daemon is killed every `kill_every` seconds."""

    trials: int
    active: int
    kill_every: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the process held when `settled` trials were over.

    `objects` are those that the collector knows after a collection, `wal` is the larger of the
    two write-ahead logs in bytes.
    """

    settled: int
    tasks: int
    descriptors: int
    wal: int
    objects: int


@dataclass(slots=True, kw_only=True)
class Held:
    """What was held while neither daemon nor control plane was open, and the most meanwhile.

    `between` is in the order of time; the extremes have an entry for each life of a daemon, and so
    has `memory`: what was resident when it was over, in MiB.
    """

    between: list[Sample] = field(default_factory=list)
    most_tasks: list[int] = field(default_factory=list)
    most_descriptors: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    seconds: float = 0.0
    kills: int = 0
    double: int = 0
    states: dict[str, int] = field(default_factory=dict)
    state: SweepState = SweepState.OPEN


@dataclass(slots=True, kw_only=True)
class Watcher(Heard):
    """Telemetry that keeps metrics as a daemon does, and of all else only the extremes."""

    metrics: Metrics
    tasks: int = 0
    descriptors: int = 0

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        self.metrics.recorded(sweep, events)

    def ticked(self, summary: TickSummary) -> None:
        self.metrics.ticked(summary)
        self.tasks = max(self.tasks, len(asyncio.all_tasks()))
        self.descriptors = max(self.descriptors, _descriptors())


async def soak(folder: Path, soaked: Soak) -> Held:
    """Run the sweep to its end through faults and kills; return what was held."""
    here = Rehearsal(
        directory=folder,
        text=sweep_text(soaked.trials, soaked.active),
        simulation=COURSES,
        plan=FAULTS,
        gpus=soaked.active,
    )
    settled = wal = 0
    held, began = Held(), asyncio.get_running_loop().time()
    while held.state is SweepState.OPEN:
        async with here.server() as server:
            for _ in range(LIVES):
                settled, wal = await _live(here, soaked, held)
                if held.state is not SweepState.OPEN:
                    held.double = await _doubled(server)
                    break
        held.between.append(_sample(settled, wal))
    held.seconds = asyncio.get_running_loop().time() - began
    return held


async def _live(here: Rehearsal, soaked: Soak, held: Held) -> tuple[int, int]:
    """Let one daemon live until it is killed, or the sweep is over.

    Returns how many trials are over, and the size of the larger write-ahead log.
    """
    watcher = Watcher(metrics=Metrics(version="soak", now=here.now))
    path = here.directory / "store.db"
    async with SqlStore(path, run=inline, now=here.now) as store:
        here.store, here.heard = store, watcher
        try:
            async with asyncio.timeout(soaked.kill_every):
                record = await here.run_sweep()
            held.state = record.state
        except TimeoutError:
            held.kills += 1
        totals = await store.totals()
        held.states = {state: count for state, count in totals.states.items() if count}
        settled = sum(count for state, count in totals.states.items() if state.is_terminal)
        logs = [path.with_name(path.name + "-wal"), here.directory / "trainings.db-wal"]
        wal = max((log.stat().st_size for log in logs if log.exists()), default=0)
    held.most_tasks.append(watcher.tasks)
    held.most_descriptors.append(watcher.descriptors)
    gc.collect()
    held.memory.append(psutil.Process().memory_info().rss / 2**20)
    return settled, wal


def _sample(settled: int, wal: int) -> Sample:
    gc.collect()
    return Sample(
        settled=settled,
        tasks=len(asyncio.all_tasks()),
        descriptors=_descriptors(),
        wal=wal,
        objects=len(gc.get_objects()),
    )


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def _doubled(server: Server) -> int:
    return len((await server.history()).twice_live())


def faults(held: Held, trials: int) -> Sequence[str]:
    """Return what should not be: what grew, or came to no end, or to two."""
    first, last = held.between[0], held.between[-1]
    third = max(len(held.most_tasks) // 3, 1)
    found = {
        f"trials are lost: {held.states}": sum(held.states.values()) != trials,
        f"trials lived twice at once: {held.double}": held.double > 0,
        f"the sweep is {held.state}": held.state is not SweepState.FINISHED,
        f"tasks stay: {first.tasks}, then {last.tasks}": last.tasks > first.tasks,
        f"descriptors stay: {first.descriptors}, then {last.descriptors}": (
            last.descriptors > first.descriptors
        ),
        f"objects stay: {first.objects}, then {last.objects}": (
            last.objects > first.objects * MORE_OBJECTS
        ),
        f"tasks of a tick grow: {held.most_tasks}": (
            max(held.most_tasks[-third:]) > max(held.most_tasks[:third]) + TASKS_AT_ONCE
        ),
        f"descriptors of a tick grow: {held.most_descriptors}": (
            max(held.most_descriptors[-third:]) > max(held.most_descriptors[:third])
        ),
        f"memory grows: {held.memory}": (
            max(held.memory[-third:]) > max(held.memory[:third]) * MORE_MEMORY
        ),
        f"a write-ahead log grows: {[one.wal for one in held.between]}": (
            max(one.wal for one in held.between) > LARGEST_WAL
        ),
    }
    return [fault for fault, is_so in found.items() if is_so]
