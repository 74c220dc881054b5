import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweeper.clock import pause
from sweeper.local.places import CLUSTER_ID
from sweeper.local.requests import MAX_BODY_BYTES
from tests.local.planes import TRAININGS, WORKLOADS, Client, creation, world

UNKNOWN = "00000000-0000-4000-8000-000000000000"
CONTRACT = Path(__file__).parents[1] / "data" / "trainings-openapi.json"
TOKEN_V1, TOKEN_V2 = "/api/v1/token", "/api/v2/token"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with world(tmp_path).open() as client:
        yield client


def schema(name: str) -> dict[str, Any]:
    """Return a schema of the contract, in which null is spelled as JSON Schema spells it."""
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))

    def spelled(value: Any) -> Any:
        if isinstance(value, list):
            return [spelled(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: spelled(item) for key, item in value.items() if key != "nullable"}
        return {"anyOf": [{"type": "null"}, found]} if value.get("nullable") is True else found

    return {
        "$ref": f"#/components/schemas/{name}",
        "components": {"schemas": spelled(contract["components"]["schemas"])},
    }


def assert_error(answer: Any, status: int, words: str = "") -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == status
    assert words in body["message"]
    jsonschema.validate(body, schema("Error"))


async def test_a_create_is_answered_with_the_whole_training(client: Client) -> None:
    body = creation("one", args="--lr 0.1", image=None, compute={"cpuCoreRequest": 1})

    answer = await client.http.post(TRAININGS, json=body)

    training = answer.json()
    assert answer.status_code == 202
    jsonschema.validate(training, schema("Training1"))
    assert {key: training[key] for key in ("name", "projectId", "clusterId", "spec")} == body
    assert training["requestedName"] == "one"
    assert (training["desiredPhase"], training["actualPhase"]) == ("Running", "Creating")
    assert "deletedAt" not in training


async def test_a_training_is_found_by_its_id_in_any_case(client: Client) -> None:
    workload_id = await client.create("one", args="x")

    answer = await client.http.get(f"{TRAININGS}/{workload_id.upper()}")

    jsonschema.validate(answer.json(), schema("Training1"))
    assert answer.json()["spec"] == {"command": "true", "args": "x"}


@pytest.mark.parametrize("spec", [{}, {"spec": None}], ids=["absent", "null"])
async def test_a_create_needs_no_spec(client: Client, spec: dict[str, Any]) -> None:
    body = {"name": "one", "projectId": "1", "clusterId": CLUSTER_ID, **spec}

    answer = await client.http.post(TRAININGS, json=body)

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "Upper"}, "name"),
        ({"name": "../../etc"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"name": "ends-"}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"projectId": "2"}, "no project '2'"),
        ({"projectId": 1}, "projectId"),
        ({"clusterId": UNKNOWN}, "clusterId"),
        ({"clusterId": "local"}, "clusterId"),
        ({"spec": []}, "a list is no object"),
        ({"spec": {"backoffLimit": "1"}}, "backoffLimit"),
        ({"spec": {"command": ""}}, "command"),
    ],
)
async def test_a_create_that_is_wrong_says_what(
    client: Client, changes: dict[str, Any], words: str
) -> None:
    answer = await client.http.post(TRAININGS, json={**creation(), **changes})

    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert words in answer.text
    jsonschema.validate(answer.json(), schema("SubmissionError"))
    assert (await client.listing())["workloads"] == []


async def test_a_spec_that_breaks_rules_is_refused_with_one_entry_a_field(client: Client) -> None:
    body = creation(compute={"gpuDevicesRequest": -1}, labels=[{"value": "x"}])

    answer = await client.http.post(TRAININGS, json=body)

    fields = [issue["field"] for issue in answer.json()["complianceIssues"]]
    assert fields == ["compute.gpuDevicesRequest", "labels[0].name"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"a":NaN}', b"[" * 5000, b'{"a":1,"a":2}', b'"\\ud800"'],
)
async def test_a_body_that_is_no_object_is_400(client: Client, content: bytes) -> None:
    assert_error(await client.http.post(TRAININGS, content=content), 400, "body")


