from pathlib import Path
from typing import Any

import pytest

from tests.local.planes import WORKLOADS, Client, world

BATCH = f"{WORKLOADS}/batch"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.looptime
async def test_a_batch_does_what_it_can(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        ids = [await client.create(name) for name in ("one", "two")]

        answer = await client.http.post(
            BATCH, json={"ids": [ids[0], UNKNOWN, "seven", ids[1]], "action": "suspend"}
        )

        for workload_id in ids:
            await client.until(workload_id, "Stopped")
    reply = answer.json()
    assert answer.status_code == 200
    assert reply["succeeded"] == ids
    assert [(one["id"], one["code"]) for one in reply["failed"]] == [(UNKNOWN, 404), ("seven", 404)]
    assert reply["id"]


@pytest.mark.looptime
@pytest.mark.parametrize(("action", "phase"), [("resume", "Running"), ("delete", "gone")])
async def test_a_batch_knows_all_commands(tmp_path: Path, action: str, phase: str) -> None:
    async with world(tmp_path).open() as client:
        workload_id = await client.create()
        await client.command(workload_id, "suspend")
        await client.until(workload_id, "Stopped")

        await client.http.post(BATCH, json={"ids": [workload_id], "action": action})

        await client.until(workload_id, phase)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": [UNKNOWN], "action": "stop"}, "action"),
        ({"ids": [], "action": "delete"}, "ids"),
        ({"ids": [UNKNOWN] * 101, "action": "delete"}, "ids"),
        ({"ids": [7], "action": "delete"}, "ids[0]"),
        ({"action": "delete"}, "ids"),
        ({"ids": [UNKNOWN]}, "action"),
    ],
)
async def test_a_batch_that_is_none_says_where(
    tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    async with world(tmp_path).open() as client:
        answer = await _posted(client, body)

    assert answer.status_code == 400
    assert [issue["field"] for issue in answer.json()["complianceIssues"]] == [field]


async def _posted(client: Client, body: dict[str, Any]) -> Any:
    return await client.http.post(BATCH, json=body)
