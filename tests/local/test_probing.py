import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sweeper.local.probing import ask_http, ready_at_once, watch
from sweeper.local.spec_reading import Readiness


class Script:
    """Answers probes one after the other, then ends the watch."""

    def __init__(self, answers: str) -> None:
        self.answers = list(answers)
        self.asked_at: list[float] = []

    async def ask(self, readiness: Readiness) -> bool:
        self.asked_at.append(asyncio.get_running_loop().time())
        if not self.answers:
            raise asyncio.CancelledError
        return self.answers.pop(0) == "+"


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("answers", "reports"),
    [
        ("+", [True]),
        ("-+", [True]),
        ("+--", [True]),
        ("+---", [True, False]),
        ("+--+---+", [True, False, True]),
    ],
)
async def test_thresholds_decide_what_is_reported(answers: str, reports: list[bool]) -> None:
    script, found = Script(answers), list[bool]()
    readiness = Readiness(url="", initial_delay=5, period=2, failures=3)

    with pytest.raises(asyncio.CancelledError):
        await watch(readiness, script.ask, found.append, is_ready=False)

    assert found == reports
    assert script.asked_at == [5 + 2 * number for number in range(len(answers) + 1)]


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[str]:
    """Serve one answer to everybody; None never answers."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await done.wait()
        else:
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        done.set()


@pytest.mark.parametrize(
    ("status", "is_good"), [(200, True), (302, True), (399, True), (404, False), (500, False)]
)
async def test_a_status_from_200_to_399_is_good(status: int, is_good: bool) -> None:
    text = f"HTTP/1.1 {status} X\r\nlocation: http://nowhere.invalid/\r\ncontent-length: 0\r\n\r\n"

    async with server(text.encode()) as url:
        assert await ask_http(Readiness(url=url)) is is_good


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "http://[bad/", "http://x:99999999/"]
)
async def test_who_cannot_be_asked_is_not_ready(url: str) -> None:
    assert await ask_http(Readiness(url=url)) is False


@pytest.mark.parametrize("answer", [b"hello\r\n\r\n", None])
async def test_who_says_nothing_in_time_is_not_ready(answer: bytes | None) -> None:
    async with server(answer) as url:
        assert await ask_http(Readiness(url=url, timeout=0.05)) is False


async def test_a_simulated_process_is_ready_at_once() -> None:
    assert await ready_at_once(Readiness(url=""))
