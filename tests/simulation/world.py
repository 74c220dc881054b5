"""A whole world from one seed: real daemons over a real store, and a control plane that errs.

    outcome = run_seed(7)             # or run_scenario(draw(7)), or a scenario of your own
    outcome.violations                # what no fault may ever bring about; empty if all is well
    outcome.history                   # everything that happened, in order

Everything of the daemon is the product's own: the sweep file's reading, the reconciler, the
client with its gate, the store. The control plane (`server`, `answering`) is a model, played in
virtual time; `wire` loses and spoils what goes between the two, `happening` is what befalls
trainings, daemons and the clock. `checking` judges by what the server wrote down.

The same scenario gives the same history, whatever the process: `outcome.history.digest()`.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import looptime

from sweeper.clock import pause
from sweeper.daemon.service import Service
from sweeper.domain.phase import Phase
from sweeper.domain.record import Report
from sweeper.domain.trial import TrialState
from sweeper.errors import StoreLockedError
from sweeper.local.places import CLUSTER_ID
from sweeper.local.running import inline
from sweeper.ports import Store
from sweeper.runai.gate import GatePolicy
from sweeper.runai.operations import Observer
from sweeper.store.memory import MemoryStore
from sweeper.store.sql import SqlStore
from sweeper.sweepfile.reading import ReadingContext, parse_sweep
from tests.local.planes import memory_folder
from tests.simulation.answering import PROJECT, Face
from tests.simulation.checking import Remains, violations
from tests.simulation.happening import Happenings
from tests.simulation.history import History, Note
from tests.simulation.living import Life
from tests.simulation.scenario import EARLY, Scenario, Sweep, draw
from tests.simulation.server import START, Cluster
from tests.simulation.violation import Violation
from tests.simulation.wire import Weather, Wire
from tests.support.crashing import Crash, mortal
from tests.support.daemon import Heard
from tests.support.simulated_daemon import Rehearsal

BOUND = 4 * 3600.0
"""Virtual seconds after the calm within which everything must be settled."""

PATIENCE = 60.0
"""Virtual seconds until a person comes by."""

_REPORTS_EVERY = 2.0
QUARANTINE = timedelta(seconds=20)
LONG_QUARANTINE = timedelta(seconds=180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a world went."""

    scenario: Scenario
    history: History
    violations: Sequence[Violation]
    seconds: float


def sweep_file(sweep: Sweep, active: int, kept: float | None) -> str:
    """Return the text of a sweep file (JSON is YAML) with this limit.

    `kept` is for how many seconds finished trainings are kept (None: for good).
    """
    limits: dict[str, Any] = {"active": active}
    for key in ("pending", "gpus", "submit_per_minute", "failures", "deadline"):
        value = getattr(sweep, key)
        if value is not None:
            limits[key] = value
    early: dict[str, Any] = {}
    if sweep.early is not None:
        early = {"metric": {"name": "loss"}, "early_terminate": EARLY[sweep.early]}
    phases = ("creating", "initializing", "resuming", "stopping", "terminating", "deleting")
    return json.dumps(
        {
            "method": "random",
            "name": "world",
            "run_cap": sweep.trials,
            "seed": 1,
            "parameters": {"lr": {"min": 0.0, "max": 1.0}},
            "limits": limits,
            **early,
            "retry": {k: {"attempts": n, "backoff": 5} for k, n in sweep.retries.items()},
            "resume": {
                "max": sweep.resume_max,
                "backoff": 5,
                "hold_after": sweep.hold_after,
                "user_suspended": "leave" if sweep.leave else "resume",
            },
            "timeouts": dict.fromkeys(phases, sweep.timeouts),
            "cleanup": "keep" if kept is None else {"after": kept},
            "training": {
                "projectId": PROJECT,
                "clusterId": CLUSTER_ID,
                "spec": {"image": "busybox", "command": "train", "compute": _ONE_GPU},
            },
        }
    )


_ONE_GPU = {"gpuDevicesRequest": 1}


