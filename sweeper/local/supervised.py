"""A runtime whose processes are children of a supervisor, reached over a unix socket."""

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sweeper.clock import pause
from sweeper.local.launching import SupervisorOptions, launch, noted_socket
from sweeper.local.messages import (
    LONGEST_REQUEST,
    Message,
    MessageError,
    Splitter,
    encode,
    order_message,
    read_end,
)
from sweeper.local.runtime import (
    EndListener,
    LeaseTakenError,
    ProcessEnd,
    Runtime,
    RuntimeUnavailableError,
    StartError,
    StartOrder,
)
from sweeper.local.sockets import is_of_this_user
from sweeper.local.supervisor import LOG
from sweeper.tasks import side_tasks

__all__ = ["SupervisorOptions", "open_supervised"]

_log = logging.getLogger(__name__)

_CALL_SECONDS = 10.0
_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0
_LONGEST_ANSWER = 1024 * 1024 * 1024
_KEYS_AT_ONCE = 10_000
_LONGEST_GRACE_SECONDS = 1e9


@asynccontextmanager
async def open_supervised(options: SupervisorOptions) -> AsyncIterator[Runtime]:
    """Connect to the supervisor of this directory, starting it where there is none.

    Processes of a supervisor that is gone are ended first, and known as ended with exit code
    None. Leaving closes the connection and leaves the processes alone.

    Raises:
        RuntimeUnavailableError: the supervisor neither answers nor can be started.
    """
    client = _Client(options)
    try:
        await client.connect_in_time()
        async with side_tasks() as group:
            connecting = group.create_task(client.stay_connected(), name="supervisor connection")
            try:
                yield client
            finally:
                connecting.cancel()
    finally:
        client.close()


class _Link(asyncio.Protocol):
    """One connection: questions with their answers, and ends that come unasked."""

    def __init__(self, told: EndListener, lost: Callable[[], None]) -> None:
        self.is_lost = False
        self._told = told
        self._lost = lost
        self._splitter = Splitter(_LONGEST_ANSWER)
        self._numbers = itertools.count()
        self._asked: dict[float, asyncio.Future[Message]] = {}
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - what a socket's is
        self._transport = transport
        if not is_of_this_user(transport.get_extra_info("socket")):
            _log.error("the socket of the supervisor is another user's")
            transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True
        self._lost()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError())

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._splitter.feed(data):
                self._hear(message)
        except MessageError as error:
            _log.warning("the supervisor said what nobody understands: %s", error)
            self._transport.abort()

    def _hear(self, message: Message) -> None:
        match message:
            case {"end": fields}:
                self._told(read_end(fields))
            case {"id": int() | float() as number}:
                answer = self._asked.get(number)
                if answer is not None and not answer.done():  # else nobody waits any more
                    answer.set_result(message)
            case _:
                raise MessageError("a message that is neither an answer nor an end")

    async def ask(self, fields: Mapping[str, Any]) -> Message:
        """Return the answer; raises ConnectionError when it will not come."""
        if self.is_lost:
            raise ConnectionError
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._transport.write(encode({"id": number, **fields}))
        try:
            return await answer
        finally:
            del self._asked[number]

    def close(self) -> None:
        """Close the connection at once; whoever still waits hears that it is lost."""
        self._transport.abort()


