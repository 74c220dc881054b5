"""The API that the verbs speak, to a daemon over its socket or to an opened store in-process.

Below `/v1`: `sweep`, `definition`, `trials`, `trials/<n>`, `trials/<n>/curve`, `events`,
`results`, `wishes`.
Lists come in pages: `next` is the `after` of the page that follows, None on the last one.
`results?best=<n>` gives the trials with the best objective instead, best first.
"""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.domain.enqueuing import MOST_ENQUEUED
from sweeper.domain.record import EventKind, SweepRecord, TrialView, WishKind
from sweeper.domain.values import plain
from sweeper.ports import Now, Store, TickSummary
from sweeper.web import views
from sweeper.web.answers import EXCEPTION_HANDLERS, JsonAnswer
from sweeper.web.queries import (
    CURVE_BOUND,
    PAGE_BOUND,
    limit_in,
    number_in,
    states_in,
    trial_in_path,
    wish_in,
)

_NEWEST_POINTS = 100
_EVENTS_OF_TRIAL = 2000


def verbs_app(
    store: Store,
    *,
    now: Now,
    latest: Callable[[], TickSummary | None] = lambda: None,
    on_wish: Callable[[], object] = lambda: None,
) -> Starlette:
    """Return the app over an open `store`.

    `latest` gives the daemon's last tick, where one runs; `on_wish` is called once a wish is
    durable, to wake the daemon.
    """
    api = _Api(store, now, latest, on_wish)
    return Starlette(
        routes=[
            Route("/v1/sweep", api.sweep),
            Route("/v1/definition", api.definition),
            Route("/v1/trials", api.trials),
            Route("/v1/trials/{trial}", api.trial),
            Route("/v1/trials/{trial}/curve", api.curve),
            Route("/v1/events", api.events),
            Route("/v1/results", api.results),
            Route("/v1/wishes", api.wish, methods=["POST"]),
        ],
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )


class _Api:
    def __init__(
        self,
        store: Store,
        now: Now,
        latest: Callable[[], TickSummary | None],
        on_wish: Callable[[], object],
    ) -> None:
        self._store = store
        self._now = now
        self._latest = latest
        self._on_wish = on_wish

    async def sweep(self, _: Request) -> Response:
        sweep = await self._sweep()
        best = await self._store.best_trials(1)
        view = views.sweep_view(
            sweep,
            await self._store.totals(),
            await self._store.live_trials(),
            best[0] if best else None,
            tick=self._latest(),
            now=self._now(),
        )
        return JsonAnswer(view)

    async def definition(self, _: Request) -> Response:
        sweep = await self._sweep()
        return JsonAnswer({"definition": plain(sweep.definition)})

    async def trials(self, request: Request) -> Response:
        page, following = await self._page(request)
        return JsonAnswer({"trials": [views.trial_view(view) for view in page], "next": following})

    async def results(self, request: Request) -> Response:
        best = number_in(request, "best", -1, bound=PAGE_BOUND)
        following: int | None = None
        if best < 0:
            page, following = await self._page(request)
        else:
            page = await self._store.best_trials(best)
        now = self._now()
        rows = [views.result_row(view, now) for view in page]
        return JsonAnswer({"results": rows, "next": following})

    async def trial(self, request: Request) -> Response:
        number, view = await self._known(request)
        curve = await self._store.curve(number)
        submissions = await self._store.submissions(number)
        events = await self._store.events(trial=number, limit=_EVENTS_OF_TRIAL)
        decisions = [event for event in events if event.kind is EventKind.DECISION]
        newest = curve[-_NEWEST_POINTS:]
        return JsonAnswer(views.trial_detail(view, submissions, newest, decisions))

    async def curve(self, request: Request) -> Response:
        limit = limit_in(request, CURVE_BOUND, bound=CURVE_BOUND)
        number, _ = await self._known(request)
        curve = await self._store.curve(number)
        points = [views.point_view(report) for report in curve[-limit:]]
        return JsonAnswer({"trial": number, "points": points, "total": len(curve)})

    async def events(self, request: Request) -> Response:
        limit = limit_in(request)
        trial = number_in(request, "trial", -1)
        page = await self._store.events(
            trial=None if trial < 0 else trial,
            after=number_in(request, "after", 0),
            limit=limit,
        )
        following = page[-1].number if len(page) == limit else None
        return JsonAnswer(
            {"events": [views.event_view(event) for event in page], "next": following}
        )

    async def wish(self, request: Request) -> Response:
        wanted = await wish_in(request, self._now())
        trial = wanted.trial
        sweep = await self._sweep()
        if wanted.kind is WishKind.ENQUEUE:
            await self._check_room(sweep)
        if trial is not None and await self._store.trial(trial) is None:
            raise HTTPException(404, _unknown(trial))
        wish = await self._store.add_wish(wanted)
        self._on_wish()
        return JsonAnswer({"wish": wish.number}, status_code=201)

    async def _sweep(self) -> SweepRecord:
        sweep = await self._store.load_sweep()
        if sweep is None:
            raise HTTPException(404, "no sweep was started here yet")
        return sweep

    async def _check_room(self, sweep: SweepRecord) -> None:
        open_wishes = await self._store.wishes()
        waiting = sum(wish.kind is WishKind.ENQUEUE for wish in open_wishes)
        if len(sweep.enqueued) + waiting >= MOST_ENQUEUED:
            raise HTTPException(
                409,
                f"{MOST_ENQUEUED} points were enqueued in this sweep, and it takes no more: "
                "write them under points in a file of its own",
            )

    async def _page(self, request: Request) -> tuple[Sequence[TrialView], int | None]:
        limit = limit_in(request)
        page = await self._store.trials(
            states=states_in(request), after=number_in(request, "after", -1), limit=limit
        )
        return page, page[-1].trial.number if len(page) == limit else None

    async def _known(self, request: Request) -> tuple[int, TrialView]:
        number = trial_in_path(request)
        view = await self._store.trial(number)
        if view is None:
            raise HTTPException(404, _unknown(number))
        return number, view


def _unknown(trial: int) -> str:
    return f"trial {trial} was not submitted yet, or does not exist"
