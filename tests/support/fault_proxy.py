"""A proxy that breaks the wire between a client and a real control plane, call by call.

It is a play for `wire_server`: each request that arrives is read whole, passed on to the control
plane or kept from it, and then answered honestly or as the fault has it. What it notes down is what
came over the wire, whatever the client believes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from sweeper.runai.operations import Operation
from tests.runai.wire_server import Wire

Breaking: TypeAlias = Callable[[Wire], Awaitable[None]]
"""What is done to a connection in place of the honest answer."""


def _gone(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"nothing stands behind the proxy for {request.url.path}")


_DEAD = frozenset({"host", "content-length", "connection", "accept-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with which calls: before the control plane hears of them, or afterwards.

    `hits` is asked of each request, with how often its operation was asked before, from 0.
    """

    breaking: Breaking
    after: bool
    hits: Callable[["Arrival", int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request that came over the wire; `at` is the loop's time."""

    operation: Operation | None
    method: str
    target: str
    content: bytes
    at: float


@dataclass(slots=True, kw_only=True)
class FaultProxy:
    """Stands before `upstream`; `play` is what a wire server plays for ever.

    Without an upstream no request may be passed on.
    """

    origin: str
    upstream: httpx.AsyncBaseTransport = field(default_factory=lambda: httpx.MockTransport(_gone))
    fault: Fault | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    breaks: int = 0

    def count(self, operation: Operation) -> int:
        """Return how many requests of one kind arrived."""
        return sum(one.operation is operation for one in self.arrivals)

    async def play(self, wire: Wire) -> None:
        """Deal with one request."""
        head, _, content = wire.request.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        arrival = Arrival(
            operation=operation_of(method, target),
            method=method,
            target=target,
            content=content,
            at=asyncio.get_running_loop().time(),
        )
        before = self.count(arrival.operation) if arrival.operation else 0
        self.arrivals.append(arrival)
        fault = self.fault
        if fault is None or not fault.hits(arrival, before):
            await self._answer(wire, await self._pass_on(arrival, lines))
            return
        self.breaks += 1
        if fault.after:
            await self._pass_on(arrival, lines)
        await fault.breaking(wire)

    async def _pass_on(self, arrival: Arrival, lines: list[str]) -> httpx.Response:
        """Let the control plane carry a request out."""
        pairs = [(name, value.strip()) for name, _, value in (one.partition(":") for one in lines)]
        request = httpx.Request(
            arrival.method,
            f"{self.origin}{arrival.target}",
            headers=[pair for pair in pairs if pair[0].lower() not in _DEAD],
            content=arrival.content,
        )
        response = await self.upstream.handle_async_request(request)
        await response.aread()
        await response.aclose()
        return response

    async def _answer(self, wire: Wire, response: httpx.Response) -> None:
        """Send the control plane's own answer back."""
        kept = {"content-type", "retry-after", "date"}
        headers = "".join(
            f"{name}: {value}\r\n" for name, value in response.headers.items() if name in kept
        )
        status = f"{response.status_code} {response.reason_phrase}"
        await wire.answer(response.content, status=status, headers=headers)


_COMMANDS = {"suspend": Operation.SUSPEND, "resume": Operation.RESUME}


def operation_of(method: str, target: str) -> Operation | None:
    """Return which call a request is, None where it is none that the trainings need."""
    path, _, query = target.partition("?")
    parts = path.removeprefix("/api/v1/workloads").strip("/").split("/")
    if path.endswith("/token"):
        return Operation.TOKEN
    if not path.startswith("/api/v1/workloads"):
        return None
    match (method, *parts):
        case ("POST", "trainings"):
            return Operation.CREATE
        case ("POST", "trainings", _, word):
            return _COMMANDS.get(word)
        case ("DELETE", "trainings", _):
            return Operation.DELETE
        case ("GET", "trainings", _):
            return Operation.GET
        case ("GET", _, "events"):
            return Operation.EVENTS
        case ("GET", ""):
            return Operation.LIST if "%3D%5E" in query else Operation.FIND
        case _:
            return None