@dataclass(slots=True)
class World:
    """A world that is being played."""

    scenario: Scenario
    folder: Path
    history: History = field(default_factory=History)
    offset: timedelta = timedelta()
    life: Life = field(default_factory=Life)
    service: Service | None = None
    task: "asyncio.Task[Any] | None" = None
    store: Store = field(default_factory=MemoryStore)
    wrong: list[Violation] = field(default_factory=list)
    limits: list[tuple[float, int]] = field(default_factory=list)
    cluster: Cluster = field(init=False)
    face: Face = field(init=False)
    weather: Weather = field(init=False)
    here: Rehearsal = field(init=False)
    deaths: random.Random = field(init=False)

    def __post_init__(self) -> None:
        scenario = self.scenario
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.cluster = Cluster(scenario.course, scenario.seed, self.history)
        self.face = Face(self.cluster, scenario.api)
        self.weather = Weather(scenario, self.cluster)
        self.deaths = self.cluster.stream("deaths")
        unique = scenario.api.unique_names
        self.here = Rehearsal(
            directory=self.folder,
            text=sweep_file(scenario.sweep, scenario.sweep.active, scenario.course.kept),
            line=Wire(self.face, self.weather),
            heard=Heard(),
            quarantine=QUARANTINE if unique else LONG_QUARANTINE,
            ramps=scenario.sweep.ramps,
            gate=GatePolicy(),
            observer=Observer(on_retry=lambda *_: self.note("repeat", str(self.life.number))),
        )
        self.here.now = lambda: (
            START + self.offset + timedelta(seconds=round(loop.time() - began, 6))
        )

    @property
    def active(self) -> int:
        """The limit that the newest daemon has."""
        return self.limits[-1][1]

    def note(self, what: str, detail: str = "") -> None:
        """Write down what happened."""
        self.history.add(Note(self.cluster.seconds, what, detail))

    def kill(self) -> None:
        """Kill the daemon at this moment."""
        if self.task is not None and not self.life.is_over:
            self.life.is_over = True
            self.task.cancel()

    async def play(self) -> Outcome:
        """Let it all happen, and judge it."""
        happenings = Happenings(self)
        async with asyncio.TaskGroup() as group:
            beside = group.create_task(happenings.play(), name="happenings")
            reporting = group.create_task(self._report(), name="reports")
            try:
                async with asyncio.timeout(self.scenario.calm + BOUND):
                    await self._live(group)
            except TimeoutError:
                self.wrong.append(Violation("I9", f"not settled {BOUND:.0f} s after the calm"))
            beside.cancel()
            reporting.cancel()
        await pause(200.0 if not self.scenario.api.unique_names else 30.0)
        remains = await self._remains()
        found = [*self.wrong, *violations(self.scenario, self.history, remains, self.limits)]
        return Outcome(
            scenario=self.scenario,
            history=self.history,
            violations=found,
            seconds=self.cluster.seconds,
        )

    async def _report(self) -> None:
        """Let trainings at work report, where their sweep compares them."""
        steps: Counter[int] = Counter()
        while self.scenario.sweep.early is not None:
            await pause(_REPORTS_EVERY)
            at_work = [one for one in self.cluster.ours() if one.phase is Phase.RUNNING]
            if self.task is None or await self.store.load_sweep() is None:
                continue
            for number in sorted({one.trial for one in at_work if one.trial is not None}):
                steps[number] += 1
                loss = random.Random(f"{self.scenario.seed}/loss/{number}").random()
                report = Report(
                    trial=number,
                    key=str(steps[number]),
                    at=self.here.now(),
                    values={"loss": loss + 1 / steps[number]},
                    step=steps[number],
                )
                await self.store.add_reports([report])

    async def _live(self, group: asyncio.TaskGroup) -> None:
        """Let one daemon after the other run until nothing is left to do in the calm."""
        while True:
            began_calm = self.cluster.is_calm
            ended = await self._one_life(group)
            if ended and began_calm:
                if not await self._needs_person():
                    return
                await pause(self._down() + PATIENCE)
            elif ended:
                left = self.scenario.calm - self.cluster.seconds
                await pause(max(left, 0) + 1.0)
            else:
                await pause(self._down())

    async def _needs_person(self) -> bool:
        """Whether something is left that a person sees to, who comes by in the calm."""
        async with self.opened() as store:
            sweep = await store.load_sweep()
            is_over = sweep is not None and sweep.ended_at is not None
            held = await store.trials(states=[TrialState.HELD])
            return not is_over and bool(held or await store.wishes())

    def _down(self) -> float:
        return round(self.deaths.uniform(0.1, self.scenario.down), 3)

    async def _one_life(self, group: asyncio.TaskGroup) -> bool:
        """Run one daemon; return whether it settled."""
        self._begin_life()
        settled = False
        try:
            async with AsyncExitStack() as stack:
                if self.scenario.sql:
                    self.store = SqlStore(self.folder / "store.db", run=inline, now=self.here.now)
                await stack.enter_async_context(cast(AbstractAsyncContextManager[Any], self.store))
                self.life = Life(
                    self.life.number + 1,
                    self.store,
                    self.deaths,
                    0.0 if self.cluster.is_calm else self.scenario.kills,
                    self.scenario.late,
                )
                self.note("life", f"{self.life.number} limit {self.active}")
                if self.scenario.sweep.lowered is not None:
                    self.note("begun", " ".join(await _begun(self.store)))
                cast(Wire, self.here.line).life = self.life
                self.here.store = mortal(self.store, self.life)
                self.task = group.create_task(self._serve(), name="daemon")
                try:
                    settled = await self.task
                except asyncio.CancelledError:
                    if not self.life.is_over:
                        raise
                    self.note("killed", "by time")
        finally:
            self.task = self.service = None
        return settled

    def _begin_life(self) -> None:
        sweep = self.scenario.sweep
        active = sweep.active
        if self.life.number and sweep.lowered is not None:
            active = sweep.lowered
            context = ReadingContext(today=START.date(), default_active_local=8)
            self.here.file = parse_sweep(
                sweep_file(sweep, active, self.scenario.course.kept), "world.yaml", context
            )
        self.limits.append((self.cluster.seconds, active))

    async def _serve(self) -> bool:
        try:
            async with self.here.client() as control_plane:
                self.service = service = await self.here.daemon(control_plane)
                end, _ = await service.run()
                self.note("ended", end)
                return end == "settled"
        except BaseExceptionGroup as group:
            if group.subgroup(Crash) is None:
                raise
            self.note("killed", "before an effect")
        except Crash as crash:
            self.note("killed", f"before {crash}")
        except Exception as error:  # noqa: BLE001 - whatever ends a daemon is what we look for
            if self.life.is_over:
                self.note("killed", "at its end")
            else:
                self.note("died", f"{type(error).__name__}: {error}")
                self.wrong.append(Violation("died", f"{type(error).__name__}: {error}"))
        return False

    async def start_twice(self) -> None:
        """Start a second daemon on the same store, which must be refused."""
        if not self.scenario.sql or self.task is None:
            return
        try:
            async with SqlStore(self.folder / "store.db", run=inline, now=self.here.now):
                self.wrong.append(Violation("I11", "a second daemon got the store"))
        except StoreLockedError:
            self.note("second start refused")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        """Give the store to whoever is no daemon: the daemon's own, or opened for the while."""
        if self.task is not None or not self.scenario.sql:
            yield self.store
            return
        async with SqlStore(self.folder / "store.db", run=inline, now=self.here.now) as store:
            yield store

    async def _remains(self) -> Remains:
        async with self.opened() as store:
            return await Remains.of(store, self.cluster.trainings.values(), self.here.heard)


