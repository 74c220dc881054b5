"""Serve an app on sockets of ours, inside the present event loop."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sweeper.tasks import side_tasks

CONNECTIONS_BOUND = 512
"""Connections that one server holds; those beyond are closed at once."""

SILENCE_BOUND = 30
"""Seconds that a connection may take to send the head of its first request, and of the next."""

SHUTDOWN_GRACE = 3
"""Seconds that requests in progress get to finish when serving ends."""

_BACKLOG = 256


@asynccontextmanager
async def serve(app: ASGIApp, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serve `app` on bound `sockets` until the context ends, and close them then.

    Requests are answered from the moment the context is entered. Signals stay as they are.
    """
    server = _Server(
        uvicorn.Config(
            _answering_to_the_end(app),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_GRACE,
        )
    )
    async with side_tasks() as group:
        group.create_task(server.run_on(sockets), name="http server")
        await server.ready.wait()
        try:
            yield
        finally:
            server.stop.set()


def bind_tcp(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port` (0: a free one); raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    # A port that the daemon before us has just left must be free at once.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return _bound(made, address)


def bind_unix(path: Path) -> socket.socket:
    """Return a socket bound to `path` that only its owner may open (0600); raises OSError.

    A socket that an earlier process left behind is replaced; one at which a process listens, and
    anything that is no socket, stays: that raises as any taken address does.
    """
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Linux gives the file the mode of the socket, so that it never is open to others.
    with contextlib.suppress(OSError):
        os.fchmod(made.fileno(), 0o600)
    bound = _bound(made, str(path))
    path.chmod(0o600)
    return bound


def _bound(made: socket.socket, address: Any) -> socket.socket:
    try:
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _answering_to_the_end(app: ASGIApp) -> ASGIApp:
    """Return `app` with an answer for the requests that an ending server cancels.

    uvicorn would log a traceback for each of them, and leave the client without a word.
    """

    async def answering(scope: Scope, receive: Receive, send: Send) -> Any:
        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            # By returning anything but None an application has the connection closed.
            return await app(scope, receive, noted)
        except asyncio.CancelledError:
            # Not raised again: this is the outermost frame of a task that nobody awaits.
            if not is_begun:
                ending = PlainTextResponse("the daemon is ending\n", status_code=503)
                await ending(scope, receive, send)

    return answering


class _Protocol(H11Protocol):
    """HTTP whose connections are bounded in number, and in how long they may say nothing.

    Saying half a head counts as nothing, before the first request as after any other: uvicorn's
    own bound for idle connections ends with the first byte that comes.
    """

    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own signature
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_BOUND:
            transport.abort()
            return
        self._expect_request()

    def on_response_complete(self) -> None:
        """Expect the next request, which may have been sent already."""
        # Before uvicorn begins with that one.
        self._expect_request()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._silence is not None:
            self._silence.cancel()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.loop.call_later(SILENCE_BOUND, self._close_if_silent, self.cycle)

    def _close_if_silent(self, last: object) -> None:
        if self.cycle is last:
            self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn without signals and without its ten looks a second at whether to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    async def run_on(self, sockets: Sequence[socket.socket]) -> None:
        try:
            await self.serve(sockets=list(sockets))
        finally:
            # A cancelled server skips its own shutdown.
            for connection in list(self.server_state.connections):
                connection.shutdown()
            for task in list(self.server_state.tasks):
                task.cancel()
            for bound in sockets:
                bound.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except FileNotFoundError:
        return
    try:
        _connect(path)
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        client.connect(str(path))
