"""The listing of all workloads, and what it says of a single one."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.answers import cut, workload_answer
from sweeper.local.batch_routes import batch_route
from sweeper.local.log_routes import log_route
from sweeper.local.place_routes import place_routes
from sweeper.local.requests import find_workload, not_found, read_query
from sweeper.local.site import Site
from sweeper.local.timeline_routes import timeline_routes
from sweeper.local.trainings import LocalTraining
from sweeper.wire import listings

WORKLOADS = "/api/v1/workloads"


def wider_routes(site: Site) -> Sequence[Route]:
    """Return the routes of all that a client needs beside tokens and the five operations."""
    path = f"{WORKLOADS}/{{workload_id}}"
    return [
        batch_route(site, f"{WORKLOADS}/batch"),
        *_listing_routes(site),
        *timeline_routes(site, path),
        log_route(site, f"{path}/logs"),
        *place_routes(site),
    ]


def _listing_routes(site: Site) -> Sequence[Route]:
    async def listing(request: Request) -> Response:
        query = read_query(request)
        found, following = cut(await site.keeper.page(query), query)
        items = [_item(site, training) for training in found]
        return JSONResponse(listings.WorkloadPage(workloads=items, next=following).answer())

    async def count(request: Request) -> Response:
        number = await site.keeper.count(read_query(request))
        return JSONResponse(listings.WorkloadCount(count=number).answer())

    async def workload(request: Request) -> Response:
        training = await find_workload(request, site.keeper)
        if training.deleted_at is not None:
            raise not_found(training.workload_id)
        return JSONResponse(_item(site, training).answer())

    return [
        Route(WORKLOADS, listing, methods=["GET"]),
        Route(f"{WORKLOADS}/count", count, methods=["GET"]),
        # Anything else, such as `trainings`, is no workload that one could ask for.
        Route(f"{WORKLOADS}/{{workload_id:uuid}}", workload, methods=["GET"]),
    ]


def _item(site: Site, training: LocalTraining) -> listings.Workload:
    return workload_answer(training, site.project_of(training))
