"""A control plane that goes away under a real client and a real daemon, in virtual time.

The server keeps a history of its own, by the loop's time; every figure is counted from that.
"""

import json
import random
import re
from asyncio import get_running_loop
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx

from sweeper.clock import pause
from sweeper.domain.sweep import LimitsSpec
from sweeper.runai.gate import GatePolicy
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.operations import Observer, Operation
from sweeper.runai.tokens import FixedToken
from tests.support.builders import NOW, a_spec
from tests.support.clock import Clock
from tests.support.daemon import World

LATENCY = 0.05
QUEUES = 10.0

_BY_ID = re.compile(r"/api/v1/workloads/trainings/([0-9a-f-]{36})")


class LoopClock(Clock):
    """The wall clock as the virtual time of the event loop has it."""

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=get_running_loop().time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How an outage is played: `seconds` long from `begins_at`, and looked at until `ends_at`.

    `fault` is what requests meet meanwhile: 503, refused or hang. Each of `active` trainings runs
    for about `lasts` seconds. The last `usual` seconds before it show how things usually are.
    """

    has_listing: bool = True
    fault: str = "503"
    active: int = 400
    lasts: float = 400.0
    begins_at: float = 600.0
    usual: float = 240.0
    seconds: float = 600.0
    looked_at: float = 180.0
    seed: int = 7

    @property
    def over_at(self) -> float:
        """When the control plane is back."""
        return self.begins_at + self.seconds

    @property
    def ends_at(self) -> float:
        """When the daemon is stopped."""
        return self.over_at + self.looked_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that arrived, and whether it was answered well."""

    at: float
    kind: str
    is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A training, which queues for a while, runs for about as long as the scene says, and ends."""

    workload_id: str
    body: Mapping[str, Any]
    born_at: float
    lasts: float

    def fits(self, wanted: Sequence[str]) -> bool:
        """Whether the terms of a filter let it pass, as far as they concern a name or a time."""
        name, created_at = self.body["name"], _time(int(self.born_at))
        meets = {
            "name==": lambda value: name == value,
            "name=^": name.startswith,
            "createdAt>=": lambda value: created_at >= value,
        }
        return all(
            is_met(term.removeprefix(start))
            for term in wanted
            for start, is_met in meets.items()
            if term.startswith(start)
        )

    def shown(self, now: float) -> Mapping[str, Any]:
        """Return it as the API shows it."""
        age = now - self.born_at
        phase = "Pending" if age < QUEUES else "Running" if age < self.lasts else "Completed"
        labels = self.body["spec"]["labels"]
        return {
            "workloadId": self.workload_id,
            "type": "Training",
            "name": self.body["name"],
            "projectId": self.body["projectId"],
            "actualPhase": phase,
            "desiredPhase": "Running",
            "createdAt": _time(self.born_at),
            "spec": {"labels": [{"name": key, "value": labels[key]} for key in labels]},
        }


def _time(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Server:
    """The other side: trainings that queue, run and complete, and an outage by the clock."""

    scene: Scene
    history: "History"
    _trainings: dict[str, Training] = field(default_factory=dict)
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.scene.seed)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or do to it what the outage does."""
        now = get_running_loop().time()
        is_down = self.scene.begins_at <= now < self.scene.over_at
        kind = "create" if request.method == "POST" else "read"
        self.history.requests.append(Request(at=now, kind=kind, is_good=not is_down))
        await pause(LATENCY)
        if not is_down:
            return self._answer(request)
        if self.scene.fault == "refused":
            raise httpx.ConnectError("refused", request=request)
        if self.scene.fault == "hang":
            await pause(3600)
        return httpx.Response(503)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        now = get_running_loop().time()
        if request.method == "POST":
            return httpx.Response(202, json=self._create(json.loads(request.content), now))
        if found := _BY_ID.fullmatch(request.url.path):
            return httpx.Response(200, json=self._trainings[found[1]].shown(now))
        if not self.scene.has_listing:
            return httpx.Response(404)
        return httpx.Response(200, json=self._page(request.url.params, now))

    def _create(self, body: Mapping[str, Any], now: float) -> Mapping[str, Any]:
        training = Training(
            workload_id=str(UUID(int=len(self._trainings) + 1)),
            body=body,
            born_at=now,
            lasts=self.scene.lasts * self._dice.uniform(0.5, 1.5),
        )
        self._trainings[training.workload_id] = training
        return training.shown(now)

    def _page(self, params: httpx.QueryParams, now: float) -> Mapping[str, Any]:
        wanted = params["filterBy"].split(",")
        found = [one for one in self._trainings.values() if one.fits(wanted)]
        begin, size = int(params["offset"]), int(params["limit"])
        end = begin + size
        return {
            "workloads": [one.shown(now) for one in found[begin:end]],
            "next": end if end < len(found) else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the server saw. Rates are per second, times are seconds, shares are fractions."""

    answers_before: float  # good answers to any request, in the minutes before the outage
    creates_before: float
    busiest_before: int  # requests in the busiest second
    opened_after: float  # from the beginning of the outage until the breaker opened
    sent_until_open: int
    probes: int  # requests from then on, until the outage was over
    closest_probes: float
    retries: int  # repeats in the outage, and by all requests of the outage
    retry_ratio: float
    back_after: float  # from the end of the outage to the first good answer
    recovered_after: float  # and to the end of the first ten seconds with 80 % of all three rates
    answers_in_first_minute: float  # by those before
    creates_in_first_minute: float
    busiest_after: int  # requests in the busiest second


@dataclass(slots=True, kw_only=True)
class History:
    """What is counted: requests and their fates, as the server saw them; what the client told."""

    scene: Scene
    requests: list[Request] = field(default_factory=list)
    retries: list[float] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)

    def observer(self) -> Observer:
        """Return what notes down what the client tells."""

        def on_retry(_operation: Operation, _reason: str) -> None:
            self.retries.append(get_running_loop().time())

        def on_breaker(state: str) -> None:
            if state == "open":
                self.openings.append(get_running_loop().time())

        return Observer(on_retry=on_retry, on_breaker=on_breaker)

    def figures(self) -> Figures:
        """Count."""
        scene = self.scene
        begins, over = scene.begins_at, scene.over_at
        opened = next(at for at in self.openings if at >= begins)
        probes = self._sent(opened, over)
        lost = self._sent(begins, over)
        retries = sum(begins <= at < over for at in self.retries)
        answers = self._rate(begins - scene.usual, begins)
        creates = self._rate(begins - scene.usual, begins, "create")
        return Figures(
            answers_before=answers,
            creates_before=creates,
            busiest_before=_busiest(self._sent(begins - scene.usual, begins)),
            opened_after=opened - begins,
            sent_until_open=len(lost) - len(probes),
            probes=len(probes),
            closest_probes=min(late - early for early, late in pairwise(probes)),
            retries=retries,
            retry_ratio=retries / len(lost),
            back_after=min(one.at for one in self.requests if one.at >= over) - over,
            recovered_after=self._recovered_after(answers, creates),
            answers_in_first_minute=self._rate(over, over + 60) / answers,
            creates_in_first_minute=self._rate(over, over + 60, "create") / creates,
            busiest_after=_busiest(self._sent(over, scene.ends_at)),
        )

    def _sent(self, begin: float, end: float) -> list[float]:
        return [one.at for one in self.requests if begin <= one.at < end]

    def _rate(self, begin: float, end: float, kind: str = "") -> float:
        """Return good answers per second, of one kind of requests if one is given."""
        good = [
            one
            for one in self.requests
            if begin <= one.at < end and one.is_good and kind in {"", one.kind}
        ]
        return len(good) / (end - begin)

    def _recovered_after(self, answers: float, creates: float) -> float:
        """Return when for ten seconds there were 80 % of the answers, and of the creates."""
        over = self.scene.over_at
        for end in range(10, int(self.scene.looked_at)):
            window = (over + end - 10, over + end)
            is_fast = self._rate(*window) >= 0.8 * answers
            if is_fast and self._rate(*window, "create") >= 0.8 * creates:
                return float(end)
        return float("inf")


def _busiest(times: Sequence[float]) -> int:
    """Return how many there were in the busiest second."""
    return max(bisect_left(times, begin + 1.0) - number for number, begin in enumerate(times))


async def play(scene: Scene) -> Figures:
    """Play an outage and return what it was like for the server."""
    history = History(scene=scene)
    world = World(planned=None, spec=a_spec(limits=LimitsSpec(active=scene.active)))
    world.clock = LoopClock()
    await world.begin()
    address = Address(
        base_url="https://runai.example.com",
        credentials=FixedToken(token=lambda: "token"),
        transport=httpx.MockTransport(Server(scene=scene, history=history)),
        gate=GatePolicy(),
    )
    dice = random.Random(scene.seed)
    opened = open_runai(address, now=world.clock, rng=dice, observer=history.observer())
    async with opened as connection:
        daemon = world.daemon(control_plane=connection.control_plane("project"))
        while get_running_loop().time() < scene.ends_at:
            tick = await daemon.tick()
            await pause(tick.wait)
    return history.figures()
