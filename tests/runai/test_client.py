import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import looptime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.clock import pause
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    NameTakenError,
    RejectedError,
    SettingsError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import ControlPlane, TrainingRequest
from sweeper.runai.client import ASK_AGAIN_SECONDS, RunaiControlPlane
from tests.runai.scripted import WORKLOAD_ID, Script, token_answer, wired

pytestmark = pytest.mark.looptime

DATA = Path(__file__).parent.parent / "data" / "runai"
TRAININGS = "/api/v1/workloads/trainings"
TRAINING = f"{TRAININGS}/{WORKLOAD_ID}"
WORKLOADS = "/api/v1/workloads"
EVENTS = f"{WORKLOADS}/{WORKLOAD_ID}/events"
PROJECT_ID = "4501004"
CLUSTER_ID = "71f69d83-ba66-4822-adf5-55ce55efd210"
PREFIX = "mnist-k3vq2hx7ya-"
NAME = "mnist-k3vq2hx7ya-0-1"
REQUEST = TrainingRequest(
    name=NAME, project_id=PROJECT_ID, cluster_id=CLUSTER_ID, spec={"image": "python:3.11"}
)


def recorded(file: str, status: int = 200, **changes: Any) -> httpx.Response:
    """Return a recorded answer, with some of its members changed."""
    body = json.loads((DATA / f"{file}.json").read_text())
    for key, value in changes.items():
        body[key] = value
    return httpx.Response(status, json=body)


@asynccontextmanager
async def plane_of(script: Script) -> AsyncIterator[RunaiControlPlane]:
    script.on("/api/v2/token", token_answer(expires_in=86_400))
    async with wired(script) as link:
        yield RunaiControlPlane(partial(link.calls.make, auth=link.auth), PROJECT_ID)


def asked(script: Script, path: str) -> list[dict[str, str]]:
    """Return the parameters of every request for a path."""
    return [dict(one.url.params) for one in script.requests if one.url.path == path]


def test_the_client_is_a_control_plane() -> None:
    async def make(_call: object) -> None: ...

    plane: ControlPlane = RunaiControlPlane(make, PROJECT_ID)

    assert isinstance(plane, RunaiControlPlane)


@pytest.mark.parametrize("project_id", ["", "1,name==x", "a b", "x" * 200], ids=repr)
def test_a_project_id_that_would_change_a_filter_is_refused(project_id: str) -> None:
    async def make(_call: object) -> None: ...

    with pytest.raises(SettingsError, match="project id"):
        RunaiControlPlane(make, project_id)


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_create_is_sent_and_its_answer_read(status: int) -> None:
    script = Script().on(TRAININGS, recorded("training_created", status))

    async with plane_of(script) as plane:
        made = await plane.create(REQUEST)

    assert json.loads(script.requests[-1].content) == {
        "name": NAME,
        "projectId": PROJECT_ID,
        "clusterId": CLUSTER_ID,
        "spec": {"image": "python:3.11"},
    }
    assert (made.workload_id, made.name, made.phase) == (WORKLOAD_ID, NAME, Phase.CREATING)
    assert made.project_id == PROJECT_ID
    assert made.desired_phase is DesiredPhase.RUNNING
    assert made.created_at == datetime(2026, 3, 1, 11, 58, 3, 517_000, UTC)
    assert made.labels == {"sweeper/sweep": "mnist", "sweeper/trial": "0"}


@pytest.mark.parametrize(
    "changes",
    [{"name": "other"}, {"projectId": "1"}, {"workloadId": "7"}, {"workloadId": None}],
    ids=["name", "project", "odd id", "no id"],
)
async def test_an_answer_about_another_training_leaves_a_create_open(
    changes: dict[str, Any],
) -> None:
    script = Script().on(TRAININGS, recorded("training_created", 202, **changes))

    async with plane_of(script) as plane:
        with pytest.raises(AmbiguousError):
            await plane.create(REQUEST)


@pytest.mark.parametrize("status", [400, 409])
async def test_a_name_that_is_taken_is_told_apart(status: int) -> None:
    script = Script().on(TRAININGS, recorded("error_name_taken", status))

    async with plane_of(script) as plane:
        with pytest.raises(NameTakenError, match="already exists in this project"):
            await plane.create(REQUEST)


async def test_a_broken_policy_names_its_fields() -> None:
    script = Script().on(TRAININGS, recorded("error_compliance", 400))

    async with plane_of(script) as plane:
        with pytest.raises(RejectedError, match=r"compute\.gpuDevicesRequest: value") as caught:
            await plane.create(REQUEST)

    assert caught.value.compliance


