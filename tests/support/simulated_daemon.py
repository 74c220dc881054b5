"""A real daemon and a simulated control plane in one process, under virtual time.

Everything is the product's own: the sweep file's reading, the reconciler, the client, the server
and its state file. Only processes are played by a plan, and the fault plan stands between. What
happened is judged by the server's own records, never by what the daemon believes.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from sweeper.bootstrap.attempts import Attempts
from sweeper.clock import SteadyClock
from sweeper.daemon.actions import Hands
from sweeper.daemon.observer import Observer
from sweeper.daemon.reconciler import Reconciler
from sweeper.daemon.service import Service
from sweeper.domain.expansion import Expansion, slug
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.trial import Trial
from sweeper.local.credentials import PlaneCredentials
from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.extending import with_faults
from sweeper.local.faults.plan import NO_FAULTS, FaultPlan
from sweeper.local.filters import Query
from sweeper.local.places import CLUSTER_ID
from sweeper.local.plane import LocalPlane, LocalPlaneOptions, open_plane_on
from sweeper.local.planned import open_planned
from sweeper.local.running import inline
from sweeper.local.simulation import SimulationPlan
from sweeper.local.site import Extension, Site
from sweeper.local.trainings import LocalTraining, PlaneEvent
from sweeper.ports import ControlPlane, Now, Store
from sweeper.runai.gate import GatePolicy
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.operations import Observer as CallObserver
from sweeper.runai.tokens import Credentials, TokenVersion
from sweeper.store.memory import MemoryStore
from sweeper.sweepfile.reading import ReadingContext, SweepFile, parse_sweep
from tests.support.daemon import Heard

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SWEEP_ID = "abcdefghij"
QUARANTINE = timedelta(seconds=20)
CREDENTIALS = PlaneCredentials(client_id="rehearsal", client_secret="rehearsed", key=b"key")


def sweep_text(trials: int, active: int, **training: object) -> str:
    """Return a sweep of that many trials on one GPU each; `training` goes into their spec."""
    spec = "".join(f"    {name}: {value}\n" for name, value in training.items())
    return (
        f"method: random\nname: rehearsal\nrun_cap: {trials}\n"
        "parameters: {lr: {min: 0.0, max: 1.0}}\n"
        f"limits: {{active: {active}, submit_per_minute: 100000}}\n"
        f"training:\n  projectId: '1'\n  clusterId: {CLUSTER_ID}\n"
        f"  spec:\n    image: busybox\n    command: train\n"
        f"    compute: {{gpuDevicesRequest: 1}}\n{spec}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the server has on record, deleted trainings included."""

    trainings: Sequence[LocalTraining]
    events: Mapping[str, Sequence[PlaneEvent]]

    @property
    def by_trial(self) -> Mapping[int, Sequence[LocalTraining]]:
        """The trainings of each trial, oldest first."""
        found: defaultdict[int, list[LocalTraining]] = defaultdict(list)
        for training in self.trainings:
            found[int(training.name.split("-")[-2])].append(training)
        return found

    @property
    def completed(self) -> Mapping[int, int]:
        """How many trainings of each trial were completed."""
        return {
            number: sum(training.phase is Phase.COMPLETED for training in trainings)
            for number, trainings in self.by_trial.items()
        }

    def twice_live(self) -> list[str]:
        """Return the names of trainings that were created while another of their trial lived."""
        twice = []
        for trainings in self.by_trial.values():
            for before, training in pairwise(trainings):
                over_at = before.completed_at or before.deleted_at
                if over_at is None or over_at > training.created_at:
                    twice.append(training.name)
        return twice

    def count(self, reason: str) -> int:
        """Return how many events there were of that reason."""
        return sum(event.reason == reason for events in self.events.values() for event in events)


