import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sweeper.errors import AmbiguousError, AuthError, NotSentError, SettingsError, TransientError
from sweeper.ports import TrainingRequest
from sweeper.runai.gate import SLOTS
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.tokens import Credentials, FixedToken, TokenVersion
from tests.runai.scripted import SECRET, WORKLOAD_ID, Heard, Script, bearers, numbered_tokens
from tests.runai.wire_server import Play, Wire, WireServer, unused_port, wire_server

CREDENTIALS = Credentials(client_id="sweeper", secret=lambda: SECRET)
FIXED = FixedToken(token=lambda: "fixed")
TRAININGS = "/api/v1/workloads/trainings"
REQUEST = TrainingRequest(name="swp-a-0-1", project_id="12", cluster_id="c", spec={})
ANSWER = {
    "name": "swp-a-0-1",
    "workloadId": WORKLOAD_ID,
    "projectId": "12",
    "actualPhase": "Running",
    "desiredPhase": "Running",
}


def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(script: Script, **changes: object) -> Address:
    values = {
        "base_url": "http://127.0.0.1",
        "credentials": CREDENTIALS,
        "transport": httpx.MockTransport(script),
        **changes,
    }
    return Address(**values)  # type: ignore[arg-type] # each has its own type


def over(server: WireServer) -> Address:
    return Address(base_url=server.url, credentials=FIXED, deadline_seconds=5.0)


async def test_a_connection_reaches_the_trainings_of_a_project() -> None:
    script = Script().on("/api/v2/token", numbered_tokens(life=100.0))
    script.on(f"{TRAININGS}/{WORKLOAD_ID}", httpx.Response(200, json=ANSWER))
    heard = Heard()

    async with open_runai(
        at(script), now=now, rng=random.Random(7), observer=heard.observer()
    ) as connection:
        before = connection.token_expires_in
        found = await connection.control_plane("12").get(WORKLOAD_ID)
        after = connection.token_expires_in

    assert found.workload_id == WORKLOAD_ID
    assert before is None
    assert after is not None
    assert 0 < after <= 100.0
    assert heard.requests == [("token", "200"), ("get", "200")]
    assert script.requests[-1].headers["accept-encoding"] == "identity"


async def test_names_are_looked_up_over_the_same_connection() -> None:
    script = Script().on("/api/v2/token", numbered_tokens())
    script.on("/api/v1/clusters", httpx.Response(200, json=[{"uuid": "u", "name": "n"}]))

    async with open_runai(at(script), now=now, rng=random.Random(7)) as connection:
        assert await connection.directory.resolve_cluster("n") == "u"


async def test_a_control_plane_inside_this_process_is_reached_in_the_same_way() -> None:
    async def clusters(request: Request) -> JSONResponse:
        return JSONResponse([{"uuid": request.headers["authorization"], "name": "n"}])

    app = Starlette(routes=[Route("/api/v1/clusters", clusters)])
    address = Address(
        base_url="http://sweeper.local", credentials=FIXED, transport=httpx.ASGITransport(app=app)
    )

    async with open_runai(address, now=now, rng=random.Random(7)) as connection:
        assert await connection.directory.resolve_cluster("n") == "Bearer fixed"


async def test_the_chosen_token_call_is_made() -> None:
    script = Script().on("/api/v1/token", httpx.Response(200, json={"accessToken": "one"}))
    script.on("/api/v1/clusters", httpx.Response(200, json=[{"uuid": "u", "name": "n"}]))
    address = at(script, token_version=TokenVersion.V1)

    async with open_runai(address, now=now, rng=random.Random(7)) as connection:
        await connection.directory.resolve_cluster("n")

    assert script.paths() == ["/api/v1/token", "/api/v1/clusters"]


async def test_a_fixed_token_needs_no_token_call() -> None:
    script = Script().on("/api/v1/clusters", httpx.Response(200, json=[{"uuid": "u", "name": "n"}]))

    async with open_runai(
        at(script, credentials=FIXED), now=now, rng=random.Random(7)
    ) as connection:
        await connection.directory.resolve_cluster("n")

    assert bearers(script.requests) == ["fixed"]


async def test_a_project_id_that_cannot_be_one_is_refused() -> None:
    async with open_runai(at(Script()), now=now, rng=random.Random(7)) as connection:
        with pytest.raises(SettingsError):
            connection.control_plane("1,2")


@pytest.mark.parametrize(
    "address",
    [
        Address(base_url="http://runai.example.com", credentials=FIXED),
        Address(base_url="https://a.example/path", credentials=FIXED),
        Address(base_url="https://a.example", credentials=FIXED, ca_file=Path("none.pem")),
    ],
    ids=["http", "path", "no CA file"],
)
async def test_an_address_that_cannot_be_used_is_refused_before_anything_is_sent(
    address: Address,
) -> None:
    with pytest.raises(SettingsError):
        async with open_runai(address, now=now, rng=random.Random(7)):
            pytest.fail("it was opened")