async def test_a_create_that_is_not_allowed_says_so() -> None:
    script = Script().on(TRAININGS, recorded("error_forbidden", 403))

    async with plane_of(script) as plane:
        with pytest.raises(ForbiddenError, match="sufficient permissions"):
            await plane.create(REQUEST)


async def test_a_training_is_read_with_its_labels() -> None:
    script = Script().on(TRAINING, recorded("training_running"))

    async with plane_of(script) as plane:
        one = await plane.get(WORKLOAD_ID)

    assert (one.phase, one.desired_phase) == (Phase.RUNNING, DesiredPhase.RUNNING)
    assert one.labels == {"sweeper/sweep": "mnist", "sweeper/trial": "0"}
    assert one.deleted_at is None


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, Phase.UNKNOWN),
        ({"actualPhase": None}, Phase.UNKNOWN),
        ({"actualPhase": "Hibernating"}, Phase.UNKNOWN),
        ({"actualPhase": 7}, Phase.UNKNOWN),
        ({"phase": "Running"}, Phase.RUNNING),
        ({"actualPhase": "Stopped", "desiredPhase": "Sideways"}, Phase.STOPPED),
        ({"createdAt": "yesterday"}, Phase.UNKNOWN),
        ({"deletedAt": "0001-01-01T00:00:00Z"}, Phase.UNKNOWN),
        ({"name": None}, Phase.UNKNOWN),
        ({"spec": None}, Phase.UNKNOWN),
        ({"spec": {"labels": "x"}}, Phase.UNKNOWN),
    ],
    ids=[
        "absent",
        "null",
        "new word",
        "number",
        "other key",
        "odd wish",
        "date",
        "no date",
        "no name",
        "none",
        "labels",
    ],
)
async def test_an_odd_answer_about_the_right_training_is_read_as_far_as_it_goes(
    changes: dict[str, Any], phase: Phase
) -> None:
    script = Script().on(TRAINING, recorded("training_without_phase", **changes))

    async with plane_of(script) as plane:
        assert (await plane.get(WORKLOAD_ID)).phase is phase


async def test_an_answer_for_another_training_is_no_news() -> None:
    other = "00000000-0000-4000-8000-000000000009"
    script = Script().on(TRAINING, recorded("training_running", workloadId=other))

    async with plane_of(script) as plane:
        with pytest.raises(TransientError, match="about another training"):
            await plane.get(WORKLOAD_ID)


async def test_an_id_in_capitals_is_the_same_id() -> None:
    script = Script().on(TRAINING, recorded("training_running", workloadId=WORKLOAD_ID.upper()))

    async with plane_of(script) as plane:
        assert (await plane.get(WORKLOAD_ID)).phase is Phase.RUNNING


@pytest.mark.parametrize(
    "answer",
    [recorded("error_not_found", 404), httpx.Response(404), recorded("training_deleted")],
    ids=["404", "404 without words", "deleted"],
)
async def test_a_training_that_is_gone_is_gone(answer: httpx.Response) -> None:
    script = Script().on(TRAINING, answer)

    async with plane_of(script) as plane:
        with pytest.raises(TrainingGoneError):
            await plane.get(WORKLOAD_ID)


@pytest.mark.parametrize(
    "workload_id", ["", "..", "../projects", "%2e%2e", "1", WORKLOAD_ID + "/", "a" * 36], ids=repr
)
@pytest.mark.parametrize("call", ["get", "events", "suspend", "resume", "delete"])
async def test_only_a_workload_id_gets_into_a_path(call: str, workload_id: str) -> None:
    script = Script()

    async with plane_of(script) as plane:
        method: Callable[[str], Awaitable[object]] = getattr(plane, call)
        with pytest.raises(ValueError, match="is no workload id"):
            await method(workload_id)

    assert script.requests == []


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        ("suspend", "POST", f"{TRAINING}/suspend"),
        ("resume", "POST", f"{TRAINING}/resume"),
        ("delete", "DELETE", TRAINING),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [recorded("accepted", 202), httpx.Response(202)],
    ids=["accepted", "empty"],
)
async def test_what_changes_a_training_needs_no_more_than_a_good_status(
    call: str, method: str, path: str, answer: httpx.Response
) -> None:
    script = Script().on(path, answer)

    async with plane_of(script) as plane:
        await getattr(plane, call)(WORKLOAD_ID)

    sent = script.requests[-1]
    assert (sent.method, sent.url.path, sent.content) == (method, path, b"")


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("suspend", f"{TRAINING}/suspend"),
        ("resume", f"{TRAINING}/resume"),
        ("delete", TRAINING),
    ],
)
async def test_a_page_in_place_of_an_acknowledgement_is_asked_past(call: str, path: str) -> None:
    script = Script().on(path, httpx.Response(200, text="<html>"), recorded("accepted", 202))

    async with plane_of(script) as plane:
        await getattr(plane, call)(WORKLOAD_ID)

    assert script.count(path) == 2


