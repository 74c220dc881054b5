"""Open the local control plane: its state, its scheduler and its HTTP face, over a runtime."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from starlette.types import ASGIApp

from sweeper.local.running import Run
from sweeper.local.runtime import Runtime
from sweeper.ports import Now


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
    """
    raise NotImplementedError
    yield


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
    time pass `running.inline`.
    """
    raise NotImplementedError
    yield
