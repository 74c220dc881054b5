"""A signal at every crossing of every seam of the real process: nothing lost, nothing twice."""

import asyncio
import itertools
import json
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sweeper.local.places import Project
from tests.acceptance.daemons import PATIENCE, Place, lines_of, processes_of
from tests.acceptance.forking import Fork, Forked, Forks, below, fork_server

pytestmark = pytest.mark.timeout(600)  # hundreds of processes, some at a time

CHUNKS = 4
"""The crossings are shared out, so that no single test takes long."""

LOCAL_STRIDE = 12
"""There are twice as many with the control plane inside: a third of them will do."""

AT_ONCE = 16
"""Sweeps at a time in a chunk: most of the time a daemon waits for its next tick."""

ACTIVE = 2

# Trial 1 fails at its first attempt. Each start of a training leaves a line.
TRAINING = (
    "echo $SWEEPER_TRIAL $SWEEPER_ATTEMPT >> ran.txt; "
    "test $SWEEPER_TRIAL -ne 1 || test $SWEEPER_ATTEMPT -gt 1"
)
HEAD = (
    "method: grid",
    "parameters: {x: {values: [0, 1, 2]}}",
    f"limits: {{active: {ACTIVE}}}",
    "retry: {application: {attempts: 1, backoff: 0.1}}",
)
ATTEMPTS = {0: 1, 1: 2, 2: 1}
RAN = Counter(f"{x} {attempt}" for x, most in ATTEMPTS.items() for attempt in range(1, most + 1))


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with fork_server() as found:
        yield found


ENVIRONMENT = {
    "RUNAI_CLIENT_ID": "client",
    "RUNAI_CLIENT_SECRET": "client-secret",
    "RUNAI_PROJECT": Project().name,
}


@dataclass(frozen=True, slots=True)
class Server:
    """A control plane in a process of its own, and the variables that lead there."""

    base_url: str
    environment: Mapping[str, str]

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the environment of a daemon that is to run on it."""
        return {"RUNAI_BASE_URL": self.base_url, **self.environment}

    async def trainings(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return all trainings of a sweep, those already deleted too."""
        headers = {"Authorization": "Bearer secret"}
        found: list[Mapping[str, Any]] = []
        # It may be about to open.
        line = httpx.AsyncHTTPTransport(retries=10)
        async with httpx.AsyncClient(
            transport=line, base_url=self.base_url, headers=headers
        ) as http:
            for deleted in ("false", "true"):
                query = {"filterBy": f"name=^{name}-", "deleted": deleted, "limit": "500"}
                answer = await http.get("/api/v1/workloads", params=query)
                found += answer.json()["workloads"]
        return found


@asynccontextmanager
async def _server(place: Place) -> AsyncIterator[Server]:
    arguments = ["local", "serve", "--listen", "127.0.0.1:0", "--json", "--token", "secret"]
    async with place.run(*arguments) as daemon:
        assert daemon.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            told = json.loads(await daemon.process.stdout.readline())
        yield Server(told["base_url"], told["environment"])


def _remote(place: Place, name: str) -> Path:
    return place.sweep(
        f"name: {name}",
        *HEAD,
        "training:",
        "  spec:",
        "    image: any",
        "    command: sh",
        f"    args: -c 'cd {place.folder}; {TRAINING}'",
        "    backoffLimit: 0",
    )


def _local(place: Place, name: str) -> Path:
    return place.sweep(f"name: {name}", *HEAD, f"command: [sh, -c, '{TRAINING}']")


