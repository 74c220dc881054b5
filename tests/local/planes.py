"""A local control plane on simulated processes, and someone who talks to it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx

from sweeper.local.configuration import LocalConfiguration
from sweeper.local.places import CLUSTER_ID, Project
from sweeper.local.plane import LocalPlane, LocalPlaneOptions, open_plane_on
from sweeper.local.running import Run, inline
from sweeper.local.runtime import Runtime
from sweeper.local.simulated import Play, SimulatedRuntime, endless
from sweeper.ports import Now

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TRAININGS = "/api/v1/workloads/trainings"
WORKLOADS = "/api/v1/workloads"


def loop_clock() -> Now:
    """A clock that goes with the event loop's time, virtual or not."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    return lambda: START + timedelta(seconds=loop.time() - began)


@dataclass
class World:
    """A machine with simulated processes on it; control planes come and go.

    `run` makes the calls of the state file; `seen_through` stands before the runtime.
    """

    directory: Path
    runtime: SimulatedRuntime
    now: Now
    gpus: int = 0
    cores: Fraction | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    run: Run = inline
    configuration: LocalConfiguration = field(default_factory=LocalConfiguration)
    seen_through: Runtime | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Client"]:
        """Open the control plane, as one process after the other would."""
        options = LocalPlaneOptions(
            directory=self.directory,
            socket_directory=self.directory,
            gpu_lock_directory=self.directory / "gpus",
            gpus=self.gpus,
            cores=self.cores,
            environment=self.environment,
            working_directory=self.directory,
            configuration=self.configuration,
        )
        client = Client()
        opened = open_plane_on(
            self.seen_through or self.runtime,
            options,
            now=self.now,
            on_change=client.changed.set,
            run=self.run,
        )
        async with opened as plane, client.enter(plane):
            yield client


class Bearer(httpx.Auth):
    """Carries a token, and gets a new one when it is refused."""

    requires_response_body = True

    def __init__(self, plane: LocalPlane) -> None:
        self._form = {
            "grant_type": "client_credentials",
            "client_id": plane.client_id,
            "client_secret": plane.client_secret,
        }
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        if (yield request).status_code == 401:
            url = request.url.copy_with(raw_path=b"/api/v2/token")
            answer = yield httpx.Request("POST", url, data=self._form)
            self._token = answer.json()["access_token"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


class Client:
    """Speaks HTTP to a control plane in this process."""

    http: httpx.AsyncClient

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.plane: LocalPlane | None = None

    @asynccontextmanager
    async def enter(self, plane: LocalPlane) -> AsyncIterator[None]:
        """Speak to this control plane."""
        self.plane = plane
        transport = httpx.ASGITransport(app=plane.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://local", auth=Bearer(plane)
        ) as self.http:
            yield

    async def create(self, name: str = "one", **spec: Any) -> str:
        """Create a training and return its id."""
        answer = await self.http.post(TRAININGS, json=creation(name, **spec))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["workloadId"])

    async def command(self, workload_id: str, word: str) -> int:
        """Suspend, resume or delete a training; return the status of the answer."""
        path = f"{TRAININGS}/{workload_id}"
        if word == "delete":
            return (await self.http.delete(path)).status_code
        return (await self.http.post(f"{path}/{word}")).status_code

    async def phase(self, workload_id: str) -> str:
        """Return the phase of a training now, "gone" when there is none."""
        answer = await self.http.get(f"{TRAININGS}/{workload_id}")
        return "gone" if answer.status_code == 404 else str(answer.json()["actualPhase"])

    async def until(self, workload_id: str, phase: str) -> None:
        """Wait until a training is in this phase."""
        while await self.phase(workload_id) != phase:
            await self.changed.wait()
            self.changed.clear()

    async def reasons(self, workload_id: str) -> list[str]:
        """Return the reasons of all events of a training, oldest first."""
        return [event["reason"] for event in await self.events(workload_id)]

    async def events(self, workload_id: str) -> list[dict[str, Any]]:
        """Return all events of a training, oldest first."""
        path = f"{WORKLOADS}/{workload_id}/events?sortOrder=asc&limit=500"
        events: list[dict[str, Any]] = (await self.http.get(path)).json()["events"]
        return events

    async def listing(self, query: str = "") -> dict[str, Any]:
        """Return a page of the listing."""
        answer = await self.http.get(f"{WORKLOADS}?{query}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def creation(name: str = "one", **spec: Any) -> dict[str, Any]:
    """Return the body of a create; the command is `true` unless the spec has another."""
    return {
        "name": name,
        "projectId": Project().id,
        "clusterId": CLUSTER_ID,
        "spec": {"command": "true", **spec},
    }


def gpus(count: int, **compute: Any) -> dict[str, Any]:
    """Return the part of a spec that asks for GPUs."""
    return {"compute": {"gpuDevicesRequest": count, **compute}}


@contextmanager
def memory_folder() -> Iterator[Path]:
    """Make a folder that lies in memory where there is one: for tests that commit very often.

    They kill the control plane, never the machine.
    """
    shared = Path("/dev/shm")
    place = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="sweeper-", dir=place) as path:
        yield Path(path)


def world(directory: Path, play: Play = endless, **settings: Any) -> World:
    """Return a new world, with the clock of the running event loop."""
    now = loop_clock()
    return World(directory, SimulatedRuntime(play, now=now), now, **settings)
