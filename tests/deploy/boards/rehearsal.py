"""A fleet on the local control plane, with faults that make the rare series appear.

Daemons, control plane and Prometheus are real. The control plane's trainings are simulated, and
what programs in them would report is reported here on their behalf; so is what Run:ai's own
exporter would tell of them.
"""

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sweeper.clock import pause
from sweeper.web.serving import bind_tcp, serve
from tests.acceptance.daemons import PATIENCE, Daemon, Place
from tests.deploy.programs import free_address, running

TOKEN = "a-token-of-the-rehearsal"


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is rehearsed: how trainings go, what goes wrong, the sweeps, and how often it is looked.

    `sweeps` are sweep files by name.
    """

    simulation: str
    faults: str
    sweeps: Mapping[str, str]
    gpus: int = 6
    scrape_seconds: float = 1


@dataclass(kw_only=True)
class Fleet:
    """What runs: the control plane's and Prometheus' addresses, and the daemons by sweep."""

    plane: str
    prometheus: str
    daemons: dict[str, Daemon] = field(default_factory=dict)

    async def over(self, expr: str, *, since: float, until: float) -> list[Any]:
        """Return the series of a query over a stretch of time."""
        step = max((until - since) / 300, 1)
        asked = {"query": expr, "start": str(since), "end": str(until), "step": str(step)}
        return await self._result("query_range", asked)

    async def now(self, expr: str) -> list[Any]:
        """Return the samples of a query at this moment."""
        return await self._result("query", {"query": expr})

    async def _result(self, call: str, asked: Mapping[str, str]) -> list[Any]:
        async with httpx.AsyncClient(base_url=self.prometheus, timeout=PATIENCE) as client:
            answer = await client.post(f"/api/v1/{call}", data=dict(asked))
        told = answer.json()
        assert told["status"] == "success", (told, asked["query"])
        result: list[Any] = told["data"]["result"]
        return result


@asynccontextmanager
async def rehearse(place: Place, script: Script) -> AsyncIterator[Fleet]:
    """Run all of it until the block ends."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(place.run(*_serving(place, script)))
        assert server.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            told = json.loads(await server.process.stdout.readline())
        exporter = free_address()
        fleet = Fleet(plane=told["base_url"], prometheus=f"http://{free_address()}")
        remote = replace(place, variables=told["environment"])
        targets = {name: free_address() for name in script.sweeps}
        await stack.enter_async_context(_prometheus(place, script, fleet, targets, exporter))
        for name, text in script.sweeps.items():
            command = _command(remote.sweep(text, name=f"{name}.yaml"), name, targets[name])
            daemon = await stack.enter_async_context(remote.run(*command))
            await daemon.says("metrics and health: ")
            fleet.daemons[name] = daemon
        troupe = await stack.enter_async_context(asyncio.TaskGroup())
        players = [
            *(troupe.create_task(_drain(daemon)) for daemon in fleet.daemons.values()),
            troupe.create_task(_drain(server)),
            troupe.create_task(_act(fleet.plane, exporter)),
        ]
        try:
            yield fleet
        finally:
            for player in players:
                player.cancel()


def _serving(place: Place, script: Script) -> list[str]:
    simulation = place.script(script.simulation, "simulation.yaml")
    faults = place.script(script.faults, "faults.yaml")
    return [
        *("local", "serve", "--json", "--listen", "127.0.0.1:0", "--token", TOKEN),
        *("--runtime", "simulated", "--simulation", str(simulation), "--faults", str(faults)),
        *("--gpus", str(script.gpus), "--token-seconds", "600", "--admin"),
    ]


def _command(file: Path, name: str, address: str) -> list[str]:
    reports = free_address()
    return [
        *("run", str(file), "--name", name, "--listen", address),
        *("--report-listen", reports, "--report-url", f"http://{reports}"),
        # So that Prometheus sees the end of a sweep.
        *("--linger", "30s"),
    ]


async def _drain(daemon: Daemon) -> None:
    """Read what a process says, so that it never waits for a reader."""
    assert daemon.process.stderr is not None
    while await daemon.process.stderr.readline():
        pass


