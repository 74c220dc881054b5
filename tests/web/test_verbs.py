from collections.abc import AsyncIterator

import httpx
import pytest

from sweeper.domain.record import Totals, Wish, WishKind
from sweeper.ports import TickSummary
from sweeper.store.memory import MemoryStore
from sweeper.web.verbs import verbs_app
from tests.support.builders import NOW, a_sweep, after
from tests.web.calling import calling
from tests.web.verbs import a_store


@pytest.fixture
async def store() -> MemoryStore:
    return await a_store()


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
async def client(store: MemoryStore, woken: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    app = verbs_app(store, now=lambda: NOW, on_wish=lambda: woken.append("woken"))
    async with calling(app) as client:
        yield client


async def test_the_sweep_tells_how_it_stands(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/sweep")).json()

    assert found["sweep"]["name"] == "demo"
    assert (found["trials"]["waiting"], found["trials"]["settled"]) == (7, 1)
    assert (found["best"]["trial"], found["best"]["objective"]) == (1, 0.5)
    assert [live["trial"] for live in found["live"]] == [1, 2]
    assert found["daemon"] is None


async def test_a_sweep_without_reports_has_no_best_trial() -> None:
    store = await a_store(reports=0)

    async with calling(verbs_app(store, now=lambda: NOW)) as client:
        found = (await client.get("/v1/sweep")).json()

    assert found["best"] is None


async def test_the_daemon_s_last_tick_is_part_of_the_answer(store: MemoryStore) -> None:
    tick = TickSummary(
        sweep=a_sweep(),
        at=NOW,
        seconds=0.1,
        totals=Totals(),
        live=[],
        observed_at=NOW,
        active_limit=4,
        pending_limit=None,
        gpu_limit=None,
        best=None,
    )
    app = verbs_app(store, now=lambda: after(seconds=5), latest=lambda: tick)

    async with calling(app) as client:
        found = (await client.get("/v1/sweep")).json()

    assert found["daemon"]["observation_age_seconds"] == 5.0


async def test_a_new_store_has_no_sweep() -> None:
    async with calling(verbs_app(MemoryStore(), now=lambda: NOW)) as client:
        answers = [
            await client.get("/v1/sweep"),
            await client.post("/v1/wishes", json={"kind": "pause"}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_trials_come_in_pages(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/trials?limit=2")).json()
    last = (await client.get(f"/v1/trials?limit=2&after={first['next']}")).json()

    assert [trial["trial"] for trial in first["trials"]] == [0, 1]
    assert [trial["trial"] for trial in last["trials"]] == [2]
    assert last["next"] is None


async def test_trials_are_filtered_by_state(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/trials?state=failed")).json()

    assert [trial["trial"] for trial in found["trials"]] == [0]


async def test_a_trial_comes_with_its_attempts_and_newest_points() -> None:
    store = await a_store(reports=120)

    async with calling(verbs_app(store, now=lambda: NOW)) as client:
        found = (await client.get("/v1/trials/1")).json()

    assert found["trial"]["trial"] == 1
    assert [submission["attempt"] for submission in found["submissions"]] == [1]
    assert [point["step"] for point in found["curve"]] == list(range(20, 120))
    assert found["objective"]["reports"] == 120


async def test_a_curve_comes_whole_or_its_newest_part(client: httpx.AsyncClient) -> None:
    whole = (await client.get("/v1/trials/1/curve")).json()
    newest = (await client.get("/v1/trials/1/curve?limit=1")).json()

    assert [point["values"] for point in whole["points"]] == [{"loss": 1.0}, {"loss": 0.5}]
    assert [point["step"] for point in newest["points"]] == [1]
    assert newest["total"] == 2


@pytest.mark.parametrize("path", ["/v1/trials/9", "/v1/trials/9/curve", "/v1/trials/x"])
async def test_a_trial_without_a_row_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert "trial" in answer.json()["error"]


async def test_events_come_in_pages_and_by_trial(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/events?limit=2")).json()
    rest = (await client.get(f"/v1/events?after={first['next']}")).json()
    of_one = (await client.get("/v1/events?trial=2")).json()

    assert [event["number"] for event in first["events"]] == [1, 2]
    assert ([event["number"] for event in rest["events"]], rest["next"]) == ([3], None)
    assert [event["trial"] for event in of_one["events"]] == [2]


async def test_results_are_rows_by_number(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/results")).json()

    assert [(row["trial"], row["objective"]) for row in found["results"]] == [
        (0, None),
        (1, 0.5),
        (2, None),
    ]
    assert found["next"] is None


async def test_a_wish_is_durable_before_the_daemon_is_woken(
    client: httpx.AsyncClient, store: MemoryStore, woken: list[str]
) -> None:
    answer = await client.post("/v1/wishes", json={"kind": "cancel", "trial": 1})

    assert (answer.status_code, answer.json()) == (201, {"wish": 1})
    assert await store.wishes() == [Wish(kind=WishKind.CANCEL, at=NOW, trial=1, number=1)]
    assert woken == ["woken"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"kind": "cancel", "trial": 9}, 404, id="unknown trial"),
        pytest.param({"kind": "explode"}, 400, id="unknown kind"),
        pytest.param({"kind": "x" * 70_000}, 413, id="large"),
    ],
)
async def test_what_cannot_be_wished_wakes_nobody(
    client: httpx.AsyncClient,
    store: MemoryStore,
    woken: list[str],
    body: dict[str, object],
    status: int,
) -> None:
    answer = await client.post("/v1/wishes", json=body)

    assert answer.status_code == status
    assert (await store.wishes(), woken) == ([], [])


async def test_a_wish_without_a_daemon_is_recorded_all_the_same(store: MemoryStore) -> None:
    async with calling(verbs_app(store, now=lambda: NOW)) as client:
        answer = await client.post("/v1/wishes", json={"kind": "pause"})

    assert answer.status_code == 201
    assert len(await store.wishes()) == 1


async def test_wishes_are_written_only(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/wishes")).status_code == 405
    assert (await client.post("/v1/sweep")).status_code == 405