async def test_a_body_that_is_too_large_is_400(client: Client) -> None:
    content = b" " * (MAX_BODY_BYTES + 1)

    assert_error(await client.http.post(TRAININGS, content=content), 400, "larger than")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.sampled_from(["name", "projectId", "clusterId", "useGivenNameAsPrefix", "spec", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
async def test_any_object_is_accepted_or_refused(client: Client, body: dict[str, Any]) -> None:
    answer = await client.http.post(TRAININGS, json=body)

    assert answer.status_code in {202, 400}


async def test_a_name_is_given_once_until_it_is_deleted(client: Client) -> None:
    workload_id = await client.create("one")

    answer = await client.http.post(TRAININGS, json=creation("one"))
    assert_error(answer, 400, "workload with name 'one' already exists in this project")
    await client.command(workload_id, "suspend")
    await client.command(workload_id, "delete")
    await client.until(workload_id, "gone")

    assert await client.create("one") != workload_id


async def test_a_name_may_be_a_prefix(client: Client) -> None:
    body = {**creation("one"), "useGivenNameAsPrefix": True}

    answers = [(await client.http.post(TRAININGS, json=body)).json() for _ in range(3)]

    names = {answer["name"] for answer in answers}
    assert len(names) == 3
    assert all(name.startswith("one-") for name in names)
    assert {answer["requestedName"] for answer in answers} == {"one"}


@pytest.mark.parametrize("word", ["suspend", "resume", "delete"])
async def test_a_command_is_accepted(client: Client, word: str) -> None:
    path = f"{TRAININGS}/{await client.create()}"

    answer = await (
        client.http.delete(path) if word == "delete" else client.http.post(f"{path}/{word}")
    )

    assert answer.status_code == 202
    assert answer.json() == {"code": 202, "message": "Request has been accepted."}
    jsonschema.validate(answer.json(), schema("HttpResponse"))


@pytest.mark.parametrize("workload_id", [UNKNOWN, "7", "..%2F..", "a" * 5000])
async def test_an_unknown_training_is_404_everywhere(client: Client, workload_id: str) -> None:
    path = f"{TRAININGS}/{workload_id}"

    for answer in (
        await client.http.get(path),
        await client.http.delete(path),
        await client.http.post(f"{path}/suspend"),
        await client.http.post(f"{path}/resume"),
        await client.http.get(f"{WORKLOADS}/{workload_id}"),
        await client.http.get(f"{WORKLOADS}/{workload_id}/events"),
    ):
        assert_error(answer, 404)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", f"{TRAININGS}/{UNKNOWN}", 405),
        ("GET", TRAININGS + "/", 404),
        ("DELETE", WORKLOADS, 405),
    ],
)
async def test_what_is_not_offered_is_an_error_like_any_other(
    client: Client, method: str, path: str, status: int
) -> None:
    assert_error(await client.http.request(method, path, follow_redirects=True), status)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", f"{TRAININGS}/{UNKNOWN}", "DELETE, GET, HEAD"),
        ("GET", TRAININGS, "POST"),
        ("GET", f"{TRAININGS}/{UNKNOWN}/suspend", "POST"),
    ],
)
async def test_a_method_that_is_not_offered_is_told_which_are(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = await client.http.request(method, path)

    assert_error(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Bearer a.b.c", "Basic abc", "bearer x", "Bearer \xff"]
)
async def test_without_a_good_token_everything_is_401(client: Client, value: str | None) -> None:
    headers = [] if value is None else [(b"authorization", value.encode("latin-1"))]

    for path in (TRAININGS, WORKLOADS, f"{TRAININGS}/{UNKNOWN}", "/nothing"):
        assert_error(await client.http.get(path, headers=headers, auth=None), 401)


@pytest.mark.looptime
async def test_an_expired_token_is_401(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        request = (await client.http.get(WORKLOADS)).request
        await pause(3601)

        assert_error(await client.http.send(request, auth=None), 401)


async def test_the_token_calls_answer_in_their_own_words(client: Client) -> None:
    plane = client.plane
    assert plane is not None
    secret = {"clientID": plane.client_id, "clientSecret": plane.client_secret}

    v1 = await client.http.post(TOKEN_V1, json={"grantType": "client_credentials", **secret})
    form = {"grant_type": "client_credentials", "client_id": plane.client_id}
    v2 = await client.http.post(TOKEN_V2, data={**form, "client_secret": plane.client_secret})

    assert set(v1.json()) == {"accessToken", "expiresIn", "idToken", "refreshToken"}
    assert v2.json()["token_type"] == "Bearer"
    assert v2.json()["expires_in"] == 3600
    assert v2.headers["Cache-Control"] == "no-store"


async def test_wrong_credentials_are_refused_in_the_calls_own_words(client: Client) -> None:
    wrong = {"clientID": "local", "clientSecret": "wrong"}
    form = {"grant_type": "client_credentials", "client_id": "local", "client_secret": "wrong"}

    v1 = await client.http.post(TOKEN_V1, json={"grantType": "client_credentials", **wrong})
    v2 = await client.http.post(TOKEN_V2, data=form)

    assert_error(v1, 401)
    assert (v2.status_code, v2.json()["error"]) == (401, "invalid_client")


async def test_malformed_token_calls_are_refused_in_the_calls_own_words(client: Client) -> None:
    v1 = await client.http.post(TOKEN_V1, content=b"{")
    v2 = await client.http.post(TOKEN_V2, content=b"{")

    assert_error(v1, 400)
    assert (v2.status_code, v2.json()["error"]) == (400, "invalid_request")


async def test_the_listing_says_what_a_client_needs(client: Client) -> None:
    workload_id = await client.create("one", image="pytorch", args="x", priorityClass="build")
    await client.until(workload_id, "Running")

    (item,) = (await client.listing())["workloads"]

    at = {item.pop(key) for key in ("phaseUpdatedAt", "updatedAt", "createdAt")}
    assert all(text.endswith("Z") for text in at)
    assert item == {
        "id": workload_id,
        "name": "one",
        "type": "Training",
        "phase": "Running",
        "phaseMessage": "",
        "runningPods": 1,
        "requestedPods": {"number": 1},
        "preemptible": False,
        "priority": "build",
        "priorityClassName": "build",
        "allocatedResources": {},
        "projectId": "1",
        "projectName": "default",
        "departmentId": "default",
        "departmentName": "default",
        "clusterId": CLUSTER_ID,
        "namespace": "runai-default",
        "submittedBy": "local",
        "currentNodePools": ["default"],
        "actionsSupport": {"delete": True, "suspend": True},
        "source": "API",
        "command": "true",
        "arguments": "x",
        "images": ["pytorch"],
    }
    assert (await client.http.get(f"{WORKLOADS}/{workload_id}")).json()["phase"] == "Running"


async def test_a_listing_comes_in_pages(client: Client) -> None:
    for name in ("a", "b", "c"):
        await client.create(name)

    first = await client.listing("limit=2&sortBy=name&sortOrder=desc")
    last = await client.listing("limit=2&sortBy=name&sortOrder=desc&offset=2")

    assert [item["name"] for item in first["workloads"]] == ["c", "b"]
    assert first["next"] == 2
    assert [item["name"] for item in last["workloads"]] == ["a"]
    assert "next" not in last


async def test_a_page_holds_fifty_unless_more_are_asked_for(client: Client) -> None:
    for number in range(51):
        await client.create(f"a{number}")

    assert len((await client.listing())["workloads"]) == 50
    assert len((await client.listing("limit=500"))["workloads"]) == 51


async def test_filters_arrive_however_they_are_encoded(client: Client) -> None:
    for name in ("a-1", "a-2", "b-1"):
        await client.create(name)

    for query in (
        "filterBy=name=^a-,projectId==1",
        "filterBy=name%3D%5Ea-%2CprojectId%3D%3D1",
        "filterBy=name%3D%5Ea-&filterBy=projectId%3D%3D1",
    ):
        found = await client.listing(query)
        assert [item["name"] for item in found["workloads"]] == ["a-1", "a-2"]
        count = await client.http.get(f"{WORKLOADS}/count?{query}")
        assert count.json() == {"count": 2}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=-1",
        "limit=%D9%A1",
        "offset=-1",
        "offset=99999999999999999999",
        "sortOrder=up",
        "sortBy=label",
        "deleted=maybe",
        "filterBy=label==x",
        "filterBy=nonsense",
    ],
)
async def test_a_listing_that_makes_no_sense_is_400(client: Client, query: str) -> None:
    assert_error(await client.http.get(f"{WORKLOADS}?{query}"), 400)


