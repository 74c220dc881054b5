from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import httpx
import pytest

from sweeper.local.switches import Switches, TokenEndpoints
from sweeper.local.testing import RunningPlane, running_plane
from tests.local.planes import TRAININGS, WORKLOADS


@contextmanager
def switched(switches: Switches) -> Iterator[tuple[RunningPlane, httpx.Client]]:
    with running_plane(switches=switches) as plane, httpx.Client(base_url=plane.base_url) as http:
        form = {"grant_type": "client_credentials", "client_id": plane.client_id}
        form["client_secret"] = plane.client_secret
        token = http.post("/api/v2/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield plane, http


def body(plane: RunningPlane, name: str) -> dict[str, object]:
    places = {"projectId": plane.project_id, "clusterId": plane.cluster_id}
    return {"name": name, **places, "spec": {"command": "true"}}


@pytest.mark.parametrize(("illegal", "status"), [(None, 202), (400, 400)])
def test_commands_that_make_no_sense_can_be_refused(
    illegal: Literal[400] | None, status: int
) -> None:
    with switched(Switches(illegal_status=illegal)) as (plane, http):
        workload_id = http.post(TRAININGS, json=body(plane, "one")).json()["workloadId"]

        answer = http.post(f"{TRAININGS}/{workload_id}/resume")

        assert answer.status_code == status
        assert http.post(f"{TRAININGS}/{workload_id}/suspend").status_code == 202


@pytest.mark.parametrize(("hold_names", "status"), [(True, 400), (False, 202)])
def test_names_can_be_held_to_the_contract_alone(hold_names: bool, status: int) -> None:
    with switched(Switches(hold_names=hold_names)) as (plane, http):
        assert http.post(TRAININGS, json=body(plane, "Upper")).status_code == status


def test_the_wider_api_can_be_left_out() -> None:
    with switched(Switches(has_wider_api=False)) as (plane, http):
        assert http.get(WORKLOADS).status_code == 404
        assert http.post(TRAININGS, json=body(plane, "one")).status_code == 202


def test_a_token_call_can_be_left_out() -> None:
    with switched(Switches(token_endpoints=TokenEndpoints.V2)) as (_, http):
        assert http.post("/api/v1/token", json={}).status_code == 404
