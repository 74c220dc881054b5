"""What a client makes of a server that is no supervisor, or one of another version."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

from sweeper.local.launching import noted_socket
from sweeper.local.messages import Splitter, encode, end_fields
from sweeper.local.runtime import ProcessEnd, RuntimeUnavailableError
from sweeper.local.sockets import listen_at
from sweeper.local.supervised import open_supervised
from tests.local.supervising import SECONDS, Ends, Place, a_place
from tests.support.builders import NOW

Reply: TypeAlias = Callable[[Mapping[str, Any]], bytes]


def known(asked: Mapping[str, Any], *pairs: object) -> bytes:
    """Return the answer of a supervisor that knows these keys."""
    return encode({"id": asked["id"], "known": list(pairs)})


class Answering(asyncio.Protocol):
    """One connection to a server that answers the n-th request with the n-th reply.

    An empty reply closes the connection. `closed` is set once it is.
    """

    def __init__(self, replies: Iterator[Reply], opened: list["Answering"]) -> None:
        self.closed = asyncio.Event()
        self._opened = opened
        self._replies = replies
        self._splitter = Splitter(1000)
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._opened.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        for asked in self._splitter.feed(data):
            if reply := next(self._replies)(asked):
                self.transport.write(reply)
            else:
                self.transport.close()


@asynccontextmanager
async def answering(*replies: Reply) -> AsyncIterator[Place]:
    """Serve a place with these replies."""
    left = iter(replies)
    opened: list[Answering] = []
    with a_place() as place:
        path = noted_socket(place.options)
        loop = asyncio.get_running_loop()
        async with await loop.create_unix_server(
            lambda: Answering(left, opened), sock=listen_at(path)
        ):
            yield place
            for connection in opened:
                connection.transport.abort()
                await connection.closed.wait()


ODD = {
    "no list": lambda asked: encode({"id": asked["id"], "known": 7}),
    "no pairs": lambda asked: known(asked, ["a"]),
    "no key": lambda asked: known(asked, [1, None]),
    "no end": lambda asked: known(asked, ["a", ["a", "now", 0]]),
    "nothing": lambda asked: encode({"id": asked["id"]}),
}


@pytest.mark.parametrize("reply", ODD.values(), ids=ODD.keys())
async def test_an_answer_that_tells_nothing_makes_it_unavailable(reply: Reply) -> None:
    async with answering(reply) as place:
        with pytest.raises(RuntimeUnavailableError, match="no answer from the supervisor: a"):
            async with open_supervised(place.options):
                pass


async def test_an_answer_that_tells_nothing_later_makes_the_call_unavailable() -> None:
    async with answering(known, ODD["no list"]) as place, open_supervised(place.options) as runtime:
        with pytest.raises(RuntimeUnavailableError, match="without what is known"):
            await runtime.known()


@pytest.mark.parametrize(
    "noise",
    [b"\xff\n", b"{}\n", b'{"end": [1, 2, 3]}\n', b'{"id": []}\n'],
    ids=["rubbish", "nothing", "no end", "odd id"],
)
async def test_what_nobody_understands_ends_the_connection_and_the_call_is_repeated(
    noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    replies = (known, lambda _: noise, known, lambda asked: known(asked, ["a", None]))

    async with answering(*replies) as place, open_supervised(place.options) as runtime:
        assert await runtime.known() == {"a": None}

    assert "the supervisor said what nobody understands" in caplog.text


async def test_an_end_told_twice_is_heard_once() -> None:
    end = ProcessEnd(key="a", at=NOW, exit_code=0)
    told = encode({"end": end_fields(end)})
    replies = (known, lambda asked: told + told + known(asked, ["a", end_fields(end)]))

    async with answering(*replies) as place, open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.known()

    assert ends.heard == [end]


async def test_an_end_told_while_the_connection_was_lost_is_caught_up_with() -> None:
    end = ProcessEnd(key="a", at=NOW, exit_code=0)
    replies = (known, lambda _: b"", lambda asked: known(asked, ["a", end_fields(end)]), known)

    async with answering(*replies) as place, open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.stop("a", 1)

        assert await ends.of("a") == end


async def test_a_refusal_of_an_unknown_kind_makes_the_call_unavailable() -> None:
    def refuse(asked: Mapping[str, Any]) -> bytes:
        return encode({"id": asked["id"], "error": "tired", "message": "not today"})

    async with answering(known, refuse) as place, open_supervised(place.options) as runtime:
        with pytest.raises(RuntimeUnavailableError, match="not today"):
            await runtime.stop("a", 1)


async def test_a_server_that_closes_every_connection_makes_the_call_unavailable() -> None:
    replies = (known, lambda _: b"") * 6

    async with answering(*replies) as place, open_supervised(place.options) as runtime:
        with pytest.raises(RuntimeUnavailableError, match="it closes every connection"):
            await runtime.stop("a", 1)


async def test_a_connection_lost_at_once_is_tried_again() -> None:
    async with (
        answering(lambda _: b"", lambda _: b"", known, known) as place,
        open_supervised(place.options) as runtime,
    ):
        assert await runtime.known() == {}


async def test_the_server_of_another_user_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sweeper.local.supervised.is_of_this_user", lambda _: False)
    monkeypatch.setattr("sweeper.local.supervised._CALL_SECONDS", 0.05)

    async with answering(known) as place:
        with pytest.raises(RuntimeUnavailableError):
            async with open_supervised(place.options):
                pass

    assert "is another user's" in caplog.text


async def test_trouble_with_a_new_connection_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    replies = (known, lambda _: b"", ODD["no list"], ODD["no list"], known, known)

    with caplog.at_level(logging.WARNING):
        async with answering(*replies) as place, open_supervised(place.options) as runtime:
            async with asyncio.timeout(SECONDS):
                await runtime.known()

    said = "no connection to the supervisor: an answer without what is known"
    assert caplog.messages.count(said) == 1


async def test_an_answer_to_a_call_that_was_given_up_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late: list[Mapping[str, Any]] = []

    def say_nothing(asked: Mapping[str, Any]) -> bytes:
        late.append(asked)
        return b" "  # space before the next message means nothing

    def answer_both(asked: Mapping[str, Any]) -> bytes:
        return known(late[0]) + known(asked)

    async with (
        answering(known, say_nothing, answer_both) as place,
        open_supervised(place.options) as runtime,
    ):
        monkeypatch.setattr("sweeper.local.supervised._CALL_SECONDS", 0.01)
        with pytest.raises(RuntimeUnavailableError):
            await runtime.known()
        monkeypatch.setattr("sweeper.local.supervised._CALL_SECONDS", SECONDS)

        assert await runtime.known() == {}
