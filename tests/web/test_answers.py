import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from sweeper.errors import StoreError, StoreLockedError
from sweeper.web.answers import EXCEPTION_HANDLERS, JsonAnswer, bounded_body, refused
from tests.web.calling import calling


async def echo(request: Request) -> Response:
    return Response(await bounded_body(request, 10))


def an_app() -> Starlette:
    return Starlette(
        routes=[Route("/", echo, methods=["POST"])], exception_handlers=dict(EXCEPTION_HANDLERS)
    )


async def test_a_body_within_its_bound_comes_whole() -> None:
    async with calling(an_app()) as client:
        answer = await client.post("/", content=b"x" * 10)

    assert answer.content == b"x" * 10


async def in_pieces() -> AsyncIterator[bytes]:
    for _ in range(11):
        yield b"x"


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param(b"x" * 11, {}, id="declared"),
        pytest.param(b"", {"Content-Length": "9" * 4000}, id="absurd"),
    ],
)
async def test_a_larger_body_is_refused(content: bytes, headers: dict[str, str]) -> None:
    async with calling(an_app()) as client:
        answer = await client.post("/", content=content, headers=headers)

    assert answer.status_code == 413
    assert answer.json() == {"error": "the body may have 10 bytes"}


async def test_a_body_that_hides_its_size_is_refused_at_its_bound() -> None:
    async with calling(an_app()) as client:
        answer = await client.post("/", content=in_pieces())

    assert answer.status_code == 413


@pytest.mark.looptime
async def test_a_body_that_does_not_come_is_given_up() -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with calling(an_app()) as client:
        answer = await client.post("/", content=never(), timeout=None)

    assert answer.status_code == 408


async def test_a_body_that_is_cut_is_refused() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)

    with pytest.raises(HTTPException, match="cut"):
        await bounded_body(request, 10)


@pytest.mark.parametrize("error", [StoreError("secret place"), StoreLockedError("secret place")])
async def test_an_unusable_store_is_said_without_its_place(error: StoreError) -> None:
    async def broken(_: Request) -> Response:
        raise error

    app = Starlette(routes=[Route("/", broken)], exception_handlers=dict(EXCEPTION_HANDLERS))
    async with calling(app) as client:
        answer = await client.get("/")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "secret" not in answer.text


async def test_what_there_is_not_is_said_in_json() -> None:
    async with calling(an_app()) as client:
        answers: list[httpx.Response] = [await client.get("/"), await client.get("/x")]

    assert [answer.status_code for answer in answers] == [405, 404]
    assert answers[0].headers["allow"] == "POST"
    assert all(answer.json()["error"] for answer in answers)


def test_json_holds_whatever_text_there_is() -> None:
    answer = JsonAnswer({"text": "\ud800 \x00 é", "large": 10**40})

    assert json.loads(bytes(answer.body)) == {"text": "\ud800 \x00 é", "large": 10**40}


def test_a_refusal_has_words_and_headers() -> None:
    answer = refused(401, "no", {"WWW-Authenticate": "Bearer"})

    assert bytes(answer.body) == b'{"error":"no"}'
    assert answer.headers["www-authenticate"] == "Bearer"
