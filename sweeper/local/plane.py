"""Open the local control plane: its state, its scheduler and its HTTP face, over a runtime."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from starlette.types import ASGIApp

from sweeper.errors import SettingsError
from sweeper.local.app import build_app
from sweeper.local.configuration import LocalConfiguration
from sweeper.local.credentials import PlaneCredentials, fresh_credentials
from sweeper.local.engine import Engine
from sweeper.local.filters import Constants
from sweeper.local.gpus import find_gpus
from sweeper.local.keeping import open_keeper
from sweeper.local.machine import Machine
from sweeper.local.planned import open_planned
from sweeper.local.probing import ask_http, ready_at_once
from sweeper.local.running import Run, own_thread
from sweeper.local.runtime import Runtime, RuntimeUnavailableError
from sweeper.local.simulation import SimulationPlan
from sweeper.local.site import Extend, Extension, Site, together, unextended
from sweeper.local.supervised import SupervisorOptions, open_supervised
from sweeper.local.switches import STANDARD, Switches
from sweeper.local.tokens import Tokens
from sweeper.local.trainings import preempt
from sweeper.ports import Now
from sweeper.tasks import single_failure

STATE_FILE = "trainings.db"
"""The name of the file that holds the state of a control plane, in its directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlaneOptions:
    """Where a local control plane keeps its things, and what it may hand out.

    `directory` holds its state and, under `logs`, one log for each workload name; unix sockets
    go to `socket_directory`. `gpu_lock_directory` is shared by all control planes of this
    machine: a lock file in it stands for each GPU. `gpus` declares their number, None asks
    NVML. `environment` is what every process inherits. `cores` and `memory` (bytes) bound the
    sums of CPU and memory requests, None leaves them unbounded. `working_directory` is where a
    training without `workingDir` runs, None meaning where this process does. `credentials` are
    whom it lets in, None makes new ones. `configuration` has nodes, projects and quotas; where it
    has nodes, `cores` and `memory` mean nothing. `extend` puts something on top. With
    `starts_anything` a spec need not say what to start, as nothing is.
    """

    directory: Path
    socket_directory: Path
    gpu_lock_directory: Path
    gpus: int | None = None
    environment: Mapping[str, str] = field(repr=False)
    cores: Fraction | None = None
    memory: Fraction | None = None
    working_directory: Path | None = None
    credentials: PlaneCredentials | None = None
    switches: Switches = STANDARD
    extend: Extend = unextended
    starts_anything: bool = False
    configuration: LocalConfiguration = field(default_factory=LocalConfiguration)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlane:
    """An open local control plane: an ASGI application, and how to get in.

    `project` is the name of the project. Set `closing` a moment before it is closed: it ends
    answers that would go on for ever.
    """

    app: ASGIApp
    client_id: str
    client_secret: str = field(repr=False)
    project_id: str
    project: str
    cluster_id: str
    closing: asyncio.Event


@asynccontextmanager
async def open_local_plane(
    options: LocalPlaneOptions, *, now: Now, on_change: Callable[[], None]
) -> AsyncIterator[LocalPlane]:
    """Open the control plane of `options.directory` over processes of this machine.

    `on_change` is called in the event loop whenever the phase of any training has changed.
    Leaving it leaves the processes alone; the next opening adopts them.

    Raises:
        StoreLockedError: another process has this control plane open.
        StoreError: its state cannot be used, or, while it is open, not be written any more.
        SettingsError: what runs the processes cannot be started.
    """
    supervisor = SupervisorOptions(
        directory=options.directory,
        socket_directory=options.socket_directory,
        now=now,
        environment=options.environment,
    )
    async with AsyncExitStack() as stack:
        opened = _open(open_supervised(supervisor), options, now, on_change, None, is_real=True)
        try:
            plane = await stack.enter_async_context(opened)
        except RuntimeUnavailableError as error:
            raise SettingsError(
                f"the supervisor of local trainings neither runs nor starts: {error}; "
                f"its log is in {options.directory}"
            ) from error
        yield plane


