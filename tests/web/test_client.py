import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sweeper.errors import DaemonGoneError, StoreError, UserError
from sweeper.store.memory import MemoryStore
from sweeper.web.client import VerbsClient
from sweeper.web.serving import bind_unix, serve
from sweeper.web.verbs import verbs_app
from tests.support.builders import NOW
from tests.web.verbs import a_store


@pytest.fixture
async def store() -> MemoryStore:
    return await a_store()


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[VerbsClient]:
    async with VerbsClient.in_process(verbs_app(store, now=lambda: NOW)) as client:
        yield client


def answering(answer: httpx.Response | Exception) -> VerbsClient:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return VerbsClient(httpx.MockTransport(respond))


async def test_every_question_has_an_answer(client: VerbsClient) -> None:
    assert (await client.sweep())["sweep"]["name"] == "demo"
    assert len((await client.trials(states=["failed", "held"]))["trials"]) == 1
    assert len((await client.trials())["trials"]) == 3
    assert (await client.trial(1))["trial"]["trial"] == 1
    assert (await client.curve(1, limit=1))["total"] == 2
    assert len((await client.events())["events"]) == 3
    assert len((await client.events(trial=2, after=0, limit=5))["events"]) == 1
    assert len((await client.results())["results"]) == 3


async def test_all_results_come_page_by_page() -> None:
    store = await a_store(trials=1500)

    async with VerbsClient.in_process(verbs_app(store, now=lambda: NOW)) as client:
        numbers = [row["trial"] async for row in client.all_results()]

    assert numbers == list(range(1500))


async def test_a_wish_gives_its_number(client: VerbsClient, store: MemoryStore) -> None:
    numbers = [await client.wish("pause"), await client.wish("cancel", 1)]

    assert numbers == [1, 2]
    assert [wish.trial for wish in await store.wishes()] == [None, 1]


async def test_a_refusal_is_told_to_the_user(client: VerbsClient) -> None:
    with pytest.raises(UserError, match="trial 9 was not submitted yet"):
        await client.trial(9)


async def test_a_daemon_is_asked_over_its_socket(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "s"
    woken = asyncio.Event()
    app = verbs_app(store, now=lambda: NOW, on_wish=woken.set)

    async with serve(app, [bind_unix(path)]), VerbsClient.at_socket(path) as client:
        found = await client.sweep()
        await client.wish("cancel")

    assert found["sweep"]["name"] == "demo"
    assert woken.is_set()


async def test_a_socket_without_a_daemon_is_told_from_a_refusal(tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    bind_unix(stale).close()

    for path in (stale, tmp_path / "missing"):
        async with VerbsClient.at_socket(path) as client:
            with pytest.raises(DaemonGoneError, match="does not answer"):
                await client.sweep()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.ReadTimeout(""), DaemonGoneError, id="silence"),
        pytest.param(httpx.Response(200, content=b"<html>"), DaemonGoneError, id="no json"),
        pytest.param(httpx.Response(200, json=[1]), DaemonGoneError, id="no object"),
        pytest.param(httpx.Response(200, content=b"[" * 9000), DaemonGoneError, id="deep"),
        pytest.param(httpx.Response(503, json={"error": "disk full"}), StoreError, id="store"),
        pytest.param(httpx.Response(404, json={}), UserError, id="refused without words"),
    ],
)
async def test_every_answer_has_its_error(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    async with answering(answer) as client:
        with pytest.raises(error, match=r".+"):
            await client.sweep()


async def test_a_page_that_is_not_ours_ends_the_results() -> None:
    async with answering(httpx.Response(200, json={"results": None, "next": "x"})) as client:
        assert [row async for row in client.all_results()] == []


async def test_an_answer_to_a_wish_without_its_number_is_not_ours() -> None:
    async with answering(httpx.Response(201, json={"wish": "many"})) as client:
        with pytest.raises(DaemonGoneError):
            await client.wish("pause")