async def _check(
    forks: Forks, place: Place, name: str, ended: Forked, *, may_run_again: bool = False
) -> None:
    """Look at what ran, at the results, and at the record of acts.

    With `may_run_again` the control plane itself may have started a training again.
    """
    assert ended.code == 0, ended.err
    rows = json.loads(ended.out)
    assert {row["trial"]: row["attempts"] for row in rows} == ATTEMPTS
    assert {row["state"] for row in rows} == {"completed"}
    ran = Counter(lines_of(place.folder / "ran.txt"))
    assert ran.keys() == RAN.keys() if may_run_again else ran == RAN
    said = await forks.run(place, "events", name, "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    settled = Counter(event["trial"] for event in events if event["outcome"] == "completed")
    assert settled == dict.fromkeys(ATTEMPTS, 1)


def _check_trainings(trainings: Sequence[Mapping[str, Any]]) -> None:
    """Look at what the server has on record."""
    names = Counter(one["name"].rpartition("-")[0].rpartition("-")[2] for one in trainings)
    assert names == {str(number): attempts for number, attempts in ATTEMPTS.items()}
    assert not any(one.get("deletedAt") for one in trainings)
    assert Counter(one["phase"] for one in trainings) == {"Completed": 3, "Failed": 1}
    lives = [_life(one) for one in trainings]
    for began, _ in lives:
        assert sum(one <= began < over for one, over in lives) <= ACTIVE


def _life(training: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return (
        datetime.fromisoformat(training["createdAt"]),
        datetime.fromisoformat(training["completedAt"]),
    )


async def _at_crossings(first: int, stride: int, kill: Callable[[int], Awaitable[bool]]) -> int:
    """Kill at every `stride`-th crossing until a process ends by itself; return how many died."""
    crossings = itertools.count(first, stride)
    died: list[int] = []
    lived: list[int] = []

    async def work() -> None:
        while not lived:
            at = next(crossings)
            (died if await kill(at) else lived).append(at)

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(work(), name=f"worker {number}")
    reached = [at for at in died if at < min(lived)]
    assert sorted(reached) == [*range(first, min(lived), stride)]
    return len(reached)


@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
async def test_a_daemon_killed_at_any_crossing_loses_nothing_and_runs_nothing_twice(
    forks: Forks, place: Place, chunk: int
) -> None:
    async with _server(place) as server:

        async def kill(at: int) -> bool:
            name = f"s{at}"
            here = replace(below(place, name), variables=server.variables)
            file = _remote(here, name)
            killed = await forks.run(here, "run", file, "--quarantine", "1", at=at)
            ended = await forks.run(here, "run", file, "--quarantine", "1", "--json")
            await _check(forks, here, name, ended)
            _check_trainings(await server.trainings(name))
            return killed.code == -signal.SIGKILL

        count = await _at_crossings(chunk, CHUNKS, kill)

    assert count > 100 / CHUNKS


@pytest.mark.parametrize("first", range(1, 2 * CHUNKS, 2))
async def test_with_its_control_plane_inside_it_loses_nothing_either(
    forks: Forks, place: Place, first: int
) -> None:
    async def kill(at: int) -> bool:
        name = f"s{at}"
        here = below(place, name)
        file = _local(here, name)
        killed = await forks.run(here, "run", file, at=at)
        ended = await forks.run(here, "run", file, "--json")
        await _check(forks, here, name, ended)
        return killed.code == -signal.SIGKILL

    count = await _at_crossings(first, LOCAL_STRIDE, kill)

    assert count > 200 / LOCAL_STRIDE


SERVER_STRIDE = 8
"""Every so many crossings of the control plane are died at."""


def _serve(place: Place, port: int) -> Sequence[str]:
    credentials = ["--client-id", "client", "--client-secret", "client-secret"]
    token = ["--token", "secret", "--state-dir", str(place.folder / "plane")]
    return ["local", "serve", "--listen", f"127.0.0.1:{port}", *credentials, *token]


def _a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("first", "dying"),
    [
        pytest.param(1, {"server"}, id="it alone"),
        pytest.param(4, {"server", "daemon"}, id="and the daemon"),
        pytest.param(8, {"server", "daemon", "supervisor"}, id="and the supervisor"),
    ],
)
async def test_a_control_plane_killed_at_a_crossing_costs_nothing(
    forks: Forks, place: Place, first: int, dying: set[str]
) -> None:
    async def kill(at: int) -> bool:
        name = f"s{at}"
        port = _a_free_port()
        server = Server(f"http://127.0.0.1:{port}", ENVIRONMENT)
        here = replace(below(place, name), variables=server.variables)
        command = ("run", _remote(here, name), "--quarantine", "1")
        async with forks.start(here, *_serve(here, port), at=at) as serving:
            async with asyncio.TaskGroup() as group:
                loses_node = "supervisor" in dying
                again = _serve_again(forks, here, port, serving, loses_node=loses_node)
                after = group.create_task(again, name="server")
                if "daemon" in dying:
                    await forks.run(here, *command, at=20 + at % 80)
                ended = await forks.run(here, *command, "--json")
                is_dead = serving.process.exitcode is not None
                await _check(forks, here, name, ended, may_run_again=loses_node)
                if is_dead:
                    _check_trainings(await server.trainings(name))
                after.cancel()
            return is_dead

    count = await _at_crossings(first, SERVER_STRIDE, kill)

    assert count > 60 / SERVER_STRIDE


async def _serve_again(
    forks: Forks, place: Place, port: int, first: Fork, *, loses_node: bool
) -> None:
    """Start the control plane once more when the first one has died, until cancelled."""
    await first.end()
    if loses_node:
        for process in processes_of(place):
            process.kill()
    async with forks.start(place, *_serve(place, port)) as second:
        await second.end()