@asynccontextmanager
async def open_rehearsal(
    plan: SimulationPlan,
    options: LocalPlaneOptions,
    *,
    now: Now,
    on_change: Callable[[], None],
) -> AsyncIterator[LocalPlane]:
    """Open a control plane as `open_local_plane` does, whose processes only follow a plan.

    Nothing is started on this machine; the courses go on while it is closed. Raises as
    `open_local_plane` does.
    """
    taken: asyncio.Queue[str] = asyncio.Queue()

    @asynccontextmanager
    async def opening() -> AsyncIterator[Runtime]:
        journal = options.directory / "simulation.jsonl"
        async with open_planned(plan, journal, now=now) as runtime:
            runtime.preempt = taken.put_nowait
            yield runtime

    extend = together(options.extend, _preempting(taken))
    extended = replace(options, extend=extend, starts_anything=True)
    async with _open(opening(), extended, now, on_change, None) as plane:
        yield plane


def _preempting(taken: asyncio.Queue[str]) -> Extend:
    """Return what preempts the trainings whose keys come by the queue."""

    def extend(site: Site) -> Extension:
        async def work() -> None:
            while True:
                workload_id = (await taken.get()).rpartition("-")[0]
                await site.engine.change(
                    workload_id, lambda training, now: preempt(training, "of the plan", now)
                )

        return Extension(work=(work,))

    return extend


@asynccontextmanager
async def open_plane_on(
    runtime: Runtime,
    options: LocalPlaneOptions,
    *,
    now: Now,
    on_change: Callable[[], None],
    run: Run | None = None,
) -> AsyncIterator[LocalPlane]:
    """Open a control plane as `open_local_plane` does, on a runtime that is open already.

    `run` makes the blocking calls of the state file, None in a thread of its own; under virtual
    time pass `running.inline`. Raises as `open_local_plane` does, but for a runtime that does not
    answer: that is `RuntimeUnavailableError`.
    """
    async with _open(nullcontext(runtime), options, now, on_change, run) as plane:
        yield plane


@asynccontextmanager
async def _open(
    opening: AbstractAsyncContextManager[Runtime],
    options: LocalPlaneOptions,
    now: Now,
    on_change: Callable[[], None],
    run: Run | None,
    *,
    is_real: bool = False,
) -> AsyncIterator[LocalPlane]:
    organization = options.configuration.organization
    project = organization.projects[0]
    names = {one.id: one.name for one in organization.projects}
    departments = {one.id: one.department for one in organization.projects}
    constants: Constants = {
        "type": "Training",
        "projectName": names,
        "departmentId": departments,
        "departmentName": departments,
    }
    async with AsyncExitStack() as stack:
        calls = run if run is not None else await stack.enter_async_context(own_thread())
        keeper = await stack.enter_async_context(
            open_keeper(options.directory / STATE_FILE, calls, constants)
        )
        # Only who holds the state may touch the processes.
        runtime = await stack.enter_async_context(opening)
        machine = _machine(options, names, is_real=is_real)
        engine = Engine(
            machine=machine,
            runtime=runtime,
            keeper=keeper,
            now=now,
            on_change=on_change,
            organization=organization,
        )
        await engine.recover()
        credentials = options.credentials or fresh_credentials()
        site = Site(
            engine=engine,
            keeper=keeper,
            tokens=Tokens(credentials, now=now, life_seconds=options.switches.token_seconds),
            projects=organization.projects,
            log_file=lambda training: machine.log_file(training.name),
            switches=options.switches,
        )
        extension = options.extend(site)
        async with _running([engine.run, *extension.work]):
            yield LocalPlane(
                app=build_app(site, extension),
                client_id=credentials.client_id,
                client_secret=credentials.client_secret,
                project_id=project.id,
                project=project.name,
                cluster_id=project.cluster_id,
                closing=site.closing,
            )


@asynccontextmanager
async def _running(work: Sequence[Callable[[], Awaitable[None]]]) -> AsyncIterator[None]:
    """Let all of it run; when any fails, the body is cancelled and its error raised."""
    with single_failure():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(one), name="local control plane") for one in work]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _machine(
    options: LocalPlaneOptions, project_names: Mapping[str, str], *, is_real: bool
) -> Machine:
    gpus = find_gpus(options.gpus, options.environment)
    nodes = options.configuration.nodes_with(gpus)
    devices = {device for node in nodes for device in node.devices}
    return Machine(
        nodes=nodes,
        is_real=is_real,
        starts_anything=options.starts_anything,
        ask=ask_http if is_real else ready_at_once,
        gpus=[gpu for gpu in gpus if gpu.index in devices] if nodes else gpus,
        cores=options.cores,
        memory=options.memory,
        state=options.directory,
        logs=options.directory / "logs",
        gpu_locks=options.gpu_lock_directory,
        working_directory=options.working_directory or Path.cwd(),
        environment=options.environment,
        project_names=project_names,
    )
