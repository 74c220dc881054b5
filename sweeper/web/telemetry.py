"""What Prometheus and probes ask: `/metrics`, `/healthz`, `/readyz`."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sweeper.web.answers import EXCEPTION_HANDLERS

Complaint: TypeAlias = Callable[[], str]
"""Says what is wrong, "" when all is well."""

_INDEX = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>sweeper</title>
<h1>sweeper</h1>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus
<li><a href="/healthz">/healthz</a>: the daemon is at work
<li><a href="/readyz">/readyz</a>: the control plane was seen
</ul>
"""


def telemetry_app(
    render_metrics: Callable[[str], tuple[bytes, str]],
    *,
    health: Complaint,
    readiness: Complaint,
) -> Starlette:
    """Return the app for probes; it answers without the store.

    `render_metrics` makes the body and its content type from an Accept header; it runs in a
    thread. A complaint is answered with 503.
    """

    async def index(_: Request) -> Response:
        return HTMLResponse(_INDEX)

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        body, content_type = await asyncio.to_thread(render_metrics, accept)
        return Response(body, headers={"Content-Type": content_type})

    async def healthz(_: Request) -> Response:
        return _probed(health())

    async def readyz(_: Request) -> Response:
        return _probed(readiness())

    return Starlette(
        routes=[
            Route("/", index),
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )


def overdue(last: datetime | None, started: datetime, now: datetime, bound: timedelta) -> str:
    """Return the complaint about a tick that should have ended by now, "" when there is none.

    `last` is when the last tick ended, None before the first one, which counts from `started`.
    """
    age = now - (last or started)
    if age <= bound:
        return ""
    seen = "the last tick ended" if last else "no tick has ended; the daemon started"
    return f"{seen} {age.total_seconds():.0f} s ago, more than {bound.total_seconds():.0f} s"


def _probed(complaint: str) -> Response:
    return PlainTextResponse(f"{complaint or 'ok'}\n", status_code=503 if complaint else 200)