@pytest.mark.parametrize("call", ["suspend", "resume", "delete"])
async def test_what_changes_a_training_says_when_it_is_gone(call: str) -> None:
    async with plane_of(Script()) as plane:
        with pytest.raises(TrainingGoneError):
            await getattr(plane, call)(WORKLOAD_ID)


async def test_the_listing_is_asked_by_prefix_and_project_oldest_first() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_page_2"))

    async with plane_of(script) as plane:
        await plane.observe(PREFIX, datetime(2026, 3, 1, 11, 0, tzinfo=UTC))

    assert asked(script, WORKLOADS) == [
        {
            "filterBy": f"name=^{PREFIX},projectId=={PROJECT_ID},createdAt>=2026-03-01T11:00:00Z",
            "sortBy": "createdAt",
            "sortOrder": "asc",
            "limit": "500",
            "offset": "0",
        }
    ]


async def test_the_pages_of_a_listing_are_one_observation_filtered_again() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_page_1"), recorded("workloads_page_2"))

    async with plane_of(script) as plane:
        found = await plane.observe(PREFIX)

    phases = {one.name.removeprefix(PREFIX): one.phase for one in found}
    assert phases == {
        "0-1": Phase.RUNNING,
        "1-1": Phase.INITIALIZING,
        "2-1": Phase.STOPPED,
        "6-1": Phase.UNKNOWN,
        "7-1": Phase.COMPLETED,
    }
    assert [one["offset"] for one in asked(script, WORKLOADS)] == ["0", "2"]
    assert all(one.labels is None for one in found)


async def test_a_listing_that_breaks_off_half_way_is_no_observation() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_page_1"), httpx.Response(500))

    async with plane_of(script) as plane:
        with pytest.raises(TransientError):
            await plane.observe(PREFIX)


async def test_one_name_is_found_among_the_living() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_page_2"), recorded("workloads_page_1"))

    async with plane_of(script) as plane:
        none = await plane.find(NAME)
        (one,) = await plane.find(f"{PREFIX}1-1")

    assert none == []
    assert one.phase is Phase.PENDING
    first = asked(script, WORKLOADS)[0]
    assert first["filterBy"] == f"name=={NAME},projectId=={PROJECT_ID}"
    assert "deleted" not in first


async def test_one_name_is_found_among_the_deleted() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_deleted"))

    async with plane_of(script) as plane:
        (one,) = await plane.find(NAME, deleted=True)

    assert (one.phase, one.deleted_at) == (
        Phase.COMPLETED,
        datetime(2026, 3, 1, 12, 10, tzinfo=UTC),
    )
    assert asked(script, WORKLOADS)[0]["deleted"] == "true"


async def test_the_deleted_ones_are_listed_as_the_living_are() -> None:
    script = Script().on(WORKLOADS, recorded("workloads_deleted"))
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)

    async with plane_of(script) as plane:
        found = await plane.deleted(PREFIX, since)

    assert [one.name for one in found] == [NAME]
    assert found[0].deleted_at is not None
    (call,) = asked(script, WORKLOADS)
    assert call["deleted"] == "true"
    assert call["filterBy"].startswith(f"name=^{PREFIX},projectId=={PROJECT_ID},createdAt>=")


@pytest.mark.parametrize("name", ["a,projectId==1", "", "A", "a-"], ids=repr)
async def test_a_name_that_would_change_a_filter_is_not_sent(name: str) -> None:
    script = Script()

    async with plane_of(script) as plane:
        with pytest.raises(ValueError, match="name of a workload"):
            await plane.find(name)

    assert script.requests == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
async def test_a_listing_that_is_missing_is_asked_again_rarely(status: int) -> None:
    script = Script().on(WORKLOADS, httpx.Response(status), recorded("workloads_page_2"))

    async with plane_of(script) as plane:
        with pytest.raises(UnsupportedError, match=f"answered {status}"):
            await plane.observe(PREFIX)
        await pause(ASK_AGAIN_SECONDS - 1)
        for attempt in (plane.observe(PREFIX), plane.find(NAME)):
            with pytest.raises(UnsupportedError, match=f"lists no workloads .*answered {status}"):
                await attempt
        assert script.count(WORKLOADS) == 1
        await pause(2)
        assert len(await plane.observe(PREFIX)) == 4
        assert len(await plane.observe(PREFIX)) == 4

    assert script.count(WORKLOADS) == 3


