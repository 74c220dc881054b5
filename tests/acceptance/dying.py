"""The real command line in a process that sends itself a signal, SIGKILL mostly, when it is told.

The moments are the crossings of seams that every effect passes: calls made in threads
(transactions of the store and of the local control plane, files), requests to a control plane
(before, on the wire, answered), messages to the supervisor, and whatever opens a file to write
it, renames, removes or makes one, or binds a socket. All of them are watched from outside.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

import httpx

# What the verbs import when they run is imported here once, before any of them is forked.
import sweeper.bootstrap.running
import sweeper.bootstrap.serving_local
import sweeper.bootstrap.verbs
import sweeper.cli.main
from sweeper.local.messages import Message
from sweeper.local.supervised import _Link

NOWHERE = 0

_FILES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"})
_OTHERS = frozenset({"socket.bind", "subprocess.Popen"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, where it runs, and at which crossing it gets the signal.

    Crossings are written to `trace` as they are passed; without it the process is not watched.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    out: Path
    err: Path
    trace: Path | None = None
    at: int = NOWHERE
    signal: Signals = SIGKILL


def live(command: Command) -> None:
    """Be the process of a command line; never returns."""
    os.environ.clear()
    os.environ.update(command.environment)
    os.chdir(command.folder)
    for descriptor, file in ((1, command.out), (2, command.err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    if command.trace is not None:
        _watch(Crossings(command, command.trace).cross)
    sweeper.cli.main.main(command.arguments)


class Crossings:
    """Counts crossings of seams, in all threads, and sends the signal at the one it is for."""

    def __init__(self, command: Command, trace: Path) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._command = command
        self._count = 0
        self._lock = threading.Lock()

    def cross(self, name: str) -> None:
        """Count one crossing, and write it down."""
        with self._lock:
            self._count += 1
            os.write(self._trace, f"{self._count} {name}\n".encode())
            if self._count == self._command.at:
                os.kill(os.getpid(), self._command.signal)


def _watch(cross: Callable[[str], None]) -> None:
    """Watch all seams."""
    _watch_threads(cross)
    for transport in (httpx.AsyncHTTPTransport, httpx.ASGITransport):
        _watch_requests(transport, cross)
    _watch_messages(cross)
    sys.addaudithook(_hook(cross))


def _watch_threads(cross: Callable[[str], None]) -> None:
    submit = ThreadPoolExecutor.submit

    def watched(
        pool: ThreadPoolExecutor, call: Callable[..., Any], /, *args: Any, **named: Any
    ) -> Future[Any]:
        name = pool._thread_name_prefix

        def between(*args: Any, **named: Any) -> Any:
            cross(f"before a call in {name}")
            result = call(*args, **named)
            cross(f"after a call in {name}")
            return result

        return submit(pool, between, *args, **named)

    ThreadPoolExecutor.submit = watched  # type: ignore[method-assign,assignment] # from outside


def _watch_requests(transport: Any, cross: Callable[[str], None]) -> None:
    handle = transport.handle_async_request

    async def watched(self: Any, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"

        async def follow(event: str, _: object) -> None:
            if event == "http11.send_request_body.complete":
                cross(f"on the wire: {what}")

        request.extensions["trace"] = follow
        cross(f"before {what}")
        response: httpx.Response = await handle(self, request)
        cross(f"answered {response.status_code}: {what}")
        return response

    transport.handle_async_request = watched


def _watch_messages(cross: Callable[[str], None]) -> None:
    ask = _Link.ask

    async def watched(self: _Link, fields: Mapping[str, Any]) -> Message:
        cross("before a message to the supervisor")
        answer = await ask(self, fields)
        cross("after a message to the supervisor")
        return answer

    _Link.ask = watched  # type: ignore[method-assign] # from outside


def _hook(cross: Callable[[str], None]) -> Callable[[str, tuple[Any, ...]], None]:
    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = args
            if flags & _WRITING or set(mode or "") & set("wxa+"):
                cross(f"open {_shown(path)}")
        elif event in _FILES:
            cross(f"{event} {_shown(args[0])}")
        elif event in _OTHERS:
            cross(event)

    return hear


def _shown(path: object) -> str:
    """Return what tells a file in a trace; a descriptor tells nothing."""
    return Path(os.fsdecode(path)).name if isinstance(path, str | bytes | os.PathLike) else ""
