"""Open the local control plane: its state, its scheduler and its HTTP face, over a runtime."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from starlette.types import ASGIApp

from sweeper.errors import SettingsError
from sweeper.local.app import build_app
from sweeper.local.engine import Engine
from sweeper.local.failures import single_failure
from sweeper.local.gpus import find_gpus
from sweeper.local.keeping import open_keeper
from sweeper.local.machine import Machine
from sweeper.local.places import Project
from sweeper.local.running import Run, own_thread
from sweeper.local.runtime import Runtime, RuntimeUnavailableError
from sweeper.local.site import Site
from sweeper.local.supervised import SupervisorOptions, open_supervised
from sweeper.local.tokens import Tokens
from sweeper.ports import Now

CLIENT_ID = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlaneOptions:
    """Where a local control plane keeps its things, and what it may hand out.

    `directory` holds its state and, under `logs`, one log for each workload name; unix sockets
    go to `socket_directory`. `gpu_lock_directory` is shared by all control planes of this
    machine: a lock file in it stands for each GPU. `gpus` declares their number, None asks
    NVML. `environment` is what every process inherits. `cores` and `memory` (bytes) bound the
    sums of CPU and memory requests, None leaves them unbounded. `working_directory` is where a
    training without `workingDir` runs, None meaning where this process does.
    """

    directory: Path
    socket_directory: Path
    gpu_lock_directory: Path
    gpus: int | None = None
    environment: Mapping[str, str] = field(repr=False)
    cores: Fraction | None = None
    memory: Fraction | None = None
    working_directory: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlane:
    """An open local control plane: an ASGI application, and how to get in.

    The credentials are made anew at each opening; the ids stay.
    """

    app: ASGIApp
    client_id: str
    client_secret: str = field(repr=False)
    project_id: str
    cluster_id: str


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
        directory=options.directory, socket_directory=options.socket_directory, now=now
    )
    async with AsyncExitStack() as stack:
        opened = _open(open_supervised(supervisor), options, now, on_change, None)
        try:
            plane = await stack.enter_async_context(opened)
        except RuntimeUnavailableError as error:
            raise SettingsError(
                f"the supervisor of local trainings neither runs nor starts: {error}; "
                f"its log is in {options.directory}"
            ) from error
        yield plane


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
) -> AsyncIterator[LocalPlane]:
    project = Project()
    constants = {"type": "Training", "projectName": project.name}
    async with AsyncExitStack() as stack:
        calls = run if run is not None else await stack.enter_async_context(own_thread())
        keeper = await stack.enter_async_context(
            open_keeper(options.directory / "trainings.db", calls, constants)
        )
        # Only who holds the state may touch the processes.
        runtime = await stack.enter_async_context(opening)
        engine = Engine(
            machine=_machine(options, project),
            runtime=runtime,
            keeper=keeper,
            now=now,
            on_change=on_change,
        )
        await engine.recover()
        tokens = Tokens(client_id=CLIENT_ID, client_secret=secrets.token_urlsafe(32), now=now)
        site = Site(engine=engine, keeper=keeper, tokens=tokens, projects=(project,))
        async with _running(engine):
            yield LocalPlane(
                app=build_app(site),
                client_id=tokens.client_id,
                client_secret=tokens.client_secret,
                project_id=project.id,
                cluster_id=project.cluster_id,
            )


@asynccontextmanager
async def _running(engine: Engine) -> AsyncIterator[None]:
    """Let the engine work; when it fails, the body is cancelled and its error raised."""
    with single_failure():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(engine.run(), name="local control plane")
            try:
                yield
            finally:
                task.cancel()


def _machine(options: LocalPlaneOptions, project: Project) -> Machine:
    return Machine(
        gpus=find_gpus(options.gpus, options.environment),
        cores=options.cores,
        memory=options.memory,
        logs=options.directory / "logs",
        gpu_locks=options.gpu_lock_directory,
        working_directory=options.working_directory or Path.cwd(),
        environment=options.environment,
        project_names={project.id: project.name},
    )
