import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sweeper.clock import pause
from sweeper.errors import SettingsError
from sweeper.runai.classify import OversizedError
from sweeper.runai.operations import Operation
from sweeper.runai.transport import (
    EXTENSION,
    BoundedTransport,
    Bounds,
    build_transport,
    tls_context,
)
from tests.runai.scripted import BASE_URL, Heard
from tests.runai.wire_server import Play, Wire, head, unused_port, wire_server


class SlowStream(httpx.AsyncByteStream):
    """Gives one part, then the next after a pause."""

    def __init__(self, parts: list[bytes], seconds: float) -> None:
        self.parts = parts
        self.seconds = seconds
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            await pause(self.seconds)
            yield part

    async def aclose(self) -> None:
        self.closed = True


class FakeTransport(httpx.AsyncBaseTransport):
    """Answers as it is told, after a pause, and notes what becomes of it."""

    def __init__(self, answer: Callable[[], httpx.Response], seconds: float = 0.0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.closed = False
        self.timeouts: list[dict[str, float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert not self.closed
        self.timeouts.append(request.extensions["timeout"])
        await pause(self.seconds)
        return self.answer()

    async def aclose(self) -> None:
        self.closed = True


def ok() -> httpx.Response:
    return httpx.Response(200, content=b"{}")


def full() -> httpx.Response:
    raise httpx.PoolTimeout("no place left")


async def get(
    client: httpx.AsyncClient, *, within: float = 15.0, max_bytes: int = 1000
) -> httpx.Response:
    deadline = asyncio.get_running_loop().time() + within
    bounds = Bounds(operation=Operation.GET, deadline=deadline, max_bytes=max_bytes)
    return await client.get("/", extensions={EXTENSION: bounds})


@asynccontextmanager
async def client_of(
    *transports: httpx.AsyncBaseTransport, keep: bool = False, base_url: str = BASE_URL
) -> AsyncIterator[tuple[httpx.AsyncClient, Heard]]:
    """Open a client over the transports, one after the other as they are given up."""
    left = list(transports)
    heard = Heard()
    bounded = BoundedTransport(lambda: left.pop(0), keep=keep, observer=heard.observer())
    async with httpx.AsyncClient(transport=bounded, base_url=base_url, trust_env=False) as client:
        yield client, heard


@asynccontextmanager
async def over_a_socket(*plays: Play) -> AsyncIterator[tuple[httpx.AsyncClient, Heard]]:
    async with (
        wire_server(*plays) as server,
        client_of(
            build_transport(tls_context()), build_transport(tls_context()), base_url=server.url
        ) as made,
    ):
        yield made


async def refuse_everything(wire: Wire) -> None:
    wire.reset()


async def close_unheard(wire: Wire) -> None:
    wire.writer.close()


async def cut_header(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    wire.writer.close()


async def cut_body(wire: Wire) -> None:
    await wire.send(head(100) + b'{"workloadId"')
    wire.writer.close()


async def reset_in_body(wire: Wire) -> None:
    await wire.send(head(100) + b'{"workloadId"')
    wire.reset()


async def garbage(wire: Wire) -> None:
    await wire.send(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n")


async def long_header(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000)
    wire.writer.close()


async def say_nothing(wire: Wire) -> None:
    await wire.hang()


async def stop_in_header(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\n")
    await wire.hang()


async def stop_in_body(wire: Wire) -> None:
    await wire.send(head(100) + b"{")
    await wire.hang()


async def endless_body(wire: Wire) -> None:
    await wire.send(head(None, headers="Transfer-Encoding: chunked\r\n"))
    while not wire.writer.is_closing():
        await wire.send(b"400\r\n" + b"a" * 1024 + b"\r\n")


async def gzip_bomb(wire: Wire) -> None:
    body = gzip.compress(b"a" * 10_000_000)
    await wire.answer(body, headers="Content-Encoding: gzip\r\n")


async def redirect(wire: Wire) -> None:
    headers = "Location: http://169.254.169.254/latest\r\nSet-Cookie: a=b\r\n"
    await wire.answer(b"", status="307 Temporary Redirect", headers=headers)


async def good(wire: Wire) -> None:
    await wire.answer(b"{}", headers="Retry-After: 7\r\nSet-Cookie: a=b\r\n")


@pytest.mark.parametrize(
    ("play", "error", "word"),
    [
        pytest.param(refuse_everything, httpx.ReadError, "network", id="reset"),
        pytest.param(close_unheard, httpx.RemoteProtocolError, "protocol", id="closed"),
        pytest.param(cut_header, httpx.RemoteProtocolError, "protocol", id="cut header"),
        pytest.param(cut_body, httpx.RemoteProtocolError, "protocol", id="cut body"),
        pytest.param(reset_in_body, httpx.ReadError, "network", id="reset in body"),
        pytest.param(garbage, httpx.RemoteProtocolError, "protocol", id="garbage"),
        pytest.param(long_header, httpx.RemoteProtocolError, "protocol", id="long header"),
        pytest.param(endless_body, OversizedError, "oversized", id="endless body"),
    ],
)
async def test_a_broken_answer_is_an_exception_and_counted(
    play: Play, error: type[Exception], word: str
) -> None:
    async with over_a_socket(play) as (client, heard):
        with pytest.raises(error):
            await get(client)

    assert heard.requests == [("get", word)]


@pytest.mark.parametrize("play", [say_nothing, stop_in_header, stop_in_body])
async def test_an_answer_that_does_not_come_ends_with_the_deadline(play: Play) -> None:
    # The first call makes the connection, so that the second can fail in no other way.
    async with over_a_socket(good, play) as (client, heard):
        await get(client)
        with pytest.raises(httpx.ReadTimeout):
            await get(client, within=0.1)

    assert heard.requests == [("get", "200"), ("get", "timeout")]


async def test_where_nothing_listens_there_is_no_connection() -> None:
    url = f"http://127.0.0.1:{unused_port()}"

    async with client_of(build_transport(tls_context()), base_url=url) as (client, heard):
        with pytest.raises(httpx.ConnectError):
            await get(client)

    assert heard.requests == [("get", "connect")]


async def test_a_server_without_tls_is_no_connection() -> None:
    async with wire_server(good, greeting=b"220 welcome to something else\r\n") as server:
        url = server.url.replace("http:", "https:")
        async with client_of(build_transport(tls_context()), base_url=url) as (client, heard):
            with pytest.raises(httpx.ConnectError, match="SSL"):
                await get(client)

    assert heard.requests == [("get", "connect")]


async def test_a_compressed_body_is_left_as_it_is() -> None:
    async with over_a_socket(gzip_bomb) as (client, _):
        response = await get(client, max_bytes=1_000_000)

    assert response.content.startswith(b"\x1f\x8b")
    assert len(response.content) < 100_000


async def test_a_redirect_is_an_answer_like_any_other_and_leads_nowhere() -> None:
    async with over_a_socket(redirect) as (client, heard):
        response = await get(client)

    assert response.status_code == 307
    assert response.next_request is None
    assert heard.requests == [("get", "307")]


async def test_no_cookie_is_kept() -> None:
    async with over_a_socket(good) as (client, _):
        response = await get(client)

    assert dict(client.cookies) == {}
    assert response.headers["retry-after"] == "7"
    assert "set-cookie" not in response.headers


async def odd_headers(wire: Wire) -> None:
    await wire.answer(b"{}", headers="Retry-After: bald, spätestens um 7\r\nDate: \u202e\r\n")


async def test_headers_that_are_no_ascii_break_nothing() -> None:
    async with over_a_socket(odd_headers) as (client, heard):
        response = await get(client)

    assert response.headers["retry-after"] == "bald, spätestens um 7"
    assert heard.requests == [("get", "200")]


async def test_connections_are_used_again() -> None:
    async with (
        wire_server(good) as server,
        client_of(build_transport(tls_context()), base_url=server.url) as (client, heard),
    ):
        for _ in range(3):
            await get(client)

    assert heard.requests == [("get", "200")] * 3
    assert len(server.requests) == 3


@pytest.mark.parametrize("size", [1000, 1001], ids=["just", "one more"])
async def test_a_body_may_have_as_many_bytes_as_allowed(size: int) -> None:
    answer = httpx.Response(200, content=b"a" * size)

    async with client_of(FakeTransport(lambda: answer)) as (client, _):
        if size == 1000:
            assert len((await get(client)).content) == 1000
        else:
            with pytest.raises(OversizedError):
                await get(client)


@pytest.mark.looptime
async def test_a_body_that_drips_is_cut_off_at_the_deadline() -> None:
    stream = SlowStream([b"a"] * 1000, seconds=4.0)
    slow = FakeTransport(lambda: httpx.Response(200, stream=stream))

    async with client_of(slow, FakeTransport(ok)) as (client, heard):
        with pytest.raises(httpx.ReadTimeout, match="deadline"):
            await get(client)
        assert asyncio.get_running_loop().time() == 15.0
        assert (await get(client)).status_code == 200

    assert heard.requests == [("get", "timeout"), ("get", "200")]
    assert stream.closed
    assert slow.closed


@pytest.mark.looptime
async def test_a_head_that_does_not_come_is_cut_off_at_the_deadline() -> None:
    slow = FakeTransport(ok, seconds=60.0)

    async with client_of(slow, FakeTransport(ok)) as (client, _):
        with pytest.raises(httpx.ReadTimeout):
            await get(client)

        assert asyncio.get_running_loop().time() == 15.0


@pytest.mark.looptime
async def test_the_timeouts_of_httpx_end_a_call_before_its_deadline_does() -> None:
    fake = FakeTransport(ok)

    async with client_of(fake) as (client, _):
        await get(client, within=15.0)
        await get(client, within=1.0)

    assert fake.timeouts[0] == pytest.approx(
        {"connect": 5.0, "pool": 5.0, "read": 14.25, "write": 14.25}
    )
    assert fake.timeouts[1]["connect"] == pytest.approx(0.95)


async def test_without_time_left_nothing_is_sent() -> None:
    fake = FakeTransport(ok)

    async with client_of(fake) as (client, heard):
        with pytest.raises(httpx.ConnectTimeout):
            await get(client, within=0.0)

    assert fake.timeouts == []
    assert heard.requests == [("get", "connect")]


async def test_a_pool_without_a_place_is_replaced() -> None:
    sick, fresh = FakeTransport(full), FakeTransport(ok)

    async with client_of(sick, fresh) as (client, heard):
        with pytest.raises(httpx.PoolTimeout):
            await get(client)
        await get(client)
        assert sick.closed

    assert heard.requests == [("get", "pool"), ("get", "200")]


async def test_a_transport_to_keep_is_kept() -> None:
    answers = iter([full, ok])

    def one_of_them() -> httpx.Response:
        return next(answers)()

    kept = FakeTransport(one_of_them)

    async with client_of(kept, keep=True) as (client, _):
        with pytest.raises(httpx.PoolTimeout):
            await get(client)
        assert (await get(client)).status_code == 200


@pytest.mark.looptime
async def test_a_cancelled_call_costs_the_pool_its_trust_and_others_nothing() -> None:
    slow, fresh = FakeTransport(ok, seconds=5.0), FakeTransport(ok)

    async with client_of(slow, fresh) as (client, heard), asyncio.TaskGroup() as group:
        first = group.create_task(get(client), name="first")
        second = group.create_task(get(client), name="second")
        await pause(1.0)
        first.cancel()
        await pause(0.0)
        await get(client)
        assert not slow.closed
        assert (await second).status_code == 200
        await get(client)
        assert slow.closed

    words = [status for _, status in heard.requests]
    assert words == ["cancelled", "200", "200", "200"]


@pytest.mark.looptime
async def test_closing_the_client_closes_every_transport() -> None:
    slow, fresh = FakeTransport(ok, seconds=5.0), FakeTransport(ok)

    async with client_of(slow, fresh) as (client, _), asyncio.TaskGroup() as group:
        first = group.create_task(get(client), name="first")
        group.create_task(get(client), name="second")
        await pause(1.0)
        first.cancel()
        await pause(0.0)
        await get(client)
        await client.aclose()
        assert (slow.closed, fresh.closed) == (True, True)


async def test_an_exception_that_httpx_does_not_know_is_counted_too() -> None:
    def broken() -> httpx.Response:
        raise KeyError("a")

    async with client_of(FakeTransport(broken)) as (client, heard):
        with pytest.raises(KeyError):
            await get(client)

    assert heard.requests == [("get", "error")]


def test_tls_is_verified_and_not_of_old() -> None:
    context = tls_context()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_no_key_log_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    assert not tls_context().keylog_filename


def test_a_ca_file_takes_the_place_of_the_usual_authorities(tmp_path: Path) -> None:
    usual = tls_context().get_ca_certs(binary_form=True)
    file = tmp_path / "ca.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(usual[0]))

    context = tls_context(file)

    assert context.get_ca_certs(binary_form=True) == usual[:1]
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["none", "empty", "text"])
def test_a_ca_file_without_certificates_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match=r"CA file .*ca\.pem"):
        tls_context(file)