async def test_a_deleted_training_is_listed_among_the_deleted_alone(client: Client) -> None:
    workload_id = await client.create()
    await client.command(workload_id, "delete")
    await client.until(workload_id, "gone")

    listed = (await client.listing())["workloads"]
    (item,) = (await client.listing("deleted=true"))["workloads"]

    assert listed == []
    assert (item["id"], item["actionsSupport"]["suspend"]) == (workload_id, False)
    assert item["deletedAt"]
    assert_error(await client.http.get(f"{WORKLOADS}/{workload_id}"), 404)


async def test_events_come_newest_first_and_in_pages(client: Client) -> None:
    workload_id = await client.create(image="pytorch")
    await client.until(workload_id, "Running")

    page = (await client.http.get(f"{WORKLOADS}/{workload_id}/events?limit=1")).json()

    (event,) = page["events"]
    assert page["next"] == 1
    assert event["reason"] == "Started"
    assert event["involvedObject"]["uid"] == workload_id
    assert await client.reasons(workload_id) == ["Ignored", "Started"]


async def test_projects_and_clusters_are_found_by_name(client: Client) -> None:
    projects = (await client.http.get("/api/v1/org-unit/projects?filterBy=name==default")).json()
    none = (await client.http.get("/api/v1/org-unit/projects?filterBy=name==other")).json()
    clusters = (await client.http.get("/api/v1/clusters")).json()

    assert [(one["id"], one["clusterId"]) for one in projects["projects"]] == [("1", CLUSTER_ID)]
    assert {one["departmentName"] for one in projects["projects"]} == {"default"}
    assert none == {"projects": []}
    assert [(one["uuid"], one["name"]) for one in clusters] == [(CLUSTER_ID, "local")]


@pytest.mark.parametrize(
    ("item", "is_found"),
    [
        ("name=^def", True),
        ("name!=default", False),
        ("id=$1,name=@fau", True),
        ("id!@1", False),
        ("departmentName==x", False),
    ],
)
async def test_projects_can_be_asked_for_by_every_operator(
    client: Client, item: str, is_found: bool
) -> None:
    answer = await client.http.get(f"/api/v1/org-unit/projects?filterBy={item}")

    assert bool(answer.json()["projects"]) is is_found


async def test_projects_can_be_asked_for_by_few_fields(client: Client) -> None:
    answer = await client.http.get("/api/v1/org-unit/projects?filterBy=phase==Running")

    assert_error(answer, 400, "unknown field 'phase'")


async def test_after_the_end_commands_and_questions_are_503(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        path = f"{TRAININGS}/{await client.create()}"
    assert client.plane is not None

    async with client.enter(client.plane):
        assert_error(await client.http.get(path), 503)
        assert_error(await client.http.post(f"{path}/suspend"), 503)
        assert_error(await client.http.post(TRAININGS, json=creation("two")), 503)