@asynccontextmanager
async def _prometheus(
    place: Place, script: Script, fleet: Fleet, targets: Mapping[str, str], exporter: str
) -> AsyncIterator[None]:
    told = place.folder / "prometheus.yaml"
    jobs = {"sweeper": [*targets.values()], "runai": [exporter]}
    every = f"{script.scrape_seconds:g}s"
    held = {
        "global": {"scrape_interval": every, "scrape_timeout": every},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": addresses}]}
            for job, addresses in jobs.items()
        ],
    }
    told.write_text(json.dumps(held), encoding="utf-8")
    async with running(
        *("prometheus", f"--config.file={told}", f"--storage.tsdb.path={place.folder / 'tsdb'}"),
        f"--web.listen-address={fleet.prometheus.removeprefix('http://')}",
    ):
        yield


@dataclass(kw_only=True)
class _Training:
    """A training as a program in it would know it."""

    name: str
    report_url: str
    token: str
    params: Mapping[str, float]
    steps: int = 0

    def loss(self) -> float:
        """Return what it would report next: it falls, to a floor that its parameters set."""
        self.steps += 1
        distance = abs(math.log10(float(self.params["lr"])) + 2.5)
        return 0.2 + 0.15 * distance + math.exp(-self.steps / 6)


async def _act(plane: str, exporter: str) -> None:
    """Report for all trainings that run, and tell what Run:ai would tell of them."""
    trainings: dict[str, _Training] = {}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    host, _, port = exporter.partition(":")

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(_exposed(trainings))

    app = Starlette(routes=[Route("/metrics", metrics)])
    with bind_tcp(host, int(port)) as bound:
        async with (
            serve(app, [bound]),
            httpx.AsyncClient(base_url=plane, headers=headers, timeout=5) as client,
            httpx.AsyncClient(timeout=5) as reporter,
        ):
            while True:
                # The faults that are rehearsed befall us, too.
                with suppress(httpx.HTTPError, KeyError, ValueError):
                    await _look(client, trainings)
                for training in list(trainings.values()):
                    with suppress(httpx.HTTPError):
                        await _report(reporter, training)
                await pause(1)


async def _look(client: httpx.AsyncClient, trainings: dict[str, _Training]) -> None:
    """Bring what is known of the trainings that run up to date."""
    listing = (await client.get("/api/v1/workloads", params={"limit": "500"})).json()
    running = {item["id"] for item in listing["workloads"] if item["phase"] == "Running"}
    for gone in set(trainings) - running:
        del trainings[gone]
    for workload_id in running - set(trainings):
        told = (await client.get(f"/api/v1/workloads/trainings/{workload_id}")).json()
        given = {item["name"]: item["value"] for item in told["spec"]["environmentVariables"]}
        trainings[workload_id] = _Training(
            name=told["name"],
            report_url=given["SWEEPER_REPORT_URL"],
            token=given["SWEEPER_REPORT_TOKEN"],
            params=json.loads(given["SWEEPER_PARAMS"]),
        )


async def _report(reporter: httpx.AsyncClient, training: _Training) -> None:
    await reporter.post(
        training.report_url,
        headers={"Authorization": f"Bearer {training.token}"},
        json={"loss": training.loss(), "step": training.steps},
    )


def _exposed(trainings: Mapping[str, _Training]) -> str:
    """Return what Run:ai's exporter would tell of these trainings."""
    lines = []
    for workload_id, training in trainings.items():
        drawn = random.Random(f"{workload_id}/{training.steps // 5}")
        labels = f'{{workload_id="{workload_id}",workload_name="{training.name}"}}'
        values = {
            "runai_gpu_utilization_per_workload": drawn.uniform(55, 95),
            "runai_allocated_gpu_count_per_workload": 1,
            "runai_gpu_memory_used_mebibytes_per_workload": drawn.uniform(9_000, 14_000),
            "runai_gpu_idle_seconds_per_workload": drawn.choice([0, 0, 0, 40, 1200]),
        }
        lines += [f"{name}{labels} {value}" for name, value in values.items()]
    return "\n".join(lines) + "\n"