class _Client(Runtime):
    def __init__(self, options: SupervisorOptions) -> None:
        self._options = options
        self._link: _Link | None = None
        self._connected = asyncio.Event()
        self._was_lost = asyncio.Event()
        self._listeners: list[EndListener] = []
        self._ended: set[str] = set()
        self._trouble = ""

    async def known(self) -> Mapping[str, ProcessEnd | None]:
        try:
            return _read_known(await self._call({"do": "known"}))
        except MessageError as error:
            raise self._unavailable(error) from error

    async def start(self, order: StartOrder) -> None:
        fields = {"do": "start", **order_message(order)}
        size = len(encode(fields))
        if size >= LONGEST_REQUEST:
            raise StartError(f"its arguments and environment take {size} bytes, which is too much")
        await self._call(fields)

    async def stop(self, key: str, grace_seconds: float) -> None:
        grace = min(max(grace_seconds, 0.0), _LONGEST_GRACE_SECONDS)
        await self._call({"do": "stop", "key": key, "grace": grace})

    async def forget(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            some = list(keys[first : first + _KEYS_AT_ONCE])
            await self._call({"do": "forget", "keys": some})
            self._ended.difference_update(some)

    def listen(self, listener: EndListener) -> None:
        self._listeners.append(listener)

    async def connect_in_time(self) -> None:
        """Connect; raises RuntimeUnavailableError when that fails or takes too long."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                for seconds in _pauses():
                    if await self._reach():
                        return
                    await pause(seconds)
        except (OSError, MessageError) as error:
            raise self._unavailable(error) from error

    async def stay_connected(self) -> None:
        """Connect again whenever the connection is lost, for ever."""
        while True:
            await self._was_lost.wait()
            for seconds in _pauses():
                if await self._has_reached():
                    break
                await pause(seconds)

    def close(self) -> None:
        """Close the connection for good."""
        if self._link is not None:
            self._link.close()

    async def _has_reached(self) -> bool:
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await self._reach()
        except (RuntimeUnavailableError, OSError, MessageError) as error:
            trouble = str(error) or "it does not answer"
            if trouble != self._trouble:
                _log.warning("no connection to the supervisor: %s", trouble)
            self._trouble = trouble
            return False

    async def _reach(self) -> bool:
        """Connect, starting a supervisor if there is none; return whether there is an answer.

        Whoever holds the lock without answering may be starting a supervisor, or about to end.
        """
        self._was_lost.clear()
        try:
            link = await self._open_link()
        except OSError:
            if not await asyncio.to_thread(launch, self._options):
                return False
            link = await self._open_link()
        try:
            known = _read_known(await link.ask({"do": "known"}))
        except ConnectionError:
            return False
        except BaseException:
            link.close()
            raise
        self._catch_up(known)
        self._trouble = ""
        self._link = link
        self._connected.set()
        return True

    async def _open_link(self) -> _Link:
        path = await asyncio.to_thread(noted_socket, self._options)
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(
            lambda: _Link(self._hear, self._lose), os.fspath(path)
        )
        return link

    def _lose(self) -> None:
        self._connected.clear()
        self._was_lost.set()

    def _catch_up(self, known: Mapping[str, ProcessEnd | None]) -> None:
        """Hear of the ends that were told while nobody listened; before the first, of none."""
        ended = [end for end in known.values() if end is not None]
        if self._link is None:
            self._ended.update(end.key for end in ended)
        for end in ended:
            self._hear(end)

    def _hear(self, end: ProcessEnd) -> None:
        if end.key not in self._ended:
            self._ended.add(end.key)
            for listener in self._listeners:
                listener(end)

    async def _call(self, fields: Message) -> Message:
        """Ask, again on the next connection when one is lost: every order may be repeated."""
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                for _ in range(_TRIES):
                    await self._connected.wait()
                    assert self._link is not None  # noqa: S101 - it is connected
                    with contextlib.suppress(ConnectionError):
                        return _checked(await self._link.ask(fields))
        except TimeoutError as error:
            raise self._unavailable(error) from error
        raise self._unavailable(ConnectionError("it closes every connection"))

    def _unavailable(self, error: Exception) -> RuntimeUnavailableError:
        reason = str(error) or "it does not answer"
        log = self._options.directory / LOG
        return RuntimeUnavailableError(f"no answer from the supervisor: {reason}; see {log}")


def _pauses() -> Iterator[float]:
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        yield seconds
        seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)


def _checked(answer: Message) -> Message:
    message = str(answer.get("message", ""))
    match answer.get("error"):
        case None:
            return answer
        case "start":
            raise StartError(message)
        case "lease":
            raise LeaseTakenError(message)
        case _:
            raise RuntimeUnavailableError(message)


def _read_known(answer: Message) -> Mapping[str, ProcessEnd | None]:
    match answer.get("known"):
        case list(pairs):
            return dict(map(_read_pair, pairs))
        case _:
            raise MessageError("an answer without what is known")


def _read_pair(pair: object) -> tuple[str, ProcessEnd | None]:
    match pair:
        case [str(key), None]:
            return key, None
        case [str(key), fields]:
            return key, read_end(fields)
        case _:
            raise MessageError("an answer that is not about a process")
