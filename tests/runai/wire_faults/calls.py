"""The calls that go through the faults, and a judge who asks the control plane itself."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    NotSentError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import ControlPlane, TrainingRequest
from sweeper.runai.client import TRAININGS, WORKLOADS
from sweeper.runai.operations import Operation

PREFIX = "wire-k3vq2hx7ya-"

_numbers = itertools.count()

_KINDS: tuple[tuple[type[ControlPlaneError], str], ...] = (
    (NotSentError, "unsent"),
    (TransientError, "transient"),
    (AmbiguousError, "open"),
    (AuthError, "auth"),
    (ForbiddenError, "forbidden"),
    (TrainingGoneError, "gone"),
    (UnsupportedError, "no-call"),
)


def word_of(error: ControlPlaneError) -> str:
    """Return the table's word for what a call raised."""
    return next(word for kind, word in _KINDS if isinstance(error, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A control plane, reached directly, and what its clients need."""

    transport: httpx.AsyncBaseTransport
    origin: str
    client_id: str
    client_secret: str = field(repr=False)
    project_id: str
    cluster_id: str


@dataclass(slots=True, kw_only=True)
class Judge:
    """Asks the control plane itself, past the proxy."""

    place: Place
    http: httpx.AsyncClient
    token: str = field(repr=False, default="")

    async def sign_in(self) -> None:
        """Get a token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.place.client_id,
            "client_secret": self.place.client_secret,
        }
        answer = await self.http.post("/api/v2/token", data=form)
        self.token = answer.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def request(self) -> TrainingRequest:
        """Return a create under a name of its own."""
        return TrainingRequest(
            name=f"{PREFIX}{next(_numbers)}-1",
            project_id=self.place.project_id,
            cluster_id=self.place.cluster_id,
            spec={"image": "busybox", "command": "true"},
        )

    async def made(self) -> "Subject":
        """Create a training, and return it with a name that is still free."""
        request = self.request()
        body: dict[str, Any] = {
            "name": request.name,
            "projectId": request.project_id,
            "clusterId": request.cluster_id,
            "spec": request.spec,
        }
        answer = await self.http.post(TRAININGS, json=body)
        return Subject(
            workload_id=answer.json()["workloadId"], name=request.name, request=self.request()
        )

    async def desired(self, workload_id: str) -> str:
        """Return what a training was told to be, "Deleted" also once it is gone."""
        answer = await self.http.get(f"{TRAININGS}/{workload_id}")
        return "Deleted" if answer.status_code == 404 else str(answer.json()["desiredPhase"])

    async def command(self, workload_id: str, word: str) -> None:
        """Suspend or resume a training."""
        (await self.http.post(f"{TRAININGS}/{workload_id}/{word}")).raise_for_status()

    async def named(self, name: str) -> int:
        """Return how many trainings of a name there are or were."""
        found = 0
        for deleted in ("false", "true"):
            params = {"filterBy": f"name=={name}", "deleted": deleted}
            answer = await self.http.get(WORKLOADS, params=params)
            found += len(answer.json()["workloads"])
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What calls are about: a training that exists, and a create that was not sent yet."""

    workload_id: str
    name: str
    request: TrainingRequest


Call = Callable[[ControlPlane, Subject], Awaitable[object]]

CALLS: Mapping[Operation, Call] = MappingProxyType(
    {
        Operation.CREATE: lambda plane, it: plane.create(it.request),
        Operation.SUSPEND: lambda plane, it: plane.suspend(it.workload_id),
        Operation.RESUME: lambda plane, it: plane.resume(it.workload_id),
        Operation.DELETE: lambda plane, it: plane.delete(it.workload_id),
        Operation.GET: lambda plane, it: plane.get(it.workload_id),
        Operation.LIST: lambda plane, it: plane.observe(it.name),
        Operation.FIND: lambda plane, it: plane.find(it.name),
        Operation.EVENTS: lambda plane, it: plane.events(it.workload_id),
        # The first call of all needs a token; nothing of it may be sent without one.
        Operation.TOKEN: lambda plane, it: plane.create(it.request),
    }
)

_TOLD = {
    Operation.SUSPEND: "Stopped",
    Operation.RESUME: "Running",
    Operation.DELETE: "Deleted",
}


async def prepare(judge: Judge, operation: Operation) -> Subject:
    """Return what a call is about, so that its effect can be told."""
    subject = await judge.made()
    if operation is Operation.RESUME:
        await judge.command(subject.workload_id, "suspend")
    return subject


async def has_effect(judge: Judge, operation: Operation, subject: Subject) -> bool:
    """Return whether the control plane has the effect of a call on record, and only once."""
    if operation in _TOLD:
        return await judge.desired(subject.workload_id) == _TOLD[operation]
    created = await judge.named(subject.request.name)
    assert created <= 1
    assert await judge.desired(subject.workload_id) == "Running"
    return created == 1
