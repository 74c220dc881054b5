"""A Run:ai API for tests: as a context manager, and as a pytest fixture.

Put `pytest_plugins = ["sweeper.local.testing"]` into your conftest.py and take the fixture
`runai_control_plane`, or use `running_plane()` anywhere else. Nothing is started but a thread;
trainings are simulated, and go on until the test ends them.
"""

import asyncio
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from sweeper.clock import utc_now
from sweeper.domain.phase import Phase
from sweeper.local.plane import LocalPlane, LocalPlaneOptions, open_plane_on
from sweeper.local.simulated import Play, SimulatedRuntime, endless
from sweeper.local.site import Extension, Site
from sweeper.local.switches import STANDARD, Switches

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that a control plane may take to open, and a training to come to run."""


class WaitError(Exception):
    """A training did not get where a test wanted it, in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPlane:
    """A control plane that answers at `base_url`, and what its clients need."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    project: str
    project_id: str
    cluster_id: str
    _world: "_World" = field(repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables from which programs learn where Run:ai is."""
        return {
            "RUNAI_BASE_URL": self.base_url,
            "RUNAI_CLIENT_ID": self.client_id,
            "RUNAI_CLIENT_SECRET": self.client_secret,
            "RUNAI_PROJECT": self.project,
        }

    def finish(self, workload_id: str, exit_code: int = 0) -> None:
        """End the processes of a training, once it runs.

        Raises:
            WaitError: it does not come to run.
        """
        self._world.call(self._world.finish(workload_id, exit_code))

    def wait_for(self, workload_id: str, phase: Phase) -> None:
        """Wait until a training is in this phase.

        Raises:
            WaitError: it is not, in time.
        """
        self._world.call(self._world.until(workload_id, phase))

    def lose_node(self) -> None:
        """Let the machine be gone, and come back: what ran is Pending again."""
        self._world.call(self._world.lose())


class _World:
    """What belongs to one control plane, all of it in the thread of its loop."""

    site: Site

    def __init__(self, loop: asyncio.AbstractEventLoop, play: Play) -> None:
        self.runtime = SimulatedRuntime(play, now=utc_now)
        self.changed = asyncio.Event()
        self.stop = asyncio.Event()
        self._loop = loop

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Carry something out in the loop's thread, from any other."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def extend(self, site: Site) -> Extension:
        """Remember the site; put nothing on top."""
        self.site = site
        return Extension()

    async def finish(self, workload_id: str, exit_code: int) -> None:
        async def keys() -> Sequence[str]:
            running = self.runtime.running
            return [key for key in running if key.startswith(f"{workload_id}-")]

        for key in await self._wait(keys, f"training {workload_id} does not run"):
            self.runtime.end(key, exit_code)

    async def until(self, workload_id: str, phase: Phase) -> None:
        async def is_there() -> bool:
            training = await self.site.keeper.find(workload_id)
            return training is not None and training.phase is phase

        await self._wait(is_there, f"training {workload_id} is not {phase.value}")

    async def _wait(self, look: Callable[[], Awaitable[T]], complaint: str) -> T:
        """Return what `look` finds, once it is something."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self.changed.clear()
                    if found := await look():
                        return found
                    await self.changed.wait()
        except TimeoutError as error:
            raise WaitError(complaint) from error

    async def lose(self) -> None:
        self.runtime.lose()


@contextmanager
def running_plane(
    *,
    gpus: int = 0,
    cores: int | None = None,
    memory: int | None = None,
    switches: Switches = STANDARD,
    play: Play = endless,
) -> Iterator[RunningPlane]:
    """Open a control plane of its own at a free port of 127.0.0.1, and close it again.

    `memory` is in bytes; without bounds any sum of requests fits. `play` chooses how each
    simulated process goes; without it, it goes on until `RunningPlane.finish`.
    """
    opened: Future[RunningPlane] = Future()
    stops: list[Callable[[], object]] = []
    with tempfile.TemporaryDirectory(prefix="sweeper-plane-") as folder:
        options = LocalPlaneOptions(
            directory=Path(folder),
            socket_directory=Path(folder),
            gpu_lock_directory=Path(folder) / "gpus",
            gpus=gpus,
            cores=None if cores is None else Fraction(cores),
            memory=None if memory is None else Fraction(memory),
            environment={},
            working_directory=Path(folder),
            switches=switches,
        )
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(options, play, opened, stops)), name="control plane"
        )
        thread.start()
        try:
            yield opened.result(PATIENCE)
        finally:
            # A control plane that failed has closed its loop by now.
            with suppress(RuntimeError):
                for stop in stops:
                    stop()
            thread.join(PATIENCE)


async def _serve(
    options: LocalPlaneOptions,
    play: Play,
    opened: Future[RunningPlane],
    stops: list[Callable[[], object]],
) -> None:
    """Serve a control plane until it is stopped; what fails is told to who waits for it."""
    loop = asyncio.get_running_loop()
    world = _World(loop, play)
    extended = replace(options, extend=world.extend)
    stops.append(lambda: loop.call_soon_threadsafe(world.stop.set))
    try:
        async with AsyncExitStack() as stack:
            plane = await stack.enter_async_context(
                open_plane_on(world.runtime, extended, now=utc_now, on_change=world.changed.set)
            )
            port, shutdown = await _listen(plane)
            opened.set_result(_running(plane, port, world))
            await world.stop.wait()
            plane.closing.set()
            await shutdown()
    except Exception as error:
        if opened.done():
            raise
        opened.set_exception(error)


async def _listen(
    plane: LocalPlane,
) -> tuple[int, Callable[[], Coroutine[Any, Any, None]]]:
    """Answer at a free port; return it, and what ends that."""
    config = uvicorn.Config(
        plane.app, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    return int(port), server.shutdown


def _running(plane: LocalPlane, port: int, world: _World) -> RunningPlane:
    return RunningPlane(
        base_url=f"http://127.0.0.1:{port}",
        client_id=plane.client_id,
        client_secret=plane.client_secret,
        project=plane.project,
        project_id=plane.project_id,
        cluster_id=plane.cluster_id,
        _world=world,
    )


if find_spec("pytest") is not None:
    import pytest

    @pytest.fixture
    def runai_control_plane() -> Iterator[RunningPlane]:
        """A control plane for one test, with eight GPUs and simulated trainings."""
        with running_plane(gpus=8) as plane:
            yield plane