async def test_a_listing_that_was_there_is_missing_only_after_three_times_in_a_row() -> None:
    page, miss = recorded("workloads_page_2"), httpx.Response(404)
    script = Script().on(WORKLOADS, page, miss, miss, page, miss, miss, miss)

    async with plane_of(script) as plane:
        await plane.observe(PREFIX)
        for _ in range(2):
            with pytest.raises(TransientError, match="was there is missing"):
                await plane.observe(PREFIX)
        await plane.observe(PREFIX)
        for _ in range(2):
            with pytest.raises(TransientError):
                await plane.find(NAME)
        for _ in range(2):
            with pytest.raises(UnsupportedError):
                await plane.observe(PREFIX)

    assert script.count(WORKLOADS) == 7


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_a_listing_that_fails_is_not_taken_for_missing(status: int) -> None:
    failing = [httpx.Response(status)] * 4
    script = Script().on(WORKLOADS, *failing, recorded("workloads_page_2"))

    async with plane_of(script) as plane:
        with pytest.raises((TransientError, AuthError)):
            await plane.observe(PREFIX)
        script.steps[WORKLOADS] = [recorded("workloads_page_2")]
        assert await plane.observe(PREFIX)


async def test_the_newest_events_come_with_their_exit_codes() -> None:
    script = Script().on(EVENTS, recorded("events"))

    async with plane_of(script) as plane:
        events = await plane.events(WORKLOAD_ID)

    assert [event.reason for event in events] == ["BackoffLimitExceeded", "Evict", "Failed"]
    assert [event.exit_code for event in events] == [None, None, 3]
    assert events[1].at == datetime(2026, 3, 1, 12, 4, tzinfo=UTC)
    assert asked(script, EVENTS) == [{"limit": "100", "sortOrder": "desc"}]


async def test_no_more_events_are_given_than_asked_for() -> None:
    many = [{"createdAt": "2026-03-01T12:00:00Z", "reason": "a", "message": ""}] * 300
    script = Script().on(EVENTS, httpx.Response(200, json={"events": many}))

    async with plane_of(script) as plane:
        assert len(await plane.events(WORKLOAD_ID)) == 100


async def test_events_that_are_not_found_speak_of_the_training() -> None:
    async with plane_of(Script()) as plane:
        with pytest.raises(TrainingGoneError):
            await plane.events(WORKLOAD_ID)


CALLS: list[Callable[[RunaiControlPlane], Awaitable[object]]] = [
    lambda plane: plane.create(REQUEST),
    lambda plane: plane.observe(PREFIX),
    lambda plane: plane.find(NAME),
    lambda plane: plane.get(WORKLOAD_ID),
    lambda plane: plane.events(WORKLOAD_ID),
    lambda plane: plane.suspend(WORKLOAD_ID),
    lambda plane: plane.resume(WORKLOAD_ID),
    lambda plane: plane.delete(WORKLOAD_ID),
]
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "location", "content-encoding", "set-cookie"]),
    st.sampled_from(["gzip", "5", "-1", "9999999", "http://[", "a=b", "x", "", "identity"]),
)


@given(
    call=st.sampled_from(CALLS),
    status=st.integers(200, 999),
    headers=HEADERS,
    body=st.binary(max_size=40)
    | st.sampled_from(sorted(file.read_bytes() for file in DATA.glob("*.json"))),
)
def test_whatever_is_answered_a_call_returns_or_raises_what_the_port_says(
    call: Callable[[RunaiControlPlane], Awaitable[object]],
    status: int,
    headers: dict[str, str],
    body: bytes,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v2/token":
            return token_answer(expires_in=86_400)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def make() -> None:
        async with wired(httpx.MockTransport(answer)) as link:
            plane = RunaiControlPlane(partial(link.calls.make, auth=link.auth), PROJECT_ID)
            with suppress(ControlPlaneError):
                await call(plane)
            assert asyncio.get_running_loop().time() <= 15.0

    with closing(looptime.new_event_loop(start=0)) as loop:
        loop.run_until_complete(make())


async def test_where_there_is_no_listing_missing_events_prove_nothing() -> None:
    async with plane_of(Script()) as plane:
        with pytest.raises(UnsupportedError):
            await plane.observe(PREFIX)
        with pytest.raises(UnsupportedError, match="lists no events"):
            await plane.events(WORKLOAD_ID)
