"""A collector of traces as far as a sender can tell: it takes OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.web.serving import bind_tcp, serve
from tests.acceptance.daemons import PATIENCE


@dataclass(kw_only=True)
class Collector:
    """What was received, and what is answered; with another status than 200, spans are refused."""

    url: str
    status: int = 200
    spans: asyncio.Queue[Span] = field(default_factory=asyncio.Queue)
    refused: asyncio.Queue[Span] = field(default_factory=asyncio.Queue)
    services: set[str] = field(default_factory=set)

    async def next(self) -> Span:
        """Wait for a span."""
        async with asyncio.timeout(PATIENCE):
            return await self.spans.get()

    async def take(self, request: Request) -> Response:
        """Take what a sender sends."""
        held = ExportTraceServiceRequest.FromString(await request.body())
        queue = self.spans if self.status == 200 else self.refused
        for of_one in held.resource_spans:
            told = {one.key: one.value.string_value for one in of_one.resource.attributes}
            self.services.add(told["service.name"])
            for span in (span for scope in of_one.scope_spans for span in scope.spans):
                queue.put_nowait(span)
        return Response(status_code=self.status)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Serve a collector on loopback."""
    with bind_tcp("127.0.0.1", 0) as bound:
        collector = Collector(url=f"http://127.0.0.1:{bound.getsockname()[1]}")
        route = Route("/v1/traces", collector.take, methods=["POST"])
        async with serve(Starlette(routes=[route]), [bound]):
            yield collector


def fields_of(span: Span | Span.Event) -> dict[str, str | int]:
    """Return what is told of a span, or of one of its events."""
    return {
        one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
        for one in span.attributes
    }
