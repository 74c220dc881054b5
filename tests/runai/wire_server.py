"""A server that breaks the wire in one scripted way, over a real socket on this machine."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

Play: TypeAlias = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One connection, after its first request was read whole."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes

    async def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(content)
        await self.writer.drain()

    async def answer(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        """Send a whole answer."""
        await self.send(head(len(body), status=status, headers=headers) + body)

    def reset(self) -> None:
        """Break the connection off so that the other side sees a reset."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing more until the other side goes away."""
        with suppress(ConnectionError):
            await self.reader.read()


@dataclass
class WireServer:
    """A server on a free port; `requests` are the bytes of what was asked."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    handling: dict[asyncio.StreamWriter, asyncio.Event] = field(default_factory=dict)

    async def all_closed(self) -> None:
        """Wait until every connection so far has come to its end."""
        for over in list(self.handling.values()):
            await over.wait()

    @property
    def url(self) -> str:
        """Return the server's base URL."""
        return f"http://127.0.0.1:{self.port}"


def head(length: int | None, *, status: str = "200 OK", headers: str = "") -> bytes:
    """Return the head of an answer whose body has `length` bytes (None: unsaid)."""
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"HTTP/1.1 {status}\r\n{size}{headers}\r\n".encode()


@asynccontextmanager
async def wire_server(*plays: Play, greeting: bytes = b"") -> AsyncIterator[WireServer]:
    """Serve connections on a free port; each request is met by the next play, the last for ever.

    `greeting` is sent as soon as somebody connects, unasked.
    """
    left = list(plays)
    server = WireServer(port=0)
    open_connections = server.handling

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = open_connections[writer] = asyncio.Event()
        server.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                writer.write(greeting)
                while not writer.is_closing():
                    request = await read_request(reader)
                    server.requests.append(request)
                    play = left.pop(0) if len(left) > 1 else left[0]
                    await play(Wire(reader, writer, request))
        finally:
            writer.close()
            over.set()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        async with listening:
            yield server
    finally:
        for writer, over in open_connections.items():
            writer.transport.abort()
            await over.wait()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one request, head and body."""
    lines = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in lines.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return lines + await reader.readexactly(length)


def unused_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
