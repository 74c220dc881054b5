"""Where workloads go: projects and clusters."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.answers import cluster_answer, cut, project_answer
from sweeper.local.filters import Term, has_text
from sweeper.local.places import Project
from sweeper.local.requests import RequestError, read_query
from sweeper.local.site import Site
from sweeper.wire import listings

PROJECTS = "/api/v1/org-unit/projects"
CLUSTERS = "/api/v1/clusters"


def place_routes(site: Site) -> Sequence[Route]:
    """Return the routes of projects and clusters."""

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
        Route(PROJECTS, projects, methods=["GET"]),
        Route(CLUSTERS, clusters, methods=["GET"]),
    ]


def _is_so(project: Project, term: Term) -> bool:
    values = {
        "name": project.name,
        "id": project.id,
        "clusterId": project.cluster_id,
        "departmentId": project.department,
        "departmentName": project.department,
    }
    if term.field not in values:
        known = ", ".join(values)
        raise RequestError(400, f"filterBy: unknown field {term.field[:40]!r}; known are {known}")
    return has_text(values[term.field], term)
