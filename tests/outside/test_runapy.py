"""runapy, the client that Run:ai generates from its own description, finds what it expects."""

from collections.abc import Iterator
from typing import Any

import pytest
from runai.api_client import ApiClient
from runai.configuration import Configuration
from runai.exceptions import ApiException
from runai.runai_client import RunaiClient

from tests.outside.servers import (
    CLIENT_ID,
    CLIENT_SECRET,
    CLUSTER_ID,
    PROJECT_ID,
    ControlPlane,
    control_plane,
)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with control_plane() as served:
        yield served


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[Any]:
    settings = Configuration(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        runai_base_url=plane.url,
        # It repeats every POST; here nothing fails that should be tried again.
        retry_enabled=False,
    )
    with RunaiClient(ApiClient(settings)) as entered:
        yield entered


def _body(name: str, command: str = "sleep 600") -> dict[str, Any]:
    return {
        "name": name,
        "projectId": PROJECT_ID,
        "clusterId": CLUSTER_ID,
        "spec": {"command": command, "image": "registry.example.com/train:1"},
    }


def _created(client: Any, name: str) -> str:
    answer = client.workloads.trainings.create_training1(_body(name))
    assert answer.status_code == 202
    return str(answer.data["workloadId"])


def test_it_finds_the_project_and_the_cluster(client: Any) -> None:
    (project,) = client.organizations.projects.get_projects(filter_by=["name==default"]).data[
        "projects"
    ]
    (cluster,) = client.organizations.clusters.get_clusters().data

    assert (project["id"], project["clusterId"]) == (PROJECT_ID, CLUSTER_ID)
    assert cluster["uuid"] == CLUSTER_ID


def test_it_creates_and_gets_a_training(client: Any) -> None:
    workload_id = _created(client, "made")

    got = client.workloads.trainings.get_training(workload_id)
    seen = client.workloads.workloads.get_workload(workload_id)

    assert (got.status_code, seen.data["id"]) == (200, workload_id)
    assert got.data["requestedName"] == "made"
    assert got.data["desiredPhase"] == "Running"
    assert got.data["spec"] == _body("made")["spec"]


def test_it_is_told_that_a_name_is_taken(client: Any) -> None:
    _created(client, "taken")

    with pytest.raises(ApiException) as refusal:
        client.workloads.trainings.create_training1(_body("taken"))

    assert refusal.value.status == 400
    assert "already exists" in str(refusal.value.body)


def test_it_is_told_which_field_is_wrong(client: Any) -> None:
    body = _body("wrong")
    body["spec"]["backoffLimit"] = "6"

    with pytest.raises(ApiException) as refusal:
        client.workloads.trainings.create_training1(body)

    assert refusal.value.status == 400
    assert "backoffLimit" in str(refusal.value.body)


def test_it_lists_and_counts(client: Any) -> None:
    ids = {_created(client, f"listed-{number}") for number in range(3)}
    wanted = ["name=^listed-", f"projectId=={PROJECT_ID}"]

    first = client.workloads.workloads.get_workloads(
        filter_by=wanted, limit=2, sort_by="createdAt", sort_order="asc"
    ).data
    rest = client.workloads.workloads.get_workloads(
        filter_by=wanted, offset=first["next"], sort_by="createdAt", sort_order="asc"
    ).data
    count = client.workloads.workloads.count_workloads(filter_by=wanted).data

    assert {one["id"] for one in (*first["workloads"], *rest["workloads"])} == ids
    assert "next" not in rest
    assert count == {"count": 3}


def test_it_reads_events_history_and_pods(client: Any) -> None:
    workload_id = _created(client, "watched")

    events = client.workloads.events.get_workload_events(workload_id).data["events"]
    history = client.workloads.events.get_workload_history(workload_id).data
    pods = client.workloads.pods.get_workload_pods(workload_id).data

    assert all(event["involvedObject"]["uid"] == workload_id for event in events)
    assert history
    assert "pods" in pods


def test_it_suspends_resumes_and_deletes(client: Any) -> None:
    workload_id = _created(client, "moved")
    trainings = client.workloads.trainings

    statuses = []
    desired = []
    for command in (trainings.suspend_training, trainings.resume_training):
        statuses.append(command(workload_id).status_code)
        desired.append(trainings.get_training(workload_id).data["desiredPhase"])
    statuses.append(trainings.delete_training(workload_id).status_code)

    assert statuses == [202, 202, 202]
    assert desired == ["Stopped", "Running"]


def test_it_commands_many_at_once(client: Any) -> None:
    ids = [_created(client, f"many-{number}") for number in range(2)]
    unknown = "00000000-0000-4000-8000-000000000000"

    answer = client.workloads.workloads_batch.batch_workloads(
        {"ids": [*ids, unknown], "action": "delete"}
    )

    assert answer.status_code == 200
    assert set(answer.data["succeeded"]) == set(ids)
    assert [one["id"] for one in answer.data["failed"]] == [unknown]


def test_it_says_when_a_training_is_gone(client: Any) -> None:
    with pytest.raises(ApiException) as refusal:
        client.workloads.trainings.get_training("00000000-0000-4000-8000-000000000000")

    assert refusal.value.status == 404


def test_a_wrong_secret_opens_nothing(plane: ControlPlane) -> None:
    settings = Configuration(
        client_id=CLIENT_ID,
        client_secret="wrong",
        runai_base_url=plane.url,
        retry_enabled=False,
    )

    with pytest.raises(ValueError, match="401"):
        ApiClient(settings)