async def test_ambient_proxies_and_credentials_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async with (
        wire_server(answer_cluster) as server,
        open_runai(over(server), now=now, rng=random.Random(7)) as connection,
    ):
        await connection.directory.resolve_cluster("n")

    assert b"Authorization: Bearer fixed\r\n" in server.requests[0]


async def answer_cluster(wire: Wire) -> None:
    await wire.answer(b'[{"uuid": "u", "name": "n"}]')


async def reset(wire: Wire) -> None:
    wire.reset()


async def close(wire: Wire) -> None:
    wire.writer.close()


async def cut(wire: Wire) -> None:
    await wire.send(b'HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n{"workloadId": "8f')
    wire.writer.close()


async def answer_html(wire: Wire) -> None:
    await wire.answer(b"<html>accepted</html>", status="202 Accepted")


async def answer_nothing(wire: Wire) -> None:
    await wire.answer(b"", status="202 Accepted")


async def redirect(wire: Wire) -> None:
    await wire.answer(b"", status="307 Temporary Redirect", headers="Location: /elsewhere\r\n")


async def answer_999(wire: Wire) -> None:
    await wire.answer(b"", status="999 What")


async def answer_503_after_the_fact(wire: Wire) -> None:
    await wire.answer(b"", status="503 Service Unavailable")


UNPLAIN = [reset, close, cut, redirect, answer_999, answer_503_after_the_fact]


@pytest.mark.parametrize("play", [*UNPLAIN, answer_html, answer_nothing])
async def test_whatever_breaks_a_create_leaves_it_open_and_sent_once(play: Play) -> None:
    async with (
        wire_server(play) as server,
        open_runai(over(server), now=now, rng=random.Random(7)) as connection,
    ):
        with pytest.raises(AmbiguousError):
            await connection.control_plane("12").create(REQUEST)

    assert len(server.requests) == 1
    assert server.requests[0].startswith(b"POST /api/v1/workloads/trainings HTTP/1.1\r\n")


async def test_a_create_that_finds_nobody_was_not_sent() -> None:
    address = Address(base_url=f"http://127.0.0.1:{unused_port()}", credentials=FIXED)

    async with open_runai(address, now=now, rng=random.Random(7)) as connection:
        with pytest.raises(NotSentError, match="create: no connection"):
            await connection.control_plane("12").create(REQUEST)


async def test_a_wrong_token_over_the_wire_is_an_auth_error() -> None:
    async def refuse(wire: Wire) -> None:
        await wire.answer(b'{"message": "Issuer is not familiar."}', status="401 Unauthorized")

    async with (
        wire_server(refuse) as server,
        open_runai(over(server), now=now, rng=random.Random(7)) as connection,
    ):
        with pytest.raises(AuthError, match="Issuer is not familiar"):
            await connection.control_plane("12").suspend(WORKLOAD_ID)


async def test_many_calls_at_once_share_a_few_connections() -> None:
    async with (
        wire_server(answer_cluster) as server,
        open_runai(over(server), now=now, rng=random.Random(7)) as connection,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(100):
            group.create_task(connection.directory.resolve_cluster("n"), name="call")

    assert len(server.requests) == 100
    assert server.connections <= SLOTS


async def test_calls_that_are_cancelled_cost_later_ones_no_connection() -> None:
    waiting = asyncio.Semaphore(0)

    async def hang(wire: Wire) -> None:
        waiting.release()
        await wire.hang()

    async with (
        wire_server(*[hang] * SLOTS * 2, answer_cluster) as server,
        open_runai(over(server), now=now, rng=random.Random(7)) as connection,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(2):
            calls = [
                group.create_task(connection.directory.resolve_cluster("n"), name="call")
                for _ in range(SLOTS)
            ]
            for _ in calls:
                await waiting.acquire()
            for call in calls:
                call.cancel()
        for _ in range(SLOTS):
            group.create_task(connection.directory.resolve_cluster("n"), name="call")

    assert len(server.requests) == SLOTS * 3


async def test_an_answer_that_never_comes_costs_a_read_its_deadline_only() -> None:
    async def hang(wire: Wire) -> None:
        await wire.hang()

    async with wire_server(hang) as server:
        address = Address(base_url=server.url, credentials=FIXED, deadline_seconds=0.05)
        async with open_runai(address, now=now, rng=random.Random(7)) as connection:
            with pytest.raises(TransientError):
                await connection.control_plane("12").get(WORKLOAD_ID)
