"""What may be done to the daemon's own HTTP faces by whoever reaches their sockets."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from sweeper.objectives.parsing import parse_report
from sweeper.store.memory import MemoryStore
from sweeper.telemetry.metrics import Metrics
from sweeper.web import answers
from sweeper.web.reports import reports_app
from sweeper.web.serving import bind_tcp, bind_unix, serve
from sweeper.web.telemetry import telemetry_app
from tests.support.builders import NOW

TOKEN = "Authorization: Bearer good\r\n"
PARTS = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"


def probes() -> Starlette:
    metrics = Metrics(version="1", now=lambda: NOW)
    return telemetry_app(metrics.render, health=lambda: "", readiness=lambda: "")


def reports(store: MemoryStore) -> Starlette:
    return reports_app(
        store, parse=parse_report, is_token=lambda _, token: token == "good", now=lambda: NOW
    )


@asynccontextmanager
async def served() -> AsyncIterator[socket.socket]:
    """Serve probes and reports together at one address."""
    bound = bind_tcp("127.0.0.1", 0)
    app = Starlette(
        routes=[*probes().routes, *reports(MemoryStore()).routes],
        exception_handlers=dict(answers.EXCEPTION_HANDLERS),
    )
    async with serve(app, [bound]):
        yield bound


async def answer_to(bound: socket.socket, *parts: bytes) -> bytes:
    """Send bytes until the other side has had enough of them, and return what it says."""
    reader, writer = await asyncio.open_connection(*bound.getsockname()[:2])
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return (await reader.readuntil(b"\r\n")).strip()
    finally:
        writer.close()


async def is_well(bound: socket.socket) -> bool:
    said = await answer_to(bound, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    return said == b"HTTP/1.1 200 OK"


def post(headers: str, path: str = "/reports/0") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{TOKEN}{headers}\r\n".encode("latin-1")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (post("Content-Length: 100000000\r\n"), b"413"),
        (post("Content-Length: -1\r\n"), b"400"),
        (post("Content-Length: 1e3\r\n"), b"400"),
        (post("Content-Length: " + "9" * 30 + "\r\n"), b"400"),
        (post("Content-Length: 2\r\nContent-Length: 3\r\n") + b"{}", b"400"),
        (post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n", b"400"),
        (post("Transfer-Encoding: gzip\r\n"), b"400"),
        (post("X: a\x00b\r\n"), b"400"),
        (post("X: " + "a" * 100_000 + "\r\n"), b"400"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 100_000, b"400"),
        (b"GET /metrics\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    ],
    ids=[
        *("huge", "negative", "no number", "beyond all", "two lengths", "length and chunks"),
        *("coding", "nul", "long header", "no host", "long target", "escape"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(request_: bytes, said: bytes) -> None:
    async with served() as bound:
        answer = await answer_to(bound, request_)

        assert answer.split()[1] == said
        assert await is_well(bound)


async def test_a_body_without_end_is_refused_at_its_bound() -> None:
    async with served() as bound:
        answer = await answer_to(bound, post("Transfer-Encoding: chunked\r\n"), PARTS, PARTS)

        assert answer.split()[1] == b"413"
        assert await is_well(bound)


async def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "BODY_SECONDS", 0.01)

    async with served() as bound:
        answer = await answer_to(bound, post("Content-Length: 20\r\n"), b'{"loss"')

    assert answer.split()[1] == b"408"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE"])
@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/v1/wishes", "/v1/wishes", "/"])
async def test_nothing_can_be_written_at_the_address_of_the_metrics(method: str, path: str) -> None:
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(probes(), [bound]):
        answer = await answer_to(bound, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert answer.split()[1] in {b"404", b"405"}


@pytest.mark.parametrize(
    "token", ["", "Bearer bad", "Bearer", "Basic good", "good", "Bearer good\xff"]
)
async def test_reports_without_the_trials_token_are_refused(token: str) -> None:
    request = f"POST /reports/0 HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"

    async with served() as bound:
        answer = await answer_to(bound, f"{request}Content-Length: 0\r\n\r\n".encode("latin-1"))

    assert answer.split()[1] == b"401"


def test_a_unix_socket_is_private_before_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    monkeypatch.setattr(
        Path, "chmod", lambda path, _: modes.append(stat.S_IMODE(path.stat().st_mode))
    )
    before = os.umask(0)
    try:
        bind_unix(tmp_path / "s").close()
    finally:
        os.umask(before)

    assert modes == [0o600]
