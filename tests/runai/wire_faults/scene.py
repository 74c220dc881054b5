"""One client, one proxy and one control plane, with either kind of network between them."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sweeper.clock import utc_now
from sweeper.local.simulated import SimulatedRuntime
from sweeper.ports import ControlPlane
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.operations import Operation
from sweeper.runai.tokens import Credentials, FixedToken
from tests.local.planes import World, loop_clock
from tests.runai.scripted import Heard
from tests.runai.wire_faults.breaking import BREAKINGS
from tests.runai.wire_faults.calls import Judge, Place
from tests.runai.wire_faults.network import Network, Reach, network
from tests.runai.wire_faults.table import Moment, Row
from tests.runai.wire_server import WireServer, wire_server
from tests.support.fault_proxy import Arrival, Fault, FaultProxy

_GREETINGS = {"no TLS spoken": b"220 welcome to something else\r\n"}
REACHES = {
    "connection refused": Reach.REFUSED,
    "name unknown": Reach.UNKNOWN,
    "no connection in time": Reach.SILENT,
}
WITHOUT_TLS = frozenset({"no TLS spoken", "TLS stuck"})
"""Faults of a server that never comes to speak TLS, and is not asked to recover."""


class Still(random.Random):
    """Dice that always fall on the least, so that no wait takes longer than it must."""

    def random(self) -> float:
        """Return the least."""
        return 0.0


@asynccontextmanager
async def place_here(directory: Path) -> AsyncIterator[Place]:
    """Open a control plane in this loop, under its time."""
    now = loop_clock()
    world = World(directory=directory, runtime=SimulatedRuntime(now=now), now=now)
    async with world.open() as client:
        plane = client.plane
        assert plane is not None
        yield Place(
            transport=httpx.ASGITransport(app=plane.app),
            origin="http://local",
            client_id=plane.client_id,
            client_secret=plane.client_secret,
            project_id=plane.project_id,
            cluster_id=plane.cluster_id,
        )


@asynccontextmanager
async def judge_of(place: Place) -> AsyncIterator[Judge]:
    """Open the judge's own way to the control plane."""
    async with httpx.AsyncClient(transport=place.transport, base_url=place.origin) as http:
        judge = Judge(place=place, http=http)
        await judge.sign_in()
        yield judge


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that a fault passes through."""

    row: Row
    judge: Judge
    proxy: FaultProxy
    server: WireServer
    network: Network | None
    ca_file: Path
    heard: Heard = field(default_factory=Heard)

    @property
    def url(self) -> str:
        """Return the address that leads to the proxy."""
        if self.row.fault in WITHOUT_TLS:
            return self.server.url.replace("http:", "https:")
        return (
            self.server.url.replace("127.0.0.1", "localhost") if self.network else self.server.url
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what nobody may ever see."""
        return self.judge.token, self.judge.place.client_secret

    def strike(self, operation: Operation, *, times: int | None = None) -> None:
        """Let the row's fault meet the calls of one kind: all of them, or the next few."""
        if self.network is not None:
            self.network.reach = REACHES.get(self.row.fault, Reach.THERE)
        breaking = BREAKINGS.get(self.row.fault)
        if breaking is None:
            return
        last = None if times is None else self.proxy.count(operation) + times

        def hits(arrival: Arrival, before: int) -> bool:
            return arrival.operation is operation and (last is None or before < last)

        after = self.row.moment is Moment.AFTER
        self.proxy.fault = Fault(breaking=breaking, after=after, hits=hits)

    def relent(self) -> None:
        """Let nothing be wrong any more."""
        self.proxy.fault = None
        if self.network is not None:
            self.network.reach = Reach.THERE

    @asynccontextmanager
    async def client(self, *, needs_token: bool) -> AsyncIterator[ControlPlane]:
        """Open the real client over the proxy, with a token or with what gets one."""
        place, token = self.judge.place, self.judge.token
        address = Address(
            base_url=self.url,
            credentials=Credentials(client_id=place.client_id, secret=lambda: place.client_secret)
            if needs_token
            else FixedToken(token=lambda: token),
            ca_file=self.ca_file,
        )
        opened = open_runai(address, now=utc_now, rng=Still(), observer=self.heard.observer())
        async with opened as connection:
            yield connection.control_plane(place.project_id)


@asynccontextmanager
async def scene_of(row: Row, place: Place, ca_file: Path) -> AsyncIterator[Scene]:
    """Set the scene for one row; rows that wait get a network without real time in it."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        judge = await enter(judge_of(place))
        there = stack.enter_context(network()) if row.waits else None
        proxy = FaultProxy(upstream=place.transport, origin=place.origin)
        greeting = _GREETINGS.get(row.fault, b"")
        server = await enter(wire_server(proxy.play, greeting=greeting))
        yield Scene(
            row=row, judge=judge, proxy=proxy, server=server, network=there, ca_file=ca_file
        )


def texts(error: BaseException) -> Iterator[str]:
    """Return all that an exception and what led to it say."""
    at: BaseException | None = error
    while at is not None:
        yield from (str(at), repr(at), *getattr(at, "__notes__", ()))
        at = at.__cause__ or at.__context__


def loop_time() -> float:
    """Return the loop's time, virtual or not."""
    return asyncio.get_running_loop().time()
