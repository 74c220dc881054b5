import subprocess
import sys
from collections.abc import Iterator, Mapping

import httpx
import pytest

from sweeper.domain.phase import Phase
from sweeper.errors import StoreError
from sweeper.local import testing
from sweeper.local.simulated import Course
from sweeper.local.switches import Switches
from sweeper.local.testing import RunningPlane, WaitError, running_plane
from tests.local.planes import TRAININGS, WORKLOADS

runai_control_plane = testing.runai_control_plane


@pytest.fixture
def http(runai_control_plane: RunningPlane) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=runai_control_plane.base_url) as client:
        client.headers.update(bearer(client, runai_control_plane))
        yield client


def bearer(client: httpx.Client, plane: RunningPlane) -> Mapping[str, str]:
    secret = {"clientId": plane.client_id, "clientSecret": plane.client_secret}
    token = client.post("/api/v1/token", json=secret).json()["accessToken"]
    return {"Authorization": f"Bearer {token}"}


def create(http: httpx.Client, plane: RunningPlane, **spec: object) -> str:
    body = {"name": "one", "projectId": plane.project_id, "clusterId": plane.cluster_id}
    answer = http.post(TRAININGS, json={**body, "spec": {"command": "true", **spec}})
    return str(answer.json()["workloadId"])


@pytest.mark.parametrize(("exit_code", "phase"), [(0, Phase.COMPLETED), (3, Phase.FAILED)])
def test_a_test_decides_how_a_training_ends(
    http: httpx.Client, runai_control_plane: RunningPlane, exit_code: int, phase: Phase
) -> None:
    workload_id = create(http, runai_control_plane, restartPolicy="Never")

    runai_control_plane.finish(workload_id, exit_code)

    runai_control_plane.wait_for(workload_id, phase)
    assert http.get(f"{TRAININGS}/{workload_id}").json()["actualPhase"] == phase.value


def test_a_node_can_be_lost(http: httpx.Client, runai_control_plane: RunningPlane) -> None:
    workload_id = create(http, runai_control_plane)
    runai_control_plane.wait_for(workload_id, Phase.RUNNING)

    runai_control_plane.lose_node()
    runai_control_plane.finish(workload_id)

    runai_control_plane.wait_for(workload_id, Phase.COMPLETED)
    events = http.get(f"{WORKLOADS}/{workload_id}/events").json()["events"]
    assert "NodeLost" in {event["reason"] for event in events}


def test_what_does_not_run_cannot_be_finished(
    http: httpx.Client, runai_control_plane: RunningPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "PATIENCE", 0.01)
    workload_id = create(http, runai_control_plane, compute={"gpuDevicesRequest": 9})

    with pytest.raises(WaitError, match=f"{workload_id} does not run"):
        runai_control_plane.finish(workload_id)
    with pytest.raises(WaitError, match=f"{workload_id} is not Running"):
        runai_control_plane.wait_for(workload_id, Phase.RUNNING)


def test_a_programs_environment_leads_there(runai_control_plane: RunningPlane) -> None:
    environment = runai_control_plane.environment

    assert environment["RUNAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert environment["RUNAI_PROJECT"] == "default"
    assert runai_control_plane.client_secret not in repr(runai_control_plane)


def test_courses_and_switches_can_be_chosen() -> None:
    switches = Switches(duplicate_status=409)
    course = Course(seconds=0)
    with (
        running_plane(cores=4, memory=2**30, switches=switches, play=lambda order: course) as plane,
        httpx.Client(base_url=plane.base_url) as client,
    ):
        client.headers.update(bearer(client, plane))
        plane.wait_for(create(client, plane), Phase.COMPLETED)
        body = {"name": "one", "projectId": plane.project_id, "clusterId": plane.cluster_id}

        assert client.post(TRAININGS, json=body).status_code == 409


def test_two_at_once_are_two_worlds() -> None:
    with running_plane() as one, running_plane() as other:
        assert one.base_url != other.base_url
        assert one.client_secret != other.client_secret


def test_what_keeps_it_from_opening_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(testing, "open_plane_on", broken)

    with pytest.raises(StoreError, match="disk"), running_plane():
        pass


def test_it_can_be_imported_without_pytest() -> None:
    program = (
        "import sys; sys.modules['pytest'] = None; "
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'pytest' else find(name, *a); "
        "import sweeper.local.testing as t; assert not hasattr(t, 'runai_control_plane')"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
