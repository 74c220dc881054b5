"""The Trainings API of one project as a `ControlPlane`: requests out, observations back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sweeper.domain.trial import Observation, TrainingEvent
from sweeper.domain.values import JsonValue
from sweeper.errors import (
    ControlPlaneError,
    SettingsError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import TrainingRequest
from sweeper.runai.answers import show
from sweeper.runai.calls import MAX_LISTING_BYTES, Call, MakeCall
from sweeper.runai.classify import error_for, is_uuid, unusable
from sweeper.runai.listing import (
    PAGE_SIZE,
    Page,
    is_project_id,
    name_filter,
    prefix_filter,
    read_pages,
)
from sweeper.runai.operations import Operation
from sweeper.runai.reading import read_events, read_page, read_training

TRAININGS = "/api/v1/workloads/trainings"
WORKLOADS = "/api/v1/workloads"
MAX_EVENTS = 100
ASK_AGAIN_SECONDS = 600.0
"""How long a listing that was found missing is not asked for."""
MISSES_BELIEVED = 3
"""So often in a row must a listing be missing that was there before: a gateway errs, too."""


class RunaiControlPlane:
    """The trainings of one project; one object serves any number of concurrent callers.

    `observe` keeps to the deadline with each of its pages, every other call as a whole. The
    `files` of a request are not sent: they concern only whoever runs trainings on this machine.
    """

    def __init__(self, make: MakeCall, project_id: str) -> None:
        if not is_project_id(project_id):
            raise SettingsError(f"project id {project_id[:80]!r} holds what no id holds")
        self._make = make
        self._project_id = project_id
        self._listing = _Listing()

    async def create(self, request: TrainingRequest) -> Observation:
        """Send the request once; an answer about another training settles nothing."""
        body: JsonValue = {
            "name": request.name,
            "projectId": request.project_id,
            "clusterId": request.cluster_id,
            "spec": request.spec,
        }
        call = Call(operation=Operation.CREATE, method="POST", path=TRAININGS, body=body)
        observation = read_training(Operation.CREATE, await self._make(call), request.name)
        if observation.name != request.name:
            raise _about_another(Operation.CREATE, observation.name)
        if observation.project_id not in {None, request.project_id}:
            raise _about_another(Operation.CREATE, f"project {observation.project_id}")
        return observation

    async def observe(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        """Read the listing page by page; a filter that the server ignores is applied again."""
        wanted = prefix_filter(prefix, self._project_id, since)
        found = await self._list(Operation.LIST, wanted, deleted=False)
        return [one for one in found if one.name.startswith(prefix)]

    async def deleted(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        """Read the listing of the deleted ones in the same way."""
        wanted = prefix_filter(prefix, self._project_id, since)
        found = await self._list(Operation.LIST, wanted, deleted=True)
        return [one for one in found if one.name.startswith(prefix)]

    async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
        """Ask the listing for one name."""
        wanted = name_filter(name, self._project_id)
        found = await self._list(Operation.FIND, wanted, deleted=deleted)
        return [one for one in found if one.name == name]

    async def get(self, workload_id: str) -> Observation:
        """Read one training; an answer about another one is no news of either."""
        call = Call(operation=Operation.GET, method="GET", path=_path(workload_id))
        observation = read_training(Operation.GET, await self._make(call), "")
        if observation.workload_id.lower() != workload_id.lower():
            raise _about_another(Operation.GET, observation.workload_id)
        if observation.deleted_at is not None:
            raise TrainingGoneError(f"training {workload_id} is deleted")
        return observation

    async def events(self, workload_id: str) -> Sequence[TrainingEvent]:
        """Read the newest events; 404 is no proof of anything where there is no listing either."""
        call = Call(
            operation=Operation.EVENTS,
            method="GET",
            path=f"{WORKLOADS}/{_checked(workload_id)}/events",
            params={"limit": str(MAX_EVENTS), "sortOrder": "desc"},
        )
        try:
            body = await self._make(call)
        except TrainingGoneError as error:
            if self._listing.is_absent:
                raise UnsupportedError("this control plane lists no events") from error
            raise
        return read_events(body)[:MAX_EVENTS]

    async def suspend(self, workload_id: str) -> None:
        """Suspend a training, repeated until the answer is plain."""
        await self._change(Operation.SUSPEND, "POST", f"{_path(workload_id)}/suspend")

    async def resume(self, workload_id: str) -> None:
        """Resume a training, repeated until the answer is plain."""
        await self._change(Operation.RESUME, "POST", f"{_path(workload_id)}/resume")

    async def delete(self, workload_id: str) -> None:
        """Delete a training, repeated until the answer is plain."""
        await self._change(Operation.DELETE, "DELETE", _path(workload_id))

    async def _change(self, operation: Operation, method: str, path: str) -> None:
        """Make a call whose answer holds nothing of use."""
        await self._make(Call(operation=operation, method=method, path=path))

    async def _list(
        self, operation: Operation, wanted: str, *, deleted: bool
    ) -> Sequence[Observation]:
        """Return the trainings of our project that the listing has, deleted ones or living."""
        self._listing.check()

        async def fetch(offset: int) -> Page[Observation]:
            return read_page(await self._make(_listing_call(operation, wanted, offset, deleted)))

        try:
            found = await read_pages(fetch, lambda one: one.workload_id)
        except UnsupportedError as error:
            if not self._listing.missed(error):
                raise TransientError(f"the listing that was there is missing: {error}") from error
            raise
        self._listing.found()
        return [
            one
            for one in found
            if one.project_id in {None, self._project_id}
            and (one.deleted_at is not None) is deleted
        ]


class _Listing:
    """Whether the control plane lists workloads, as far as we know; asked again rarely."""

    def __init__(self) -> None:
        self._absent_until: float | None = None
        self._why = ""
        self._misses_left = 1

    @property
    def is_absent(self) -> bool:
        """Whether the last time we asked there was none."""
        return self._absent_until is not None

    def check(self) -> None:
        """Raise `UnsupportedError` while it is too early to ask again."""
        now = asyncio.get_running_loop().time()
        if self._absent_until is not None and now < self._absent_until:
            raise UnsupportedError(f"this control plane lists no workloads ({self._why})")

    def found(self) -> None:
        """Remember that there is a listing."""
        self._absent_until, self._misses_left = None, MISSES_BELIEVED

    def missed(self, error: UnsupportedError) -> bool:
        """Remember that there is none; return whether that is to be believed by now."""
        self._misses_left -= 1
        if self._misses_left > 0:
            return False
        self._absent_until = asyncio.get_running_loop().time() + ASK_AGAIN_SECONDS
        self._why = str(error)
        return True


def _listing_call(operation: Operation, wanted: str, offset: int, deleted: bool) -> Call:
    """Return the call for one page, oldest first so that new items come last."""
    params = {
        "filterBy": wanted,
        "sortBy": "createdAt",
        "sortOrder": "asc",
        "limit": str(PAGE_SIZE),
        "offset": str(offset),
    }
    if deleted:
        params["deleted"] = "true"
    return Call(
        operation=operation,
        method="GET",
        path=WORKLOADS,
        params=params,
        max_bytes=MAX_LISTING_BYTES,
    )


def _path(workload_id: str) -> str:
    """Return the path of one training."""
    return f"{TRAININGS}/{_checked(workload_id)}"


def _checked(workload_id: str) -> str:
    """Return an id that is safe in a path; ids come from answers, so another one is our bug."""
    if not is_uuid(workload_id):
        raise ValueError(f"{workload_id[:80]!r} is no workload id")
    return workload_id


def _about_another(operation: Operation, what: str) -> ControlPlaneError:
    """Return the error for an answer that some cache or proxy mixed up."""
    return error_for(unusable(operation, f"is about another training ({show(what)})"))
