"""Answers that break over a real connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sweeper.clock import utc_now
from sweeper.local.faults.plan import Cut, Drop, Empty, Fault, Garbage, Slow, Status
from sweeper.web.serving import bind_tcp, serve
from tests.local.faults.faulty import Faulty, always, faulty
from tests.local.planes import TRAININGS, creation


@asynccontextmanager
async def connected(folder: Path, fault: Fault) -> AsyncIterator[tuple[httpx.AsyncClient, Faulty]]:
    plan = always(fault, "create", "list")
    async with faulty(folder, plan, now=utc_now) as here:
        plane = here.client.plane
        assert plane is not None
        socket = bind_tcp("127.0.0.1", 0)
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        async with (
            serve(plane.app, [socket]),
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
        ):
            form = {"clientId": plane.client_id, "clientSecret": plane.client_secret}
            token = (await http.post("/api/v1/token", json=form)).json()["accessToken"]
            http.headers["Authorization"] = f"Bearer {token}"
            yield http, here


async def count(http: httpx.AsyncClient) -> int:
    return int((await http.get("/api/v1/workloads/count")).json()["count"])


@pytest.mark.parametrize(
    ("fault", "created"),
    [
        pytest.param(Drop(), 0, id="drop before"),
        pytest.param(Drop(when="after"), 1, id="drop after"),
        pytest.param(Cut(), 1, id="cut"),
    ],
)
async def test_a_connection_ends_early(tmp_path: Path, fault: Fault, created: int) -> None:
    async with connected(tmp_path, fault) as (http, _):
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(TRAININGS, json=creation())

        assert await count(http) == created


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        pytest.param(Empty(), 202, b"", id="empty"),
        pytest.param(Garbage(), 202, b'{"workloadId": "5eeb\xff\x00 upstream', id="garbage"),
        pytest.param(Status(body="empty"), 503, b"", id="status"),
    ],
)
async def test_a_wrong_answer_is_whole(
    tmp_path: Path, fault: Fault, status: int, body: bytes
) -> None:
    async with connected(tmp_path, fault) as (http, _):
        answer = await http.post(TRAININGS, json=creation())

        assert (answer.status_code, answer.content) == (status, body)


async def test_a_page_of_a_gateway_comes_as_html(tmp_path: Path) -> None:
    async with connected(tmp_path, Status(status=502, body="html", retry_after=3)) as (http, _):
        answer = await http.get("/api/v1/workloads")

        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["retry-after"] == "3"
        assert answer.text.startswith("<html>")


async def test_a_slow_body_comes_piece_by_piece(tmp_path: Path) -> None:
    async with (
        connected(tmp_path, Slow(seconds=0.01)) as (http, _),
        http.stream("GET", "/api/v1/workloads") as answer,
    ):
        pieces = [piece async for piece in answer.aiter_raw()]

    assert len(pieces) > 1
    assert b"".join(pieces) == b'{"workloads":[]}'