class Line(httpx.AsyncBaseTransport):
    """The way to whichever server is open; without one a connection is refused."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        if self.app is None:
            raise httpx.ConnectError("no server is open", request=request)
        return await httpx.ASGITransport(app=self.app).handle_async_request(request)


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One sweep and one control plane, in one folder.

    Servers and daemons come and go, one of each at a time; cancelling one is its kill. What
    outlives them is `store`, the folder, the clock and the faults.
    """

    directory: Path
    text: str
    simulation: SimulationPlan = field(default_factory=SimulationPlan)
    plan: FaultPlan = NO_FAULTS
    gpus: int = 8
    store: Store = field(default_factory=MemoryStore)
    heard: Heard = field(default_factory=Heard)
    line: Line = field(default_factory=Line)
    quarantine: timedelta = QUARANTINE
    ramps: bool = False
    gate: GatePolicy | None = None
    observer: CallObserver = field(default_factory=CallObserver)
    now: Now = field(init=False)
    faults: Faults = field(init=False)
    file: SweepFile = field(init=False)
    _sites: list[Site] = field(default_factory=list)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.now = lambda: START + timedelta(seconds=loop.time() - began)
        self.faults = Faults(self.plan, now=self.now)
        context = ReadingContext(today=START.date(), default_active_local=8)
        self.file = parse_sweep(self.text, "rehearsal.yaml", context)

    @asynccontextmanager
    async def server(self) -> AsyncIterator["Server"]:
        """Open the control plane on its state, as one process after the other would."""
        options = LocalPlaneOptions(
            directory=self.directory,
            socket_directory=self.directory,
            gpu_lock_directory=self.directory / "gpus",
            gpus=self.gpus,
            environment={},
            working_directory=self.directory,
            credentials=CREDENTIALS,
            extend=self._extended,
        )
        journal = self.directory / "simulation.jsonl"
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            runtime = await enter(open_planned(self.simulation, journal, now=self.now))
            opened = open_plane_on(
                runtime, options, now=self.now, on_change=lambda: None, run=inline
            )
            plane = await enter(opened)
            self.line.app = plane.app
            try:
                yield Server(plane=plane, site=self._sites.pop())
            finally:
                self.line.app = None

    def _extended(self, site: Site) -> Extension:
        self._sites.append(site)
        return with_faults(self.faults, now=self.now, admin=True)(site)

    async def begin(self) -> SweepRecord:
        """Write the sweep into the store, once, and return its record."""
        kept = await self.store.load_sweep()
        if kept is not None:
            return kept
        spec = self.file.spec
        record = SweepRecord(
            id=SWEEP_ID,
            name=spec.name,
            slug=slug(spec.name),
            definition=self.file.definition,
            digest=self.file.digest,
            method=spec.method,
            seed=spec.seed,
            planned=Expansion(spec).planned,
            directory=str(self.directory),
            control_plane="http://sweeper.simulated",
            created_at=self.now(),
            objective=spec.objective.name if spec.objective else None,
            goal=spec.objective.goal if spec.objective else None,
            rungs=spec.early_terminate.rungs if spec.early_terminate else (),
        )
        await self.store.save_sweep(record)
        return record

    async def daemon(self, control_plane: ControlPlane) -> Service:
        """Return a new daemon, which knows only what is stored."""
        record, spec = await self.begin(), self.file.spec
        around = Surroundings(
            sweep_id=record.id,
            sweep_name=record.name,
            slug=record.slug,
            is_local=False,
            directory=record.directory,
            files=str(self.directory / "params"),
        )
        expansion = Expansion(spec)
        attempts = Attempts(
            spec=spec,
            around=around,
            searcher=expansion,
            project_id="1",
            cluster_id=CLUSTER_ID,
        )
        clock = SteadyClock(self.now, asyncio.get_running_loop().time)
        reconciler = Reconciler(
            store=self.store,
            observer=Observer(
                control_plane=control_plane, prefix=record.workload_prefix, policy=spec.resume
            ),
            hands=Hands(
                control_plane=control_plane,
                spec=spec,
                request=attempts.request,
                is_ours=attempts.is_ours,
                write_files=_write_nothing,
                now=clock,
            ),
            draft=attempts.draft,
            extend=expansion.extend,
            telemetry=self.heard,
            spec=spec,
            quarantine=self.quarantine,
            clock=clock,
            read_reports=_read_nothing,
            ramps=self.ramps,
        )
        return Service(reconciler=reconciler, now=self.now)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ControlPlane]:
        """Connect the client for Run:ai to whichever server is open, through the faults."""
        address = Address(
            base_url="http://sweeper.simulated",
            credentials=Credentials(
                client_id=CREDENTIALS.client_id, secret=lambda: CREDENTIALS.client_secret
            ),
            token_version=TokenVersion.V2,
            transport=self.line,
            gate=self.gate,
        )
        opened = open_runai(address, now=self.now, rng=random.Random(1), observer=self.observer)
        async with opened as connection:
            yield connection.control_plane("1")

    async def run_sweep(self) -> SweepRecord:
        """Let a new daemon run the sweep to its end; return the sweep's record."""
        async with self.client() as control_plane:
            service = await self.daemon(control_plane)
            _, record = await service.run()
            return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An open control plane."""

    plane: LocalPlane
    site: Site

    async def history(self) -> History:
        """Return what is on record of all trainings."""
        keeper = self.site.keeper
        trainings: list[LocalTraining] = []
        for deleted in (False, True):
            trainings += await keeper.page(Query(deleted=deleted, limit=100_000))
        everything = Query(limit=100_000)
        events = {
            training.workload_id: [
                event for _, event in await keeper.events(training.workload_id, everything)
            ]
            for training in trainings
        }
        ordered = sorted(trainings, key=lambda training: training.number)
        return History(trainings=ordered, events=events)


async def _write_nothing(files: Mapping[str, str]) -> None:
    return None


async def _read_nothing(trials: Sequence[Trial]) -> None:
    return None
