"""The process that is the parent of a control plane's processes: standard library only.

`main` is run in a process of its own by `launching`, which holds the lock of the directory, has
settled what an earlier supervisor left, and hands over the lock and a listening socket. It ends
when nobody is connected and its last process has ended; what it is sent can end a connection,
nothing more. A signal that asks it to end is ignored, for that would lose exit codes: stopping
its processes ends it.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sweeper.clock import pause, utc_now
from sweeper.local.children import Children
from sweeper.local.journal import Journal
from sweeper.local.messages import (
    LONGEST_REQUEST,
    Message,
    MessageError,
    Splitter,
    encode,
    end_fields,
    read_number,
    read_order,
    read_text,
    read_texts,
)
from sweeper.local.orphans import adopt_orphans
from sweeper.local.runtime import LeaseTakenError, ProcessEnd, StartError
from sweeper.local.sockets import is_of_this_user, listen_at
from sweeper.local.spawning import IGNORED, spawn

_log = logging.getLogger(__name__)

JOURNAL = "processes.jsonl"
LOG = "supervisor.log"

_FIRST_CLIENT_SECONDS = 5.0
_LOOK_FOR_SOCKET_SECONDS = 5.0
_MOST_UNREAD = 256 * 1024 * 1024


class Supervisor:
    """Serves the processes of one control plane to whoever connects as the same user."""

    def __init__(self, journal: Journal, now: Callable[[], datetime]) -> None:
        self.done = asyncio.Event()
        self._connections: set[_Connection] = set()
        self.children = Children(
            journal, spawn=spawn, now=now, told=self._tell, changed=self.end_if_idle
        )

    def connect(self) -> asyncio.Protocol:
        """Return what serves one more connection."""
        return _Connection(self)

    def joined(self, connection: "_Connection") -> None:
        """Tell a connection of ends from now on."""
        self._connections.add(connection)

    def left(self, connection: "_Connection") -> None:
        """Forget a connection; the last one may have been what kept this process."""
        self._connections.discard(connection)
        self.end_if_idle()

    def end_if_idle(self) -> None:
        """End when nobody is connected and nothing runs."""
        if not self._connections and self.children.is_empty:
            self.done.set()

    def _tell(self, end: ProcessEnd) -> None:
        line = encode({"end": end_fields(end)})
        for connection in self._connections:
            connection.send(line)


class _Connection(asyncio.Protocol):
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._splitter = Splitter(LONGEST_REQUEST)
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a socket's is
        self._transport = transport
        self._supervisor.joined(self)
        if not is_of_this_user(transport.get_extra_info("socket")):
            _log.warning("refused a connection of another user")
            transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._supervisor.left(self)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._splitter.feed(data):
                self._obey(message)
        except MessageError as error:
            _log.warning("closed a connection that sent %s", error)
            self._transport.abort()

    def send(self, line: bytes) -> None:
        if self._transport.get_write_buffer_size() > _MOST_UNREAD:
            self._transport.abort()
        if not self._transport.is_closing():
            self._transport.write(line)

    def _obey(self, message: Message) -> None:
        number = read_number(message, "id")
        answer = partial(self._answer, number)
        children = self._supervisor.children
        match message.get("do"):
            case "known":
                known = [[key, end and end_fields(end)] for key, end in children.known()]
                self.send(encode({"id": number, "known": known}))
            case "start":
                children.start(read_order(message), answer)
            case "stop":
                children.stop(read_text(message, "key"), read_number(message, "grace"))
                answer(None)
            case "forget":
                children.forget(read_texts(message, "keys"), answer)
            case _:
                raise MessageError("a request that is none of known, start, stop and forget")

    def _answer(self, number: float, error: Exception | None) -> None:
        match error:
            case None:
                fields = {}
            case StartError():
                fields = {"error": "start", "message": str(error)}
            case LeaseTakenError():
                fields = {"error": "lease", "message": str(error)}
            case _:
                fields = {"error": "unavailable", "message": str(error)}
        self.send(encode({"id": number, **fields}))


async def serve(directory: Path, listener: socket.socket) -> None:
    """Serve the journal in `directory` on a listening socket until nothing is left to do."""
    loop = asyncio.get_running_loop()
    path = Path(listener.getsockname())
    take_away = partial(path.unlink, missing_ok=True)
    journal = Journal.open(directory / JOURNAL)
    supervisor = Supervisor(journal, utc_now)
    loop.add_signal_handler(signal.SIGCHLD, supervisor.children.reap)
    loop.call_later(_FIRST_CLIENT_SECONDS, supervisor.end_if_idle)
    server = await loop.create_unix_server(supervisor.connect, sock=listener)
    while not await pause(_LOOK_FOR_SOCKET_SECONDS, wake=supervisor.done):
        server = await _keep_serving(server, path, supervisor)
    server.close()
    with contextlib.suppress(OSError):
        take_away()
    loop.remove_signal_handler(signal.SIGCHLD)
    journal.close()


async def _keep_serving(
    server: asyncio.Server, path: Path, supervisor: Supervisor
) -> asyncio.Server:
    """Return a new server if the old one's file is gone, as after its user logged out."""
    try:
        anew = None if _exists(path) else listen_at(path)
    except OSError:  # its folder cannot be made: the user is still away
        anew = None
    if anew is None:
        return server
    server.close()
    return await asyncio.get_running_loop().create_unix_server(supervisor.connect, sock=anew)


def _exists(path: Path) -> bool:
    return path.exists()


def _set_signals() -> None:
    """Ignore what asks to end; otherwise undo what whoever started us ignored or held back."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN if number in IGNORED else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def main() -> None:
    """Leave whoever started this process, and serve: DIRECTORY LISTENER LOCK (descriptors)."""
    directory, listener, lock = Path(sys.argv[-3]), int(sys.argv[-2]), int(sys.argv[-1])
    if os.fork():  # pragma: no branch
        os._exit(0)  # pragma: no cover - whoever measures it lives on in the other process
    _set_signals()
    for descriptor in (listener, lock):
        os.set_inheritable(descriptor, False)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())  # for people who look for this process
    adopt_orphans()
    gc.freeze()  # what is here stays, and children need no copies of it
    asyncio.run(serve(directory, socket.socket(fileno=listener)))
