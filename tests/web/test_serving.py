import asyncio
import signal
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sweeper.web import serving
from sweeper.web.serving import bind_tcp, bind_unix, serve


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


@pytest.fixture
async def direct() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        yield client


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://{host}:{port}/"


async def test_requests_are_answered_from_the_moment_it_is_entered(
    direct: httpx.AsyncClient,
) -> None:
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        answer = await direct.get(url_of(bound))

    assert answer.text == "hello"
    assert "server" not in answer.headers


async def test_nobody_listens_once_it_is_left(direct: httpx.AsyncClient) -> None:
    bound = bind_tcp("127.0.0.1", 0)
    url = url_of(bound)

    async with serve(APP, [bound]):
        pass

    with pytest.raises(httpx.ConnectError):
        await direct.get(url)
    assert bound.fileno() == -1


async def test_the_port_is_free_again_at_once() -> None:
    bound = bind_tcp("127.0.0.1", 0)
    port = bound.getsockname()[1]
    async with serve(APP, [bound]):
        pass

    bind_tcp("127.0.0.1", port).close()


async def test_signals_stay_as_they_are() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    async with serve(APP, [bind_tcp("127.0.0.1", 0)]):
        within = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    assert within == before


async def test_one_app_answers_at_several_sockets(
    direct: httpx.AsyncClient, tmp_path: Path
) -> None:
    tcp, unix = bind_tcp("127.0.0.1", 0), bind_unix(tmp_path / "s")
    over_unix = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(tmp_path / "s")))

    async with serve(APP, [tcp, unix]), over_unix:
        answers = [await direct.get(url_of(tcp)), await over_unix.get("http://sweeper/")]

    assert [answer.text for answer in answers] == ["hello", "hello"]


async def test_an_error_within_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with serve(APP, [bind_tcp("127.0.0.1", 0)]):
            raise KeyError("mine")


class Endless:
    """An app whose answers never come; `asked` is set once a request has arrived."""

    def __init__(self, *, begins: bool = False) -> None:
        self.asked = asyncio.Event()
        self._begins = begins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        self.asked.set()
        await asyncio.Event().wait()


async def test_a_cancelled_server_answers_what_it_was_asked_and_closes_its_sockets(
    direct: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    app, entered, bound = Endless(), asyncio.Event(), bind_tcp("127.0.0.1", 0)
    url = url_of(bound)

    async def server() -> None:
        async with serve(app, [bound]):
            entered.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        ending = group.create_task(server())
        await entered.wait()
        asking = group.create_task(direct.get(url))
        await app.asked.wait()
        ending.cancel()

    assert (asking.result().status_code, asking.result().text) == (503, "the daemon is ending\n")
    assert bound.fileno() == -1
    assert caplog.records == []


async def test_a_request_that_does_not_end_holds_up_no_shutdown(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serving, "SHUTDOWN_GRACE", 0)
    app, bound = Endless(), bind_tcp("127.0.0.1", 0)
    url = url_of(bound)

    async with asyncio.TaskGroup() as group, serve(app, [bound]):
        asking = group.create_task(direct.get(url))
        await app.asked.wait()

    assert asking.result().status_code == 503
    assert [record.exc_info for record in caplog.records] == [None]


async def test_an_answer_that_has_begun_is_cut_at_the_end(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "SHUTDOWN_GRACE", 0)
    app, bound = Endless(begins=True), bind_tcp("127.0.0.1", 0)
    url = url_of(bound)

    async def ask() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await direct.get(url)

    async with asyncio.TaskGroup() as group, serve(app, [bound]):
        group.create_task(ask())
        await app.asked.wait()

    assert bound.fileno() == -1


async def test_rubbish_is_refused_without_a_word_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"\x16\x03\x01 rubbish \x00\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400")
    assert caplog.records == []


async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SILENCE_BOUND", 0)
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        answer = await reader.read()
        writer.close()

    assert answer == b""


async def test_a_connection_that_spoke_is_left_alone(
    direct: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[serving._Protocol] = []
    making = serving._Protocol.connection_made

    def observed(protocol: serving._Protocol, transport: asyncio.Transport) -> None:
        made.append(protocol)
        making(protocol, transport)

    monkeypatch.setattr(serving._Protocol, "connection_made", observed)
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        await direct.get(url_of(bound))
        made[0]._close_if_silent(None)
        answer = await direct.get(url_of(bound))

    assert answer.text == "hello"
    assert len(made) == 1


async def test_half_a_head_after_an_answer_holds_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "SILENCE_BOUND", 0.1)
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.readuntil(b"hello")
        writer.write(b"GET / HT")
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200 OK")


async def test_requests_sent_at_once_are_all_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        monkeypatch.setattr(serving, "SILENCE_BOUND", 0)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        answers = await reader.read()
        writer.close()

    assert answers.count(b"200 OK") == 3


async def test_connections_beyond_the_bound_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CONNECTIONS_BOUND", 1)
    bound = bind_tcp("127.0.0.1", 0)

    async with serve(APP, [bound]):
        _, first = await asyncio.open_connection(*bound.getsockname())
        reader, second = await asyncio.open_connection(*bound.getsockname())
        answer = await reader.read()
        first.close()
        second.close()

    assert answer == b""


def test_a_taken_port_is_an_error() -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        taken.listen()

        with pytest.raises(OSError, match="in use"):
            bind_tcp("127.0.0.1", taken.getsockname()[1])


def test_a_host_that_is_none_is_an_error() -> None:
    with pytest.raises(OSError, match=r".+"):
        bind_tcp("256.0.0.1.invalid", 0)


def test_only_the_owner_may_open_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"

    with bind_unix(path):
        mode = stat.S_IMODE(path.stat().st_mode)

    assert mode == 0o600


def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    bind_unix(path).close()

    with bind_unix(path) as bound:
        bound.listen()

        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_socket_in_use_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"

    with bind_unix(path) as taken:
        taken.listen()

        with pytest.raises(OSError, match="in use"):
            bind_unix(path)


def test_a_file_in_the_place_of_a_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")

    with pytest.raises(OSError, match="in use"):
        bind_unix(path)

    assert path.read_text() == "precious"


def test_a_socket_that_cannot_be_asked_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    bind_unix(path).close()

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(serving, "_connect", refuse)

    with pytest.raises(OSError, match="in use"):
        bind_unix(path)


def test_a_path_too_long_for_a_socket_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        bind_unix(tmp_path / ("x" * 200))

    assert list(tmp_path.iterdir()) == []
