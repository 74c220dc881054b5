"""What befalls trainings by plan, and by hand through the admin calls."""

from pathlib import Path

import httpx
import pytest

from sweeper.clock import pause
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local.faults.plan import (
    Delete,
    ExpireTokens,
    FaultPlan,
    Happening,
    LoseNode,
    Misfortune,
    Preempt,
    RuleStop,
    Sticking,
    Suspend,
)
from sweeper.local.simulated import Course
from tests.local.faults.faulty import Faulty, faulty, request

pytestmark = pytest.mark.looptime


def at(misfortune: Misfortune, seconds: float = 10, every: float | None = None) -> FaultPlan:
    return FaultPlan(happenings=(Happening(misfortune=misfortune, at=seconds, every=every),))


async def running(here: Faulty, number: int = 1) -> list[str]:
    created = [await here.remote.create(request(f"swp-{at}")) for at in range(number)]
    ids = [one.workload_id for one in created]
    for workload_id in ids:
        await here.client.until(workload_id, "Running")
    return ids


async def reasons(here: Faulty, ids: list[str]) -> list[str]:
    return [reason for one in ids for reason in await here.client.reasons(one)]


async def test_a_storm_preempts_a_share_which_starts_again(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(Preempt(share=0.5))) as here:
        ids = await running(here, 4)

        await pause(11)

        assert (await reasons(here, ids)).count("Evict") == 2
        assert [await here.client.phase(one) for one in ids] == ["Running"] * 4
        assert len(here.runtime.orders) == 6


async def test_a_storm_comes_again_until_its_end(tmp_path: Path) -> None:
    storm = Happening(misfortune=Preempt(), at=10, every=20, until=60)
    async with faulty(tmp_path, FaultPlan(happenings=(storm,))) as here:
        ids = await running(here)

        await pause(200)

        assert (await reasons(here, ids)).count("Evict") == 3


@pytest.mark.parametrize("desired", ["Stopped", "Running"])
async def test_a_rule_stops_a_training(tmp_path: Path, desired: str) -> None:
    rule = RuleStop(desired=desired)  # type: ignore[arg-type] # both words are known
    async with faulty(tmp_path, at(rule)) as here:
        (workload_id,) = await running(here)

        await pause(11)
        stopped = await here.remote.get(workload_id)
        await here.remote.resume(workload_id)
        await here.client.until(workload_id, "Running")

        assert stopped.phase is Phase.STOPPED
        assert stopped.desired_phase is DesiredPhase(desired)
        assert "Stopped" in await reasons(here, [workload_id])


async def test_somebody_suspends(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(Suspend())) as here:
        (workload_id,) = await running(here)

        await pause(11)

        assert await here.client.phase(workload_id) == "Stopped"


async def test_somebody_deletes(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(Delete())) as here:
        (workload_id,) = await running(here)

        await pause(11)

        assert await here.client.phase(workload_id) == "gone"


async def test_a_node_is_lost_and_the_training_starts_elsewhere(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(LoseNode())) as here:
        (workload_id,) = await running(here)

        await pause(11)

        assert "NodeLost" in await reasons(here, [workload_id])
        assert here.runtime.running == [f"{workload_id}-2"]
        assert here.runtime.stops == [(f"{workload_id}-1", 0)]


async def test_tokens_expire_by_plan(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(ExpireTokens())) as here:
        await here.remote.observe("swp-")
        await pause(11)

        await here.remote.observe("swp-")

        assert len([call for call in here.calls if "token" in str(call).lower()]) == 2


async def test_what_is_stuck_comes_through_in_the_end(tmp_path: Path) -> None:
    stuck = FaultPlan(sticking=(Sticking(phase="Creating", seconds=30),))
    async with faulty(tmp_path, stuck) as here:
        created = await here.remote.create(request())
        await pause(29)
        early = await here.client.phase(created.workload_id)

        await pause(2)

        assert (early, await here.client.phase(created.workload_id)) == ("Creating", "Running")


