"""Quotas as clients of the API meet them; the scheduler's own tests are beside its modules."""

from pathlib import Path
from typing import Any

import pytest

from sweeper.local.configuration import parse_configuration
from tests.local.planes import TRAININGS, Client, World, creation, gpus, world

CONFIGURATION = b"""
nodes:
  - {name: n1, pool: small, gpus: 1}
  - {name: n2, pool: large, gpus: 2, node_type: dgx}
projects:
  - {name: a, quota: 1, node_pools: [large]}
  - {name: b, quota: 0, limit: 2, node_pools: [large, small]}
"""


def configured(tmp_path: Path) -> World:
    return world(tmp_path, configuration=parse_configuration(CONFIGURATION, "local.yaml"))


async def create(client: Client, name: str, project_id: str, **spec: Any) -> str:
    body = {**creation(name, **{**gpus(1), **spec}), "projectId": project_id}
    answer = await client.http.post(TRAININGS, json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["workloadId"])


async def item(client: Client, workload_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.http.get(f"/api/v1/workloads/{workload_id}")).json()
    return found


@pytest.mark.looptime
async def test_the_project_that_deserves_it_takes_a_gpu_and_gives_it_back(tmp_path: Path) -> None:
    here = configured(tmp_path)
    async with here.open() as client:
        over = [await create(client, f"b{number}", "2") for number in range(2)]
        for workload_id in over:
            await client.until(workload_id, "Running")

        mine = await create(client, "a0", "1")
        await client.until(mine, "Running")
        phases = [await client.phase(workload_id) for workload_id in over]
        (event,) = [one for one in await client.events(over[1]) if one["reason"] == "Evict"]
        assert await client.command(mine, "delete") == 202
        await client.until(over[1], "Running")

    assert phases[0] == "Running"
    assert event["message"] == "Pod b1 was preempted by workload a0"


@pytest.mark.looptime
async def test_what_is_not_preemptible_waits_for_its_quota_with_the_reason(tmp_path: Path) -> None:
    here = configured(tmp_path)
    async with here.open() as client:
        first = await create(client, "one", "1", priorityClass="build")
        second = await create(client, "two", "1", priorityClass="build")
        await client.until(first, "Running")
        waiting = await item(client, second)

        here.runtime.end(f"{first}-1")
        await client.until(second, "Running")

    assert (waiting["phase"], waiting["phaseReason"]) == ("Pending", "NonPreemptibleOverQuota")
    assert "a quota is 1 GPUs, while 1 GPUs are already allocated" in waiting["phaseMessage"]


@pytest.mark.looptime
async def test_a_limit_is_told_in_the_listing(tmp_path: Path) -> None:
    here = configured(tmp_path)
    async with here.open() as client:
        for number in range(2):
            name = f"b{number}"
            await client.until(await create(client, name, "2", nodePools=["large"]), "Running")
        third = await create(client, "b2", "2", nodePools=["large"])
        await client.until(third, "Pending")
        waiting = await item(client, third)
        listed = await client.listing("filterBy=projectName==b,phase==Pending")

    assert waiting["phaseReason"] == "OverLimit"
    assert [one["id"] for one in listed["workloads"]] == [third]


@pytest.mark.looptime
async def test_the_listing_names_the_node_pool_in_which_a_training_runs(tmp_path: Path) -> None:
    here = configured(tmp_path)
    async with here.open() as client:
        workload_id = await create(client, "one", "2", nodePools=["small", "large"])
        await client.until(workload_id, "Running")
        found = await item(client, workload_id)

    assert (found["currentNodePools"], found["projectName"]) == (["small"], "b")


@pytest.mark.looptime
async def test_where_a_training_runs_outlives_the_control_plane(tmp_path: Path) -> None:
    here = configured(tmp_path)
    async with here.open() as client:
        first = await create(client, "one", "2", nodePools=["small"])
        await client.until(first, "Running")
    async with here.open() as client:
        second = await create(client, "two", "2", nodePools=["small", "large"])
        await client.until(second, "Running")
        pools = (await item(client, second))["currentNodePools"]

    assert pools == ["large"]


@pytest.mark.looptime
async def test_only_gpus_of_the_machine_are_leased(tmp_path: Path) -> None:
    here = configured(tmp_path)
    here.gpus = 1
    async with here.open() as client:
        for pool in ("small", "large"):
            await client.until(await create(client, pool, "2", nodePools=[pool]), "Running")

    real, counted = here.runtime.orders
    assert len(real.lock_files) == 1
    assert counted.lock_files == ()
    assert counted.environment["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.mark.looptime
async def test_the_listing_tells_what_is_held_and_for_which_department(tmp_path: Path) -> None:
    text = b"""
nodes: [{name: n1, pool: small, gpus: 2, cores: 8, memory: 8G}]
departments: [{name: x}]
projects: [{name: a}, {name: b, department: x}]
"""
    here = world(tmp_path, configuration=parse_configuration(text, "local.yaml"))
    compute = {"gpuDevicesRequest": 1, "cpuCoreRequest": 0.5, "cpuMemoryRequest": "1G"}
    async with here.open() as client:
        await client.create("first")
        workload_id = await create(
            client, "one", "2", compute=compute, parallelism=2, completions=2
        )
        await client.until(workload_id, "Running")
        wanted = "departmentId==x,departmentName==x,allocatedGPU>=2"
        (found,) = (await client.listing(f"filterBy={wanted}"))["workloads"]
        ordered = (await client.listing("sortBy=departmentName"))["workloads"]
        pods = (await client.http.get(f"/api/v1/workloads/{workload_id}/pods")).json()["pods"]

    assert (found["id"], found["departmentId"]) == (workload_id, "x")
    assert found["allocatedResources"] == {
        "gpu": {"request": 2.0},
        "cpu": {"request": 1.0},
        "cpuMemory": {"request": 2e9},
    }
    assert [one["departmentName"] for one in ordered] == ["default", "x"]
    assert {(pod["currentNodePool"], pod["nodeName"]) for pod in pods} == {("small", "n1")}
