"""A network inside one process: real sockets in pairs, under the virtual time of the loop.

What is written to one end can be read at the other at once, so that time never jumps over bytes
that are still on their way, as it might with connections through the kernel's network.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from sweeper.clock import pause

Factory = Callable[[], asyncio.BaseProtocol]


class Reach(StrEnum):
    """What becomes of an attempt to connect."""

    THERE = "there"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(slots=True)
class _Listening:
    """What `create_server` returns, as far as streams need it."""

    network: "Network"
    port: int

    @property
    def sockets(self) -> list[Self]:
        """Return itself, which knows its name."""
        return [self]

    def getsockname(self) -> tuple[str, int]:
        """Return where it listens."""
        return "127.0.0.1", self.port

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self.network.servers[self.port]


@dataclass(slots=True, kw_only=True)
class Network:
    """Who listens, and how connecting goes."""

    loop: asyncio.AbstractEventLoop
    reach: Reach = Reach.THERE
    servers: dict[int, Factory] = field(default_factory=dict)

    async def create_server(
        self, factory: Factory, _host: str, _port: int, **_options: Any
    ) -> _Listening:
        """Listen at a port of its own."""
        port = 40_000 + len(self.servers)
        self.servers[port] = factory
        return _Listening(self, port)

    async def connect(self, port: int) -> socket.socket:
        """Return one end of a new connection, the other of which the server holds."""
        if self.reach is Reach.SILENT:
            await pause(3600.0)
        if self.reach is Reach.REFUSED or port not in self.servers:
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        await self.loop.connect_accepted_socket(self.servers[port], theirs)
        return ours

    async def getaddrinfo(self, _host: str, port: int, **_options: Any) -> list[Any]:
        """Return this machine's address, unless no name is known."""
        if self.reach is Reach.UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@contextmanager
def network() -> Iterator[Network]:
    """Let the running loop's connections go through a network of its own."""
    loop = asyncio.get_running_loop()
    there = Network(loop=loop)
    over_a_socket = loop.create_connection

    async def create_connection(factory: Factory, _host: str, port: int, **_options: Any) -> Any:
        return await over_a_socket(factory, sock=await there.connect(port))

    replaced = {
        "create_server": there.create_server,
        "create_connection": create_connection,
        "getaddrinfo": there.getaddrinfo,
    }
    for name, function in replaced.items():
        setattr(loop, name, function)
    try:
        yield there
    finally:
        for name in replaced:
            delattr(loop, name)
