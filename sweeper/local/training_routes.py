"""The five operations of the Trainings API."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, TypeAlias
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.domain.phase import Phase
from sweeper.domain.values import JsonValue
from sweeper.local.accepting import Creation
from sweeper.local.answers import training_answer
from sweeper.local.naming import NameInUseError, with_suffix
from sweeper.local.places import Project
from sweeper.local.requests import RequestError, not_found, read_object, read_workload_id
from sweeper.local.site import Site
from sweeper.local.trainings import FINISHED, LocalTraining
from sweeper.wire.answers import HttpResponse, refusal
from sweeper.wire.checking import check_creation
from sweeper.wire.issues import Severity

TRAININGS = "/api/v1/workloads/trainings"

Command: TypeAlias = Literal["delete", "suspend", "resume"]

_SUFFIXES_TRIED = 10

_NO_SENSE_IN: Mapping[Command, frozenset[Phase]] = {
    "delete": frozenset({Phase.DELETING}),
    "suspend": FINISHED | {Phase.STOPPED, Phase.STOPPING, Phase.DELETING},
    "resume": frozenset(Phase) - {Phase.STOPPED, Phase.STOPPING},
}


def training_routes(site: Site) -> Sequence[Route]:
    """Return the routes of the five operations."""

    async def create(request: Request) -> Response:
        body = await read_object(request)
        issues = check_creation(dict(body), site.switches.terms)
        if any(issue.severity is Severity.ERROR for issue in issues):
            return JSONResponse(refusal(issues).answer(), 400)
        training = await _create(site, body)
        return JSONResponse(training_answer(training).answer(), 202)

    async def get(request: Request) -> Response:
        workload_id = read_workload_id(request)
        training = await site.keeper.find(workload_id)
        if training is None or training.deleted_at is not None:
            raise not_found(workload_id)
        return JSONResponse(training_answer(training).answer())

    path = f"{TRAININGS}/{{workload_id}}"
    return [
        Route(TRAININGS, create, methods=["POST"]),
        Route(path, get, methods=["GET"]),
        Route(path, _command(site, "delete"), methods=["DELETE"]),
        Route(f"{path}/suspend", _command(site, "suspend"), methods=["POST"]),
        Route(f"{path}/resume", _command(site, "resume"), methods=["POST"]),
    ]


def _command(site: Site, word: Command) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a command."""

    async def endpoint(request: Request) -> Response:
        await command(site, read_workload_id(request), word)
        return JSONResponse(HttpResponse().answer(), 202)

    return endpoint


async def command(site: Site, workload_id: str, word: Command) -> None:
    """Carry out a command; it is accepted in every phase unless the switches say otherwise.

    Raises:
        RequestError: there is no such training, or the command makes no sense in its phase.
    """
    refusal_status = site.switches.illegal_status
    if refusal_status is not None:
        training = await site.keeper.find(workload_id)
        if training is not None and training.phase in _NO_SENSE_IN[word]:
            message = f"{word} makes no sense for a workload that is {training.phase.value}"
            raise RequestError(refusal_status, message)
    commands = {
        "delete": site.engine.delete,
        "suspend": site.engine.suspend,
        "resume": site.engine.resume,
    }
    if not await commands[word](workload_id):
        raise not_found(workload_id)


async def _create(site: Site, body: Mapping[str, JsonValue]) -> LocalTraining:
    """Create the training of a body that was checked."""
    project = _project(site, body)
    given = str(body["name"])
    is_prefix = body.get("useGivenNameAsPrefix") is True
    spec_text = json.dumps(body["spec"], ensure_ascii=False) if "spec" in body else None
    taken: NameInUseError | None = None
    for _ in range(_SUFFIXES_TRIED if is_prefix else 1):
        name = with_suffix(given) if is_prefix else given
        creation = Creation(
            workload_id=str(uuid4()),
            name=name,
            requested_name=given,
            project=project,
            created_by=site.tokens.client_id,
            spec_text=spec_text,
        )
        try:
            return await site.engine.create(creation)
        except NameInUseError as error:
            taken = error
    raise RequestError(site.switches.duplicate_status, str(taken)) from taken


def _project(site: Site, body: Mapping[str, JsonValue]) -> Project:
    project_id, cluster_id = str(body["projectId"]), str(body["clusterId"])
    project = site.project(project_id)
    if project is None:
        raise RequestError(400, f"projectId: there is no project {project_id[:80]!r}")
    if cluster_id.lower() != project.cluster_id:
        raise RequestError(400, f"clusterId: project {project.name} is not on {cluster_id[:80]!r}")
    return project