async def test_what_is_stuck_resuming_can_be_suspended_again(tmp_path: Path) -> None:
    stuck = FaultPlan(sticking=(Sticking(phase="Resuming", until=100),))
    async with faulty(tmp_path, stuck) as here:
        (workload_id,) = await running(here)
        await here.remote.suspend(workload_id)
        await here.client.until(workload_id, "Stopped")
        await here.remote.resume(workload_id)
        await pause(200)
        late = await here.client.phase(workload_id)

        await here.remote.suspend(workload_id)
        await here.client.until(workload_id, "Stopped")
        await here.remote.resume(workload_id)
        await here.client.until(workload_id, "Running")

        assert late == "Resuming"


@pytest.mark.parametrize(
    "sticking",
    [
        pytest.param(Sticking(phase="Creating", share=0), id="share"),
        pytest.param(Sticking(phase="Creating", since=1000), id="window"),
        pytest.param(Sticking(phase="Resuming"), id="phase"),
    ],
)
async def test_nothing_sticks_that_is_not_meant(tmp_path: Path, sticking: Sticking) -> None:
    async with faulty(tmp_path, FaultPlan(sticking=(sticking,))) as here:
        assert len(await running(here)) == 1


async def test_what_is_finished_is_deleted_at_once(tmp_path: Path) -> None:
    def play(order: object) -> Course:
        return Course(seconds=5)

    async with faulty(tmp_path, FaultPlan(deletes_at_once=True), play) as here:
        (workload_id,) = await running(here)

        await pause(6)

        (gone,) = await here.remote.find("swp-0", deleted=True)
        assert gone.workload_id == workload_id
        assert gone.phase is Phase.COMPLETED


async def test_a_plan_is_shown_and_replaced_while_the_server_runs(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        http = here.client.http
        plan = {"seed": 3, "rules": [{"fault": {"kind": "status"}, "on": ["count"]}]}

        put = await http.put("/admin/faults", json=plan)
        counted = await http.get("/api/v1/workloads/count")
        shown = await http.get("/admin/faults")

        assert put.status_code == shown.status_code == 200
        assert counted.status_code == 503
        assert shown.json()["plan"]["seed"] == 3
        assert shown.json()["rules"] == [{"asked": 1, "hit": 1}]


async def test_a_new_plan_begins_when_it_is_given(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        ids = await running(here)
        await pause(100)

        here.faults.replace(at(Preempt()))
        await pause(9)
        early = await reasons(here, ids)
        await pause(2)

        assert "Evict" not in early
        assert "Evict" in await reasons(here, ids)


@pytest.mark.parametrize(
    ("word", "phase"),
    [("preempt", "Running"), ("suspend", "Stopped"), ("rule-stop", "Stopped"), ("delete", "gone")],
)
async def test_a_misfortune_happens_by_hand(tmp_path: Path, word: str, phase: str) -> None:
    async with faulty(tmp_path) as here:
        (workload_id,) = await running(here)

        answer = await here.admin(word, share=1)
        await pause(1)

        assert answer.json() == {"hit": 1}
        assert await here.client.phase(workload_id) == phase


async def test_misfortunes_by_hand_have_bounds(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        wrong = await here.admin("preempt", share=3)
        large = await here.client.http.put("/admin/faults", content=b"x" * 2_000_000)
        broken = await here.client.http.put("/admin/faults", content=b"[")

        assert [one.status_code for one in (wrong, large, broken)] == [400, 400, 400]
        assert wrong.json()["message"].startswith("body:1:2: share: 3: ")


async def test_the_admin_calls_are_off_by_default(tmp_path: Path) -> None:
    async with faulty(tmp_path, admin=False) as here:
        answers = [await here.client.http.get("/admin/faults"), await here.admin("preempt")]

        assert [answer.status_code for answer in answers] == [404, 404]


async def test_the_admin_calls_need_a_token(tmp_path: Path) -> None:
    async with faulty(tmp_path) as here:
        here.client.http.auth = httpx.Auth()

        assert (await here.admin("preempt")).status_code == 401


async def test_misfortunes_hit_nobody_where_nobody_is(tmp_path: Path) -> None:
    async with faulty(tmp_path, at(Preempt(), every=5)) as here:
        await pause(60)

        assert (await here.admin("lose-node")).json() == {"hit": 0}
