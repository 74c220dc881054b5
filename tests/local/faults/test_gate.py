"""Each fault of an answer, as the client for Run:ai meets it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from sweeper.clock import pause
from sweeper.domain.phase import Phase
from sweeper.errors import (
    AmbiguousError,
    ControlPlaneError,
    NameTakenError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.gate import FaultGate
from sweeper.local.faults.operations import Operation
from sweeper.local.faults.plan import (
    Amnesia,
    Cut,
    Drop,
    Duplicates,
    Empty,
    Fault,
    FaultPlan,
    Garbage,
    Latency,
    ListingLag,
    PhaseWord,
    Rule,
    Slow,
    Status,
    TokenLife,
)
from tests.local.faults.faulty import Faulty, always, faulty, request
from tests.local.planes import TRAININGS, loop_clock

pytestmark = pytest.mark.looptime


async def names(here: Faulty) -> list[str]:
    return [one["name"] for one in (await here.client.listing())["workloads"]]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(status=503), id="503"),
        pytest.param(Status(status=502, body="html"), id="502 HTML"),
        pytest.param(Status(status=500, body="empty"), id="500 empty"),
        pytest.param(Drop(), id="drop"),
    ],
)
async def test_a_create_broken_before_its_effect_has_none(tmp_path: Path, fault: Fault) -> None:
    async with faulty(tmp_path, always(fault, "create")) as here:
        with pytest.raises(AmbiguousError):
            await here.remote.create(request())

        assert await names(here) == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(status=503, when="after"), id="503"),
        pytest.param(Drop(when="after"), id="drop"),
        pytest.param(Cut(), id="cut"),
        pytest.param(Empty(), id="empty"),
        pytest.param(Garbage(), id="garbage"),
        pytest.param(Slow(seconds=600), id="slow"),
        pytest.param(Latency(seconds=60, when="after"), id="late"),
    ],
)
async def test_a_create_broken_after_its_effect_has_it(tmp_path: Path, fault: Fault) -> None:
    async with faulty(tmp_path, always(fault, "create")) as here:
        with pytest.raises(AmbiguousError):
            await here.remote.create(request())

        assert await names(here) == ["swp-1"]


async def test_an_error_can_ask_for_a_wait(tmp_path: Path) -> None:
    fault = Status(status=429, retry_after=77)
    async with faulty(tmp_path, always(fault, "list")) as here:
        with pytest.raises(TransientError) as error:
            await here.remote.observe("swp-")

        assert error.value.retry_after == 77


async def test_a_late_answer_comes(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with faulty(tmp_path, always(Latency(seconds=1, most=3), "create")) as here:
        began = loop.time()

        await here.remote.create(request())

        assert 1 <= loop.time() - began <= 3.1


async def test_a_slow_body_comes_in_the_end(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with faulty(tmp_path, always(Slow(seconds=5), "create")) as here:
        began = loop.time()

        created = await here.remote.create(request())

        assert created.name == "swp-1"
        assert loop.time() - began == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("status", [400, 409])
async def test_a_name_that_is_taken_has_the_status_of_the_plan(tmp_path: Path, status: int) -> None:
    fault = Duplicates(status=status)  # type: ignore[arg-type] # both words are known
    async with faulty(tmp_path, always(fault)) as here:
        await here.remote.create(request())
        again = await here.client.http.post(TRAININGS, json={**_body(), "name": "swp-1"})

        with pytest.raises(NameTakenError):
            await here.remote.create(request())
        assert (again.status_code, again.json()["code"]) == (status, status)


def _body() -> dict[str, object]:
    sent = request()
    return {"projectId": sent.project_id, "clusterId": sent.cluster_id, "spec": sent.spec}


@pytest.mark.parametrize("word", [None, "Frozen"])
async def test_a_phase_can_be_unknown_or_absent(tmp_path: Path, word: str | None) -> None:
    async with faulty(tmp_path, always(PhaseWord(word=word))) as here:
        created = await here.remote.create(request())
        (listed,) = await here.remote.observe("swp-")
        got = await here.remote.get(created.workload_id)
        raw = (await here.client.listing())["workloads"][0]

        assert {created.phase, listed.phase, got.phase} == {Phase.UNKNOWN}
        assert raw.get("phase") == word


async def test_a_new_training_is_missing_in_the_listing_for_a_while(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(ListingLag(seconds=3))) as here:
        created = await here.remote.create(request())
        early = await here.remote.observe("swp-")
        await here.remote.get(created.workload_id)

        await pause(3)

        assert early == []
        assert len(await here.remote.observe("swp-")) == 1


async def test_a_control_plane_can_have_no_listing(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(Status(status=404), "list")) as here:
        with pytest.raises(UnsupportedError):
            await here.remote.observe("swp-")


async def test_all_trainings_can_be_forgotten_for_a_while(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(Amnesia(), since=10, until=20)) as here:
        created = await here.remote.create(request())
        await pause(10)

        with pytest.raises(TrainingGoneError):
            await here.remote.get(created.workload_id)
        assert await here.remote.observe("swp-") == []
        await pause(10)
        assert len(await here.remote.observe("swp-")) == 1


async def test_a_share_of_trainings_is_forgotten_for_good(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(Amnesia(share=0.5))) as here:
        for number in range(20):
            await here.remote.create(request(f"swp-{number}"))

        first, second = await names(here), await names(here)

        assert first == second
        assert 4 < len(first) < 16


async def test_tokens_die_when_the_plan_says_so(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        await here.remote.observe("swp-")

        await here.admin("expire-tokens")
        await here.remote.observe("swp-")

        tokens = [call for call in here.calls if "token" in str(call).lower()]
        assert len(tokens) == 2


async def test_tokens_live_as_long_as_the_plan_says(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(TokenLife(seconds=10))) as here:
        for _ in range(4):
            await here.remote.observe("swp-")
            await pause(6)

        tokens = [call for call in here.calls if "token" in str(call).lower()]
        assert len(tokens) == 2


async def test_a_wrong_token_is_refused_as_ever(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        http = here.client.http
        http.auth = httpx.Auth()

        bare = await http.get("/api/v1/workloads")
        wrong = await http.get("/api/v1/workloads", headers={"Authorization": "Bearer x"})

        assert (bare.status_code, wrong.status_code) == (401, 401)


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        pytest.param({"every": 3}, [3, 6, 9], id="every"),
        pytest.param({"times": 2}, [1, 2], id="times"),
        pytest.param({"every": 2, "times": 1}, [2], id="both"),
        pytest.param({"probability": 0.0}, [], id="never"),
        pytest.param({"since": 4.5, "until": 7}, [6, 7], id="window"),
    ],
)
async def test_a_rule_says_which_requests_are_hit(
    tmp_path: Path, rule: dict[str, float], hits: list[int]
) -> None:
    async with faulty(tmp_path, always(Status(), "count", **rule)) as here:
        await names(here)
        hit = []
        for number in range(1, 10):
            answer = await here.client.http.get("/api/v1/workloads/count")
            hit += [number] if answer.status_code == 503 else []
            await pause(1)

        assert hit == hits


def _folders(folder: Path, number: int) -> list[Path]:
    made = [folder / str(at) for at in range(number)]
    for each in made:
        each.mkdir()
    return made


async def test_the_same_seed_gives_the_same_faults(tmp_path: Path) -> None:
    async def statuses(folder: Path, seed: int) -> list[int | str]:
        plan = FaultPlan(
            seed=seed,
            rules=(
                Rule(fault=Status(), on=(Operation.LIST, Operation.GET), probability=0.3),
                Rule(fault=Status(status=500), on=(Operation.GET,), probability=0.5),
            ),
        )
        async with faulty(folder, plan) as here:
            await here.client.http.get("/api/v1/clusters")
            paths = ["/api/v1/workloads", f"{TRAININGS}/x"] * 25
            return [(await here.client.http.get(path)).status_code for path in paths]

    a, b, c = _folders(tmp_path, 3)

    first = await statuses(a, 1)

    assert first == await statuses(b, 1)
    assert first != await statuses(c, 2)
    assert set(first) == {200, 404, 500, 503}


async def test_calls_that_are_safe_to_repeat_get_through(tmp_path: Path) -> None:
    async with faulty(tmp_path, always(Drop(when="after"), probability=0.3)) as here:
        failed = 0
        for number in range(10):
            try:
                await here.remote.find(f"swp-{number}")
            except ControlPlaneError:
                failed += 1

        assert failed <= 2


async def test_a_log_that_goes_on_is_never_held_back(tmp_path: Path) -> None:
    sent: list[object] = []

    async def endless(scope: object, receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"line", "more_body": True})
        await pause(1_000_000)

    async def hear(message: object) -> None:
        sent.append(message)

    async def nothing() -> dict[str, object]:
        return {}

    faults = Faults(always(Cut()), now=loop_clock())
    gate = FaultGate(endless, faults, now=loop_clock())
    path = "/api/v1/workloads/5/logs"
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "asgi": {}}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await gate(scope, nothing, hear)

    assert len(sent) == 2
