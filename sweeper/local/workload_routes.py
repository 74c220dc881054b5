"""What a client needs beside the five operations: listings, events, projects, clusters."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.answers import (
    cluster_answer,
    cut,
    event_answer,
    project_answer,
    workload_answer,
)
from sweeper.local.filters import Term
from sweeper.local.places import Project
from sweeper.local.requests import RequestError, not_found, read_query, read_workload_id
from sweeper.local.site import Site
from sweeper.local.trainings import LocalTraining
from sweeper.wire import listings

WORKLOADS = "/api/v1/workloads"
PROJECTS = "/api/v1/org-unit/projects"
CLUSTERS = "/api/v1/clusters"


def workload_routes(site: Site) -> Sequence[Route]:
    """Return the routes of everything that is read, but for single trainings."""

    async def find(request: Request) -> LocalTraining:
        workload_id = read_workload_id(request)
        training = await site.keeper.find(workload_id)
        if training is None:
            raise not_found(workload_id)
        return training

    async def listing(request: Request) -> Response:
        query = read_query(request)
        found, following = cut(await site.keeper.page(query), query)
        items = [_item(site, training) for training in found]
        return JSONResponse(listings.WorkloadPage(workloads=items, next=following).answer())

    async def count(request: Request) -> Response:
        number = await site.keeper.count(read_query(request))
        return JSONResponse(listings.WorkloadCount(count=number).answer())

    async def workload(request: Request) -> Response:
        training = await find(request)
        if training.deleted_at is not None:
            raise not_found(training.workload_id)
        return JSONResponse(_item(site, training).answer())

    async def events(request: Request) -> Response:
        query = read_query(request, descending=True)
        # Of a deleted one, too: they tell a client that was away why it failed.
        training = await find(request)
        project = _project(site, training)
        found, following = cut(await site.keeper.events(training.workload_id, query), query)
        items = [event_answer(number, event, training, project) for number, event in found]
        return JSONResponse(listings.EventPage(events=items, next=following).answer())

    async def projects(request: Request) -> Response:
        query = read_query(request)
        named = [one for one in site.projects if all(_is_so(one, term) for term in query.terms)]
        found, following = cut(named[query.offset :], query)
        items = [project_answer(one) for one in found]
        return JSONResponse(listings.ProjectPage(projects=items, next=following).answer())

    async def clusters(request: Request) -> Response:
        del request
        return JSONResponse([cluster_answer(site.cluster_id).answer()])

    return [
        Route(WORKLOADS, listing, methods=["GET"]),
        Route(f"{WORKLOADS}/count", count, methods=["GET"]),
        # Anything else, such as `trainings`, is no workload that one could ask for.
        Route(f"{WORKLOADS}/{{workload_id:uuid}}", workload, methods=["GET"]),
        Route(f"{WORKLOADS}/{{workload_id}}/events", events, methods=["GET"]),
        Route(PROJECTS, projects, methods=["GET"]),
        Route(CLUSTERS, clusters, methods=["GET"]),
    ]


def _item(site: Site, training: LocalTraining) -> listings.Workload:
    return workload_answer(training, _project(site, training))


def _project(site: Site, training: LocalTraining) -> Project:
    """Return a training's project, also one that this control plane does not have any more."""
    project = site.project(training.project_id)
    return project or Project(id=training.project_id, name=training.project_id)


def _is_so(project: Project, term: Term) -> bool:
    values = {"name": project.name, "id": project.id, "clusterId": project.cluster_id}
    if term.field not in values or term.operator != "==":
        raise RequestError(400, "filterBy: projects can be asked for by name==, id==, clusterId==")
    return values[term.field] == term.value
