"""The way between a daemon and the simulated control plane, and what befalls requests on it.

What a request does it does when it arrives, whether or not anybody still waits for the answer: a
daemon that gave up or died leaves behind what it sent.
"""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from sweeper.clock import pause
from sweeper.runai.transport import EXTENSION, Bounds
from tests.simulation.answering import Answer, Asked, Face, read
from tests.simulation.history import Note, Request
from tests.simulation.living import Life
from tests.simulation.scenario import (
    DEADLINE_SLACK,
    DENIAL,
    LONG_SLACK,
    Happening,
    Scenario,
)
from tests.simulation.server import Cluster
from tests.support.simulated_daemon import Line

_NEVER = 10_000.0


@dataclass(slots=True)
class Weather:
    """What befalls requests: drawn for each kind of request by a stream of its own."""

    scenario: Scenario
    cluster: Cluster
    windows: list[Happening] = field(default_factory=list)
    _streams: dict[str, random.Random] = field(default_factory=dict)

    def stream(self, name: str) -> random.Random:
        """Return the stream of draws of that name."""
        return self._streams.setdefault(name, self.cluster.stream(f"wire/{name}"))

    def fate(self, asked: Asked) -> str:
        """Return what befalls a request, "" for nothing."""
        drawn = self._drawn(asked.operation)
        if self.cluster.is_calm:
            return ""
        now = self.cluster.seconds
        for window in self.windows:
            if window.at <= now < window.at + window.seconds and _is_about(window.what, asked):
                return window.what
        if drawn == "other id" and asked.operation != "get":
            return ""
        if drawn == DENIAL and not self._may_deny(asked):
            return ""
        return drawn

    def _may_deny(self, asked: Asked) -> bool:
        """Whether a false 404 is one that can be told: a listing knows better."""
        of_one = asked.operation in {"get", "suspend", "resume", "delete"}
        return of_one and self.scenario.api.has_listing

    def _drawn(self, operation: str) -> str:
        # Drawn for every request, so that what is drawn later does not depend on the hour.
        left = self.stream(operation).random()
        for fault, probability in self.scenario.faults.items():
            left -= probability
            if left < 0:
                return fault
        return ""


def _is_about(window: str, asked: Asked) -> bool:
    match window:
        case "forbidden":
            return asked.operation == "create"
        case "token outage":
            return asked.operation == "token"
        case "no read":
            return not asked.writes and asked.operation != "token"
        case _:
            return True


class Wire(Line):
    """Carries requests to the face of the control plane."""

    def __init__(self, face: Face, weather: Weather) -> None:
        super().__init__()
        self.life = Life()
        self._face = face
        self._weather = weather
        self._cluster = weather.cluster

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let a request arrive, or not, and its answer come back, or not."""
        content = await request.aread()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        url = request.url
        asked = read(request.method, url.path, dict(url.params), content, token)
        bounds: Bounds = request.extensions[EXTENSION]
        life = self.life
        was_over = life.is_over
        try:
            life.come_to(asked.operation)
        except BaseException:
            if not was_over and asked.writes and self._weather.stream("death").random() < life.late:
                self._note_request(asked, "dead, late", await life.intended(asked))
                self._arrive_late(asked, bounds)
            raise
        fate = self._weather.fate(asked)
        self._note_request(asked, fate, await life.intended(asked))
        latency = self._weather.stream(f"{asked.operation}/latency").uniform(
            0.01, self._weather.scenario.api.latency
        )
        return await self._exchange(request, asked, fate, bounds, round(latency, 3))

    def _note_request(self, asked: Asked, fate: str, intended: bool) -> None:
        line = Request(
            self._cluster.seconds,
            self.life.number,
            asked.operation,
            asked.about,
            fate,
            intended,
        )
        self._cluster.history.add(line)

    async def _exchange(
        self, request: httpx.Request, asked: Asked, fate: str, bounds: Bounds, latency: float
    ) -> httpx.Response:
        match fate:
            case "drop before" | "refused":
                await pause(latency)
                kind = httpx.ConnectError if fate == "refused" else httpx.ReadError
                raise kind("no connection", request=request)
            case "hang before" | "silence":
                await pause(_NEVER)
            case "hang late":
                self._arrive_late(asked, bounds)
                await pause(_NEVER)
            case "503 before" | "502 before" | "outage 503" | "token outage" | "no read":
                await pause(latency)
                return httpx.Response(502 if fate == "502 before" else 503)
            case "401" | "forbidden" | "404":
                await pause(latency)
                return httpx.Response({"401": 401, "404": 404}.get(fate, 403))
            case "429":
                await pause(latency)
                seconds = self._weather.stream("retry after").randint(0, 30)
                return httpx.Response(429, headers={"Retry-After": str(seconds)})
            case _:
                pass
        answer = await self._arrived(asked, latency)
        if answer is None:
            raise httpx.ReadError("reset", request=request)
        return self._spoilt(request, fate, *answer)

    def _spoilt(self, request: httpx.Request, fate: str, status: int, body: Any) -> httpx.Response:
        """Return the answer as it comes back."""
        match fate:
            case "503 after" | "500 after" | "504 after":
                return httpx.Response(int(fate[:3]))
            case "drop after":
                raise httpx.ReadError("reset", request=request)
            case "cut":
                raise httpx.RemoteProtocolError("cut off", request=request)
            case "garbage":
                return httpx.Response(status, content=b'{"workloadId": "5eeb')
            case "html":
                return httpx.Response(status, content=b"<html>all is well</html>")
            case "empty":
                return httpx.Response(status)
            case "other id" if status == 200:
                body = {**body, "workloadId": "00000000-0000-4000-8000-000000000000"}
        return httpx.Response(status, content=json.dumps(body).encode())

    async def _arrived(self, asked: Asked, latency: float) -> Answer | None:
        """Let the request arrive halfway through the latency; return its answer at the end.

        None if the server ended before: what was on its way then does not arrive either.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer | None] = loop.create_future()
        starts = self._face.starts

        def arrive() -> None:
            answer = self._face.answer(asked) if self._face.starts == starts else None
            if not answered.done():
                answered.set_result(answer)

        loop.call_later(latency / 2, arrive)
        answer = await answered
        await pause(latency / 2)
        return answer if self._face.starts == starts else None

    def _arrive_late(self, asked: Asked, bounds: Bounds) -> None:
        """Let a request arrive up to a while after its caller's deadline."""
        loop = asyncio.get_running_loop()
        slack = DEADLINE_SLACK if self._face.has_unique_names else LONG_SLACK
        if asked.operation != "create":
            slack = DEADLINE_SLACK
        left = max(bounds.deadline - loop.time(), 0) + slack
        seconds = round(self._weather.stream("late").uniform(0, left), 3)

        def arrive() -> None:
            self._cluster.history.add(Note(self._cluster.seconds, "arrives late", asked.operation))
            self._face.answer(asked)

        loop.call_later(seconds, arrive)
