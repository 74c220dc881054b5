"""What happened to one workload, and the pods that it has now; of deleted ones, too."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.answers import cut, event_answer, history_answer, pod_answer
from sweeper.local.requests import find_workload, read_query
from sweeper.local.site import Site
from sweeper.wire.histories import HistoryPage
from sweeper.wire.listings import EventPage
from sweeper.wire.pods import PodPage


def timeline_routes(site: Site, path: str) -> Sequence[Route]:
    """Return the routes below `path`, which names the workload."""

    async def events(request: Request) -> Response:
        query = read_query(request, descending=True)
        # Of a deleted one, too: they tell a client that was away why it failed.
        training = await find_workload(request, site.keeper)
        project = site.project_of(training)
        found, following = cut(await site.keeper.events(training.workload_id, query), query)
        items = [event_answer(number, event, training, project) for number, event in found]
        return JSONResponse(EventPage(events=items, next=following).answer())

    async def history(request: Request) -> Response:
        query = read_query(request)
        training = await find_workload(request, site.keeper)
        project = site.project_of(training)
        found, following = cut(await site.keeper.history(training.workload_id, query), query)
        records = [history_answer(number, one, training, project) for number, one in found]
        return JSONResponse(HistoryPage(records=records, next=following).answer())

    async def pods(request: Request) -> Response:
        query = read_query(request)
        training = await find_workload(request, site.keeper)
        project = site.project_of(training)
        found, following = cut(training.pods[query.offset :], query)
        items = [pod_answer(pod, training, project) for pod in found]
        return JSONResponse(PodPage(pods=items, next=following).answer())

    return [
        Route(f"{path}/events", events, methods=["GET"]),
        Route(f"{path}/history", history, methods=["GET"]),
        Route(f"{path}/pods", pods, methods=["GET"]),
    ]