async def _begun(store: Store) -> Sequence[str]:
    """Return the names of the attempts that hold a slot."""
    live = await store.live_trials()
    return [trial.submission.workload_name for trial in live if trial.holds_slot]


async def _play(scenario: Scenario, folder: Path) -> Outcome:
    return await World(scenario, folder).play()


def run_scenario(scenario: Scenario) -> Outcome:
    """Play a scenario to its end under virtual time."""
    # There are neither sockets nor threads here whose news would have to be waited for.
    loop = looptime.new_event_loop(noop_cycles=0)
    try:
        with memory_folder() as folder:
            if scenario.sql:
                _lay_out(folder)
            return loop.run_until_complete(_play(scenario, folder))
    finally:
        loop.close()


def run_seed(seed: int, **overrides: Any) -> Outcome:
    """Play what the seed means, with some fields of the scenario replaced."""
    return run_scenario(replace(draw(seed), **overrides))


_templates: list[bytes] = []


def _lay_out(folder: Path) -> None:
    """Put an empty store there: making its tables anew for each world takes as long as a world."""
    target = folder / "store.db"
    if not _templates:
        asyncio.run(_make(target))
        _templates.append(target.read_bytes())
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(_templates[0])


async def _make(path: Path) -> None:
    async with SqlStore(path, run=inline):
        pass
