import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from sweeper.domain.record import Report
from sweeper.errors import ReportError, StoreError
from sweeper.objectives.files import ReportFiles
from sweeper.objectives.parsing import parse_report
from sweeper.objectives.tokens import is_token, token_for
from sweeper.reporting import _Reporter
from sweeper.store.memory import MemoryStore
from sweeper.web.reports import BODY_BOUND, Heard, ParseReport, reports_app
from sweeper.web.serving import bind_tcp, serve
from tests.support.builders import NOW, a_sweep, a_trial
from tests.web.calling import calling

TOKEN = {"Authorization": "Bearer token-of-0"}


class Store(MemoryStore):
    """Counts transactions, and fails as often as asked."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Sequence[Report]] = []
        self.failures: list[BaseException] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.expected = asyncio.Event()

    async def add_reports(self, reports: Sequence[Report]) -> int:
        self.batches.append(list(reports))
        await self.is_open.wait()
        if self.failures:
            raise self.failures.pop(0)
        return await super().add_reports(reports)


def a_parser(store: Store) -> ParseReport:
    """Parse a number, and tell the store when the twentieth report is on its way to it."""
    count = itertools.count(1)

    def counted(trial: int, content: bytes, key: str | None, at: datetime) -> Report:
        if next(count) == 20:
            store.expected.set()
        return parse(trial, content, key, at)

    return counted


def parse(trial: int, content: bytes, key: str | None, at: datetime) -> Report:
    if content == b"bad":
        raise ReportError("this is no report")
    return Report(trial=trial, key=key or "none", at=at, values={"loss": float(content)})


def telling(heard: list[str]) -> Heard:
    return Heard(
        written=lambda reports, new: heard.append(f"{new} of {len(reports)} new"),
        refused=lambda: heard.append("refused"),
    )


def an_app(store: Store, heard: list[str]) -> Starlette:
    return reports_app(
        store,
        parse=a_parser(store),
        is_token=lambda trial, token: token == f"token-of-{trial}",
        now=lambda: NOW,
        heard=telling(heard),
    )


@pytest.fixture
async def store() -> Store:
    store = Store()
    await store.save_sweep(a_sweep(objective="loss"))
    await store.commit([a_trial(0, version=0), a_trial(1, version=0)])
    return store


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
async def client(store: Store, heard: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(an_app(store, heard)) as client:
        yield client


async def test_an_accepted_report_is_in_the_store(
    client: httpx.AsyncClient, store: Store, heard: list[str]
) -> None:
    headers = TOKEN | {"Idempotency-Key": "k1"}

    answer = await client.post("/reports/0", content=b"0.5", headers=headers)

    assert answer.status_code == 202
    assert await store.curve(0) == [Report(trial=0, key="k1", at=NOW, values={"loss": 0.5})]
    assert heard == ["1 of 1 new"]


async def test_a_report_sent_twice_counts_once(client: httpx.AsyncClient, store: Store) -> None:
    headers = TOKEN | {"Idempotency-Key": "k1"}

    answers = [await client.post("/reports/0", content=b"1", headers=headers) for _ in "ab"]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len(await store.curve(0)) == 1


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer"}, id="empty"),
        pytest.param({"Authorization": "Basic token-of-0"}, id="another scheme"),
        pytest.param({"Authorization": "Bearer token-of-1"}, id="of another trial"),
        pytest.param({"Authorization": b"Bearer \xff\xfe"}, id="bytes"),
    ],
)
async def test_only_the_trial_s_own_token_opens(
    client: httpx.AsyncClient, store: Store, heard: list[str], authorization: dict[str, str]
) -> None:
    answer = await client.post("/reports/0", content=b"1", headers=authorization)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert store.batches == []
    assert heard == ["refused"]


async def test_what_is_no_report_is_refused_in_words(
    client: httpx.AsyncClient, heard: list[str]
) -> None:
    answer = await client.post("/reports/0", content=b"bad", headers=TOKEN)

    assert answer.status_code == 400
    assert answer.json() == {"error": "this is no report"}
    assert heard == ["refused"]


@pytest.mark.parametrize("trial", ["x", "-1", "٣", "1" * 13, "0.0", "%00"])
async def test_what_is_no_trial_is_not_found(client: httpx.AsyncClient, trial: str) -> None:
    answer = await client.post(f"/reports/{trial}", content=b"1", headers=TOKEN)

    assert answer.status_code == 404


async def test_a_trial_without_a_row_is_not_found(
    client: httpx.AsyncClient, heard: list[str]
) -> None:
    headers = {"Authorization": "Bearer token-of-7"}

    answer = await client.post("/reports/7", content=b"1", headers=headers)

    assert answer.status_code == 404
    assert heard[-1] == "refused"


async def test_a_large_report_is_refused_unread(client: httpx.AsyncClient, store: Store) -> None:
    answer = await client.post("/reports/0", content=b"1" * (BODY_BOUND + 1), headers=TOKEN)

    assert answer.status_code == 413
    assert store.batches == []


async def test_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/reports/0")).status_code == 405
    assert (await client.post("/")).status_code == 404


async def test_a_store_that_fails_is_said_so_that_the_training_tries_again(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.failures.append(StoreError("/home/somebody/store.db: disk full"))

    answers = [await client.post("/reports/0", content=b"1", headers=TOKEN) for _ in "ab"]

    assert [answer.status_code for answer in answers] == [503, 202]
    assert "somebody" not in answers[0].text


async def post(client: httpx.AsyncClient, key: int, trial: int = 0) -> int:
    headers = {"Authorization": f"Bearer token-of-{trial}", "Idempotency-Key": f"k{key}"}
    answer = await client.post(f"/reports/{trial}", content=b"1", headers=headers)
    return answer.status_code


async def test_reports_that_come_during_a_write_share_the_next(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.is_open.clear()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(client, key)) for key in range(20)]
        await store.expected.wait()
        store.is_open.set()

    assert {task.result() for task in tasks} == {202}
    assert [len(batch) for batch in store.batches] == [1, 19]


async def test_a_batch_with_an_unknown_trial_keeps_the_others(
    client: httpx.AsyncClient, store: Store
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(client, trial, trial)) for trial in (0, 7, 1)]

    assert [task.result() for task in tasks] == [202, 404, 202]


async def test_a_batch_whose_write_failed_is_written_by_the_next(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.is_open.clear()
    store.failures.append(StoreError("for once"))
    store.failures.append(StoreError("and again"))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(client, key)) for key in range(20)]
        await store.expected.wait()
        store.is_open.set()

    statuses = [task.result() for task in tasks]
    assert (statuses.count(503), statuses.count(202)) == (2, 18)
    assert len(await store.curve(0)) == 19


async def test_a_writer_that_is_cancelled_leaves_its_batch_to_the_next(store: Store) -> None:
    store.is_open.clear()
    async with calling(an_app(store, [])) as client, asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(client, key)) for key in range(20)]
        await store.expected.wait()

        tasks[0].cancel()
        store.is_open.set()

    assert [task.result() for task in tasks[1:]] == [202] * 19
    assert len(await store.curve(0)) == 19


@pytest.mark.parametrize("is_remote", [True, False], ids=["remote", "on this machine"])
async def test_a_training_s_report_arrives_over_a_socket_and_counts_once(
    store: Store, tmp_path: Path, is_remote: bool
) -> None:
    key, file, bound = b"k" * 32, tmp_path / "1.jsonl", bind_tcp("127.0.0.1", 0)
    app = reports_app(store, parse=parse_report, is_token=partial(is_token, key), now=lambda: NOW)
    environment = {
        "SWEEPER_REPORT_URL": f"http://127.0.0.1:{bound.getsockname()[1]}/reports/1",
        "SWEEPER_REPORT_TOKEN": token_for(key, 1),
    } | ({} if is_remote else {"SWEEPER_REPORT_FILE": str(file)})

    async with serve(app, [bound]):
        taken = await asyncio.to_thread(_Reporter(environment).report, 7, {"loss": 0.25})
    found = ReportFiles(lambda _: file).read(1)
    added = await store.add_reports(found)

    (report,) = await store.curve(1)
    assert taken
    assert (report.values, report.step) == ({"loss": 0.25}, 7)
    assert (len(found), added) == (0 if is_remote else 1, 0)
