"""A small control plane for probes, with the oddities that the API leaves room for."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from starlette.types import ASGIApp

from sweeper.runai.findings import Finding, Heard
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.probe import Probe
from sweeper.runai.probing import ProbeOrder
from sweeper.runai.tokens import Credentials

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = "5eeb0000-10ca-4000-8000-000000000001"
MARK = "k3f7qd2mzxpa"
NAME = f"sweeper-probe-{MARK}"


@dataclass
class Made:
    """One training there."""

    name: str
    spec: dict[str, Any]
    created_at: float
    phase: str = "Running"
    workload_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Site:
    """Who answers.

    `refused` gives a status for each kind of call. `lost` numbers creates, from 1, that take
    effect without anybody hearing of it. A call of the kind that `hangs` gets no answer until
    `released` is set.
    """

    token: str = "v2"
    duplicate: int | None = 409
    repeats_itself: bool = False
    duplicate_words: str = "workload already exists"
    listing_lag: float = 0.0
    phase_field: str = "actualPhase"
    gives_labels: bool = True
    started: str = "Running"
    suspended: str = "Stopped"
    resumed: str = "Pending"
    deletes: bool = True
    frees_names: bool = True
    tells_cluster: bool = True
    message: str = ""
    refused: dict[str, int] = field(default_factory=dict)
    lost: tuple[int, ...] = ()
    hangs: str = ""
    trainings: list[Made] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    creates: int = 0
    used_names: set[str] = field(default_factory=set)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        kind = self.kind(request)
        if kind == self.hangs:
            self.hanging.set()
            await self.released.wait()
        if kind in self.refused:
            status = self.refused[kind]
            return httpx.Response(status, json={"code": status, "message": f"no {kind}"})
        answer: httpx.Response = await getattr(self, f"_{kind}")(request)
        return answer

    @staticmethod
    def kind(request: httpx.Request) -> str:
        """Return what kind of call this is."""
        path, method = request.url.path, request.method
        if path.endswith("/token"):
            return path.split("/")[2]
        if path.startswith("/api/v1/org-unit") or path == "/api/v1/clusters":
            return path.rsplit("/", 1)[1]
        if path == "/api/v1/workloads":
            return "listing"
        if method == "POST":
            return {"suspend": "suspend", "resume": "resume"}.get(path.rsplit("/")[-1], "create")
        return "events" if path.endswith("/events") else method.lower()

    async def _v1(self, _request: httpx.Request) -> httpx.Response:
        return self._granted("v1", accessToken="t")

    async def _v2(self, _request: httpx.Request) -> httpx.Response:
        return self._granted("v2", access_token="t", expires_in=3600)

    def _granted(self, version: str, **body: object) -> httpx.Response:
        return httpx.Response(200, json=body) if version == self.token else _no(404)

    async def _projects(self, _request: httpx.Request) -> httpx.Response:
        cluster = {"clusterId": CLUSTER} if self.tells_cluster else {}
        return httpx.Response(200, json={"projects": [{"id": "7", "name": "vision", **cluster}]})

    async def _clusters(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{"uuid": CLUSTER, "name": "west"}])

    async def _create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.creates += 1
        living = {one.name for one in self.trainings}
        taken = living if self.frees_names else self.used_names
        if self.duplicate is not None and body["name"] in taken:
            return _no(self.duplicate, self.duplicate_words)
        if self.repeats_itself and self.trainings:
            return httpx.Response(202, json=self._told(self.trainings[0]))
        made = Made(body["name"], body["spec"], _time(), self.started)
        self.trainings.append(made)
        self.used_names.add(made.name)
        if self.creates in self.lost:
            return _no(503)
        return httpx.Response(202, json=self._told(made))

    async def _listing(self, request: httpx.Request) -> httpx.Response:
        seen = [one for one in self.trainings if _time() - one.created_at >= self.listing_lag]
        items = [
            {
                "id": one.workload_id,
                "name": one.name,
                "type": "Training",
                "phase": one.phase,
                "projectId": "7",
                "phaseMessage": self.message,
            }
            for one in seen
        ]
        assert request.url.params["filterBy"].startswith("name=")
        return httpx.Response(200, json={"workloads": items})

    async def _get(self, request: httpx.Request) -> httpx.Response:
        found = self._of(request)
        return httpx.Response(200, json=self._told(found)) if found else _no(404)

    async def _events(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"events": []})

    async def _suspend(self, request: httpx.Request) -> httpx.Response:
        return self._turned(request, self.suspended)

    async def _resume(self, request: httpx.Request) -> httpx.Response:
        return self._turned(request, self.resumed)

    async def _delete(self, request: httpx.Request) -> httpx.Response:
        found = self._of(request)
        if found is not None and self.deletes:
            self.trainings.remove(found)
        return httpx.Response(202) if found else _no(404)

    def _turned(self, request: httpx.Request, phase: str) -> httpx.Response:
        found = self._of(request)
        if found is None:
            return _no(404)
        found.phase = phase
        return httpx.Response(202)

    def _of(self, request: httpx.Request) -> Made | None:
        workload_id = str(UUID(request.url.path.split("/")[5]))
        return next((one for one in self.trainings if one.workload_id == workload_id), None)

    def _told(self, made: Made) -> dict[str, Any]:
        return {
            "name": made.name,
            "workloadId": made.workload_id,
            "projectId": "7",
            "spec": made.spec if self.gives_labels else {},
            **({self.phase_field: made.phase} if self.phase_field else {}),
        }


def app_of(site: Site) -> ASGIApp:
    """Return the site as an application that a server can serve."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        content = (await receive())["body"]
        url = f"https://site{scope['path']}?{scope['query_string'].decode()}"
        answer = await site(httpx.Request(scope["method"], url, content=content))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": []})
        await send({"type": "http.response.body", "body": answer.content})

    return app


@dataclass
class Probed:
    """A probe of a site, and what it told."""

    probe: Probe
    told: list[Finding]

    def __getitem__(self, step: str) -> Finding:
        (found,) = [one for one in self.told if one.step == step]
        return found

    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each step."""
        return {one.step: one.verdict.value for one in self.told}


@asynccontextmanager
async def probing(
    site: Site | httpx.AsyncBaseTransport,
    *,
    project: str = "vision",
    cluster: str | None = None,
    keep: bool = False,
) -> AsyncIterator[Probed]:
    """Make a probe of a site ready to run."""
    transport = httpx.MockTransport(site) if isinstance(site, Site) else site
    heard, told = Heard(), list[Finding]()
    url = "https://runai.example.com"
    address = Address(
        base_url=url,
        credentials=Credentials(client_id="me", secret=lambda: "hush-hush"),
        transport=transport,
    )
    order = ProbeOrder(
        base_url=url, project=project, cluster=cluster, image="busybox", mark=MARK, keep=keep
    )
    rng = random.Random(3)
    async with open_runai(
        address, now=lambda: NOW, rng=rng, observer=heard.observer()
    ) as connection:
        probe = Probe(connection, order, heard=heard, now=lambda: NOW, tell=told.append)
        yield Probed(probe, told)


async def probed(site: Site | httpx.AsyncBaseTransport, **asked: Any) -> Probed:
    """Probe a site to the end."""
    async with probing(site, **asked) as found:
        await found.probe.run()
    return found


def _time() -> float:
    return asyncio.get_running_loop().time()


def _no(status: int, words: str = "no") -> httpx.Response:
    return httpx.Response(status, json={"code": status, "message": words})
