"""What a client needs beside the five operations: listings, events, projects, clusters."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.answers import (
    Json,
    cluster_answer,
    event_answer,
    page_answer,
    project_answer,
    workload_answer,
)
from sweeper.local.filters import Query, Term
from sweeper.local.places import Project
from sweeper.local.requests import RequestError, not_found, read_query, read_workload_id
from sweeper.local.site import Site
from sweeper.local.trainings import LocalTraining

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
        found = await site.keeper.page(query)
        items = [_item(site, training) for training in found]
        return JSONResponse(page_answer("workloads", items, query.offset, query.limit))

    async def count(request: Request) -> Response:
        return JSONResponse({"count": await site.keeper.count(read_query(request))})

    async def workload(request: Request) -> Response:
        training = await find(request)
        if training.deleted_at is not None:
            raise not_found(training.workload_id)
        return JSONResponse(_item(site, training))

    async def events(request: Request) -> Response:
        query = read_query(request, descending=True)
        # Of a deleted one, too: they tell a client that was away why it failed.
        training = await find(request)
        project = _project(site, training)
        found = await site.keeper.events(training.workload_id, query)
        items = [event_answer(number, event, training, project) for number, event in found]
        return JSONResponse(page_answer("events", items, query.offset, query.limit))

    async def projects(request: Request) -> Response:
        query = read_query(request)
        named = [one for one in site.projects if all(_is_so(one, term) for term in query.terms)]
        items = [project_answer(one) for one in _slice(named, query)]
        return JSONResponse(page_answer("projects", items, query.offset, query.limit))

    async def clusters(request: Request) -> Response:
        del request
        return JSONResponse([cluster_answer(site.cluster_id)])

    return [
        Route(WORKLOADS, listing, methods=["GET"]),
        Route(f"{WORKLOADS}/count", count, methods=["GET"]),
        Route(f"{WORKLOADS}/{{workload_id}}", workload, methods=["GET"]),
        Route(f"{WORKLOADS}/{{workload_id}}/events", events, methods=["GET"]),
        Route(PROJECTS, projects, methods=["GET"]),
        Route(CLUSTERS, clusters, methods=["GET"]),
    ]


def _item(site: Site, training: LocalTraining) -> Json:
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


def _slice(projects: Sequence[Project], query: Query) -> Sequence[Project]:
    """Return a page, and one project more when there is a next page."""
    return projects[query.offset : query.offset + query.limit + 1]
