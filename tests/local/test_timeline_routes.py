from pathlib import Path

import pytest

from tests.local.planes import WORKLOADS, Client, world


async def history(client: Client, workload_id: str, query: str = "") -> list[str]:
    """Return phases and reasons of events, in the order answered."""
    answer = await client.http.get(f"{WORKLOADS}/{workload_id}/history?{query}")
    assert answer.status_code == 200, answer.text
    found = []
    for record in answer.json()["records"]:
        spec = record["spec"]
        is_event = record["meta"]["type"] == "Event"
        found.append(spec["event"]["reason"] if is_event else spec["phaseUpdate"]["phase"])
    return found


@pytest.mark.looptime
async def test_the_history_tells_phases_and_events_in_order(tmp_path: Path) -> None:
    there = world(tmp_path)
    async with there.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")
        there.runtime.end(there.runtime.running[0])
        await client.until(workload_id, "Completed")

        told = await history(client, workload_id)
        first = await history(client, workload_id, "limit=1")

    phases = [word for word in told if word != "Started"]
    assert phases == [
        *("Creating", "Pending", "Initializing", "Running"),
        *("Completed", "Completed"),
    ]
    assert first == ["Creating"]


@pytest.mark.looptime
async def test_the_history_is_there_after_the_next_opening(tmp_path: Path) -> None:
    there = world(tmp_path)
    async with there.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")
        before = await history(client, workload_id)

    async with there.open() as client:
        assert await history(client, workload_id) == before


@pytest.mark.looptime
async def test_the_pods_are_those_at_work(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        workload_id = await client.create("one", image="ours:1", completions=2, parallelism=2)
        await client.until(workload_id, "Running")

        answer = await client.http.get(f"{WORKLOADS}/{workload_id}/pods")

    pods = answer.json()["pods"]
    assert [pod["k8sPhase"] for pod in pods] == ["Running", "Running"]
    assert len({pod["id"] for pod in pods}) == 2
    assert {pod["workloadName"] for pod in pods} == {"one"}
    assert [pod["containers"][0]["image"] for pod in pods] == ["ours:1", "ours:1"]
