import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeper.clock import pause
from sweeper.local.runtime import StartOrder
from sweeper.local.simulated import Course, SimulatedRuntime
from tests.local.planes import TRAININGS, Client, World, gpus, world

pytestmark = pytest.mark.looptime

BUILD = {"priorityClass": "build"}


def elapsed() -> float:
    return asyncio.get_running_loop().time()


async def test_a_training_runs_to_its_end(tmp_path: Path) -> None:
    async with world(tmp_path, lambda order: Course(seconds=60)).open() as client:
        workload_id = await client.create()

        await client.until(workload_id, "Completed")

        assert elapsed() == pytest.approx(60, abs=0.1)
        assert await client.reasons(workload_id) == ["Started", "Completed"]
        assert "exit code 0" in (await client.events(workload_id))[-1]["message"]


async def test_the_order_says_what_the_spec_says(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=2, environment={"PATH": "/bin", "LR": "1"})
    async with here.open() as client:
        variables = [{"name": "LR", "value": "2"}]
        workload_id = await client.create(
            args="--lr '0 1'", workingDir="sub", environmentVariables=variables, **gpus(2)
        )
        await client.until(workload_id, "Running")

    (order,) = here.runtime.orders
    assert order == StartOrder(
        key=f"{workload_id}-1",
        argv=("true", "--lr", "0 1"),
        directory=str(tmp_path / "sub"),
        environment={
            "PATH": "/bin",
            "LR": "2",
            "RUNAI_PROJECT": "default",
            "RUNAI_JOB_NAME": "one",
            "RUNAI_JOB_UUID": workload_id,
            "RUNAI_NUM_OF_GPUS": "2",
            "CUDA_VISIBLE_DEVICES": "0,1",
        },
        log_file=str(tmp_path / "logs" / "one.log"),
        lock_files=(str(tmp_path / "gpus" / "gpu-0.lock"), str(tmp_path / "gpus" / "gpu-1.lock")),
    )


async def test_without_gpus_the_environment_is_left_as_it_is(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=1, environment={"CUDA_VISIBLE_DEVICES": "7"})
    async with here.open() as client:
        await client.until(await client.create(), "Running")

    assert here.runtime.orders[0].environment["CUDA_VISIBLE_DEVICES"] == "7"
    assert here.runtime.orders[0].lock_files == ()


@pytest.mark.parametrize("exit_code", [143, 0])
async def test_a_suspend_stops_and_a_resume_starts_again(tmp_path: Path, exit_code: int) -> None:
    here = world(tmp_path, lambda order: Course(term_seconds=3, term_exit_code=exit_code))
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")

        assert await client.command(workload_id, "suspend") == 202
        assert await client.phase(workload_id) == "Stopping"
        await client.until(workload_id, "Stopped")
        assert elapsed() == pytest.approx(3, abs=0.1)
        assert await client.command(workload_id, "resume") == 202
        await client.until(workload_id, "Running")

    assert [order.key[-2:] for order in here.runtime.orders] == ["-1", "-2"]


@pytest.mark.parametrize("grace", [0, 5, 30])
@pytest.mark.parametrize("word", ["suspend", "delete"])
async def test_every_stop_honours_the_grace(tmp_path: Path, word: str, grace: int) -> None:
    async with world(tmp_path, lambda order: Course(term_seconds=None)).open() as client:
        workload_id = await client.create(terminationGracePeriodSeconds=grace)
        await client.until(workload_id, "Running")

        await client.command(workload_id, word)
        await client.until(workload_id, "gone" if word == "delete" else "Stopped")

        assert elapsed() == pytest.approx(grace, abs=0.1)


async def test_a_preemption_honours_the_grace(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(term_seconds=None), gpus=1)
    async with here.open() as client:
        low = await client.create("low", terminationGracePeriodSeconds=7, **gpus(1))
        await client.until(low, "Running")

        high = await client.create("high", **gpus(1), **BUILD)
        await client.until(high, "Running")

        assert elapsed() == pytest.approx(7, abs=0.1)


async def test_a_stop_is_asked_for_once(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(term_seconds=3))
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")

        for word in ("suspend", "resume", "suspend", "delete"):
            await client.command(workload_id, word)
        await client.until(workload_id, "gone")

    assert here.runtime.stops == [(f"{workload_id}-1", 30.0)]


async def test_a_phase_never_begins_before_the_one_before_it(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.runtime = SimulatedRuntime(now=lambda: here.now() - timedelta(hours=1))
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")
        await pause(60)
        here.runtime.end(f"{workload_id}-1")
        await client.until(workload_id, "Completed")

        (item,) = (await client.listing())["workloads"]
        assert item["createdAt"] <= item["phaseUpdatedAt"] == item["completedAt"]


async def test_a_suspend_without_a_process_is_done_at_once(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create(**gpus(1))
        await client.until(workload_id, "Pending")

        await client.command(workload_id, "suspend")

        assert await client.phase(workload_id) == "Stopped"
        assert here.runtime.stops == []


@pytest.mark.parametrize("word", ["suspend", "resume"])
async def test_commands_to_a_finished_training_change_nothing(tmp_path: Path, word: str) -> None:
    async with world(tmp_path, lambda order: Course(seconds=0)).open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Completed")

        assert await client.command(workload_id, word) == 202

        assert await client.phase(workload_id) == "Completed"


async def test_a_deleted_training_is_gone_with_the_phase_it_had(tmp_path: Path) -> None:
    async with world(tmp_path, lambda order: Course(seconds=0)).open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Completed")

        assert await client.command(workload_id, "delete") == 202
        assert await client.phase(workload_id) == "gone"

        (item,) = (await client.listing("deleted=true"))["workloads"]
        assert item["phase"] == "Completed"
        assert await client.command(workload_id, "delete") == 404


async def test_commands_sent_at_once_are_all_accepted(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")

        async with asyncio.TaskGroup() as group:
            words = ["suspend", "suspend", "resume", "suspend", "delete", "delete"]
            sent = [group.create_task(client.command(workload_id, word)) for word in words]

        assert {task.result() for task in sent} <= {202, 404}
        await client.until(workload_id, "gone")


async def test_higher_priority_preempts_and_the_preempted_comes_back(tmp_path: Path) -> None:
    def play(order: StartOrder) -> Course:
        return Course(seconds=100 if "low" in order.log_file else 10, term_seconds=1)

    async with world(tmp_path, play, gpus=1).open() as client:
        low = await client.create("low", backoffLimit=0, **gpus(1))
        await client.until(low, "Running")
        high = await client.create("high", **gpus(1), **BUILD)
        await client.until(high, "Completed")
        await client.until(low, "Completed")

        assert elapsed() == pytest.approx(111, abs=0.5)
        assert await client.reasons(low) == ["Started", "Evict", "Started", "Completed"]
        (evict,) = [event for event in await client.events(low) if event["reason"] == "Evict"]
        assert "was preempted by higher priority workload high" in evict["message"]


async def test_a_training_waits_in_pending_and_says_why(tmp_path: Path) -> None:
    async with world(tmp_path, gpus=1).open() as client:
        await client.until(await client.create("one", **gpus(1)), "Running")

        for name, count in (("two", 1), ("three", 2)):
            await client.until(await client.create(name, **gpus(count)), "Pending")

        _, two, three = (await client.listing("sortBy=createdAt"))["workloads"]
        assert "Not enough resources" in two["phaseMessage"]
        assert "phaseReason" not in two
        assert three["phaseReason"] == "OverLimit"


async def test_a_failed_process_is_tried_again_after_a_backoff(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=1, exit_code=3))
    async with here.open() as client:
        workload_id = await client.create(backoffLimit=2)

        await client.until(workload_id, "Failed")

        assert elapsed() == pytest.approx(1 + 10 + 1 + 20 + 1, abs=0.5)
        assert await client.reasons(workload_id) == [
            *("Started", "BackOff", "Started", "BackOff", "Started", "Failed")
        ]
        assert all(
            "exit code 3" in event["message"]
            for event in await client.events(workload_id)
            if event["type"] == "Warning"
        )


async def test_what_cannot_be_started_fails_and_says_why(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(start_error="no python on PATH (/bin)"))
    async with here.open() as client:
        workload_id = await client.create()

        await client.until(workload_id, "Failed")

        (event,) = await client.events(workload_id)
        assert event["message"] == "The process cannot be started: no python on PATH (/bin)"
        assert here.runtime.orders == []


async def test_a_secret_that_is_not_there_is_named_before_anything_is_started(
    tmp_path: Path,
) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        secret = {"name": "KEY", "secret": {"name": "a", "key": "b"}}
        workload_id = await client.create(environmentVariables=[secret])

        await client.until(workload_id, "Failed")

        (event,) = await client.events(workload_id)
        assert "(KEY): secret a does not exist" in event["message"]
        assert here.runtime.orders == []


async def test_a_lost_process_starts_again(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create(backoffLimit=0)
        await client.until(workload_id, "Running")

        here.runtime.lose()
        await client.until(workload_id, "Initializing")
        await client.until(workload_id, "Running")

        assert await client.reasons(workload_id) == ["Started", "NodeLost", "Started"]


async def test_a_gpu_in_use_elsewhere_is_waited_for(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=1)
    here.runtime.taken = {str(tmp_path / "gpus" / "gpu-0.lock")}
    async with here.open() as client:
        workload_id = await client.create(**gpus(1))
        await pause(1)
        assert await client.phase(workload_id) == "Pending"
        (item,) = (await client.listing())["workloads"]
        assert "another control plane of this machine uses" in item["phaseMessage"]

        here.runtime.taken.clear()
        await client.until(workload_id, "Running")

        assert elapsed() == pytest.approx(5, abs=0.5)


async def test_another_gpu_is_taken_when_one_is_in_use_elsewhere(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=2)
    here.runtime.taken = {str(tmp_path / "gpus" / "gpu-0.lock")}
    async with here.open() as client:
        await client.until(await client.create(**gpus(1)), "Running")

        assert elapsed() == pytest.approx(0, abs=0.1)
        assert here.runtime.orders[0].environment["CUDA_VISIBLE_DEVICES"] == "1"


async def test_an_order_is_repeated_until_it_is_answered(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.is_available = False
        workload_id = await client.create()
        await pause(60)
        assert await client.phase(workload_id) == "Initializing"

        here.runtime.is_available = True
        await client.until(workload_id, "Running")

        assert len(here.runtime.orders) == 1


async def test_an_order_whose_answer_was_lost_starts_one_process(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.drops_answers = True
        workload_id = await client.create()
        await pause(60)

        here.runtime.drops_answers = False
        await client.until(workload_id, "Running")

        assert len(here.runtime.orders) == 1


@pytest.mark.parametrize(("word", "end"), [("suspend", "Stopped"), ("delete", "gone")])
async def test_a_stop_while_the_order_is_not_answered_takes_effect_after_it(
    tmp_path: Path, word: str, end: str
) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.drops_answers = True
        workload_id = await client.create()
        await pause(1)

        assert await client.command(workload_id, word) == 202
        here.runtime.drops_answers = False
        await client.until(workload_id, end)

        assert len(here.runtime.orders) == 1
        assert here.runtime.running == []


@pytest.mark.parametrize(("word", "end"), [("suspend", "Stopped"), ("delete", "gone")])
async def test_an_order_withdrawn_before_it_was_carried_out_starts_nothing(
    tmp_path: Path, word: str, end: str
) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.is_available = False
        workload_id = await client.create()
        await pause(1)
        await client.command(workload_id, word)
    here.runtime.is_available = True

    assert await adopted(here, workload_id, end) == []
    assert here.runtime.orders == []


async def test_an_order_withdrawn_before_it_was_given_is_not_given(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create()
        await client.command(workload_id, "suspend")
        await client.until(workload_id, "Stopped")

        assert len(here.runtime.orders) == len(here.runtime.stops)


class SlowRuntime(SimulatedRuntime):
    """Carries orders out at once, and answers when it is told to."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.answers = asyncio.Event()

    async def start(self, order: StartOrder) -> None:
        await super().start(order)
        await self.answers.wait()


async def test_nothing_is_forgotten_while_its_order_is_open(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.runtime = slow = SlowRuntime(play=lambda order: Course(seconds=0), now=here.now)
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Completed")
        await pause(60)
        assert list(await slow.known()) == [f"{workload_id}-1"]

        slow.answers.set()
        await pause(1)

        assert await slow.known() == {}


async def test_a_finished_training_is_deleted_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, lambda order: Course(seconds=1)).open() as client:
        workload_id = await client.create(autoDeletionTimeAfterCompletionSeconds=7200)
        await client.until(workload_id, "Completed")

        await client.until(workload_id, "gone")

        assert elapsed() == pytest.approx(7201, abs=1)
        (item,) = (await client.listing("deleted=true"))["workloads"]
        assert item["phase"] == "Completed"


async def test_a_deleted_training_is_forgotten_after_two_weeks(tmp_path: Path) -> None:
    async with world(tmp_path).open() as client:
        workload_id = await client.create()
        await client.command(workload_id, "delete")
        await client.until(workload_id, "gone")

        await pause(14 * 86_400 + 1)

        assert (await client.listing("deleted=true"))["workloads"] == []


async def test_ends_on_record_are_forgotten_by_the_runtime(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=0))
    async with here.open() as client:
        await client.until(await client.create(), "Completed")
        await pause(1)

        assert await here.runtime.known() == {}


async def test_many_short_trainings_all_complete(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=0))
    async with here.open() as client:
        async with asyncio.TaskGroup() as group:
            for number in range(100):
                group.create_task(client.create(f"a{number}"))

        while (await client.http.get(f"{TRAININGS[:-10]}/count?filterBy=phase==Completed")).json()[
            "count"
        ] < 100:
            await client.changed.wait()
            client.changed.clear()

    assert len(here.runtime.orders) == 100


async def test_an_end_may_be_heard_of_before_the_answer_to_the_order(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=0, exit_code=3))
    async with here.open() as client:
        here.runtime.drops_answers = True
        workload_id = await client.create(backoffLimit=0)

        await client.until(workload_id, "Failed")
        here.runtime.drops_answers = False
        await pause(60)

        assert await client.reasons(workload_id) == ["Started", "Failed"]
        assert len(here.runtime.orders) == 1


async def test_a_create_is_carried_out_though_nobody_waits_for_it(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=1))
    async with here.open() as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await client.create("one")
        await pause(2)

        (item,) = (await client.listing())["workloads"]
        assert item["phase"] == "Completed"


async def adopted(here: World, workload_id: str, phase: str) -> list[str]:
    """Open the control plane anew, and return all events once the phase has changed to this."""
    async with here.open() as client:
        await client.changed.wait()
        await client.until(workload_id, phase)
        return await client.reasons(workload_id)


async def test_a_process_that_ended_meanwhile_has_its_true_exit(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create(backoffLimit=0)
        await client.until(workload_id, "Running")

    here.runtime.end(f"{workload_id}-1", 7)

    assert await adopted(here, workload_id, "Failed") == ["Started", "Failed"]


async def test_an_order_carried_out_unheard_has_its_true_exit(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.drops_answers = True
        workload_id = await client.create(backoffLimit=0)
        await pause(1)
    here.runtime.end(f"{workload_id}-1", 7)
    here.runtime.drops_answers = False

    assert await adopted(here, workload_id, "Failed") == ["Started", "Failed"]
    assert len(here.runtime.orders) == 1


async def test_an_order_never_carried_out_is_given_again(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        here.runtime.is_available = False
        workload_id = await client.create()
    here.runtime.is_available = True

    assert await adopted(here, workload_id, "Running") == ["Started"]
    assert [order.key for order in here.runtime.orders] == [f"{workload_id}-1"]


async def test_a_process_that_still_runs_is_adopted(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")

    async with here.open() as client:
        assert await client.phase(workload_id) == "Running"
        here.runtime.end(f"{workload_id}-1", 0)
        await client.until(workload_id, "Completed")

    assert len(here.runtime.orders) == 1


async def test_a_process_that_nobody_knows_any_more_starts_again(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")

    here.runtime.lose()
    await here.runtime.forget([f"{workload_id}-1"])

    assert await adopted(here, workload_id, "Running") == ["Started", "NodeLost", "Started"]


async def test_a_stop_is_asked_for_again_after_a_crash(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(term_seconds=None))
    async with here.open() as client:
        workload_id = await client.create()
        await client.until(workload_id, "Running")
        await client.command(workload_id, "suspend")

    assert await adopted(here, workload_id, "Stopped") == ["Started"]


async def test_a_process_of_no_training_is_ended(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(term_seconds=None))
    stray: dict[str, Any] = {"argv": ("true",), "directory": "/", "environment": {}}
    await here.runtime.start(StartOrder(key="stray-1", log_file="/log", **stray))

    async with here.open():
        await pause(1)

    assert here.runtime.running == []
    assert await here.runtime.known() == {}


async def test_nothing_is_told_before_it_is_on_record(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=1))
    found: list[str] = []

    async def watch(client: Client, workload_id: str) -> None:
        while not found or found[-1] != "Completed":
            await client.changed.wait()
            client.changed.clear()
            found.append(await client.phase(workload_id))

    async with here.open() as client:
        await watch(client, await client.create())

    assert found == ["Initializing", "Running", "Completed"]


async def test_each_process_of_a_training_has_its_own_gpu_and_index(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=2)
    async with here.open() as client:
        workload_id = await client.create(parallelism=2, **gpus(1))
        await client.until(workload_id, "Running")

    environments = [order.environment for order in here.runtime.orders]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in environments] == ["0", "1"]
    assert [one["POD_INDEX"] for one in environments] == ["0", "1"]
    assert [one["RUNAI_NUM_OF_GPUS"] for one in environments] == ["1", "1"]


async def test_the_processes_of_a_training_start_together_or_not_at_all(tmp_path: Path) -> None:
    here = world(tmp_path, gpus=2)
    async with here.open() as client:
        first = await client.create("first", **gpus(1))
        await client.until(first, "Running")
        second = await client.create("second", parallelism=2, **gpus(1))
        await pause(1)
        assert await client.phase(second) == "Pending"

        here.runtime.end(f"{first}-1")
        await client.until(second, "Running")

    assert [order.key for order in here.runtime.orders[1:]] == [f"{second}-1", f"{second}-2"]


async def test_a_queue_of_processes_works_through_its_completions(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=10))
    async with here.open() as client:
        workload_id = await client.create(parallelism=2, completions=5)
        await client.until(workload_id, "Completed")

    assert len(here.runtime.orders) == 5
    assert elapsed() == pytest.approx(30, abs=1)


async def test_a_pod_that_failed_starts_again_beside_the_others(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create(parallelism=2)
        await client.until(workload_id, "Running")
        here.runtime.end(f"{workload_id}-1", 1)
        await client.until(workload_id, "Degraded")
        await client.until(workload_id, "Running")

        assert here.runtime.running == [f"{workload_id}-2", f"{workload_id}-3"]
        assert elapsed() == pytest.approx(10, abs=0.5)


async def test_the_last_failure_stops_the_other_processes(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        workload_id = await client.create(parallelism=3, backoffLimit=0)
        await client.until(workload_id, "Running")
        here.runtime.end(f"{workload_id}-2", 1)
        await client.until(workload_id, "Failed")

    assert [key for key, _ in here.runtime.stops] == [f"{workload_id}-1", f"{workload_id}-3"]


async def test_the_listing_counts_the_pods(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with here.open() as client:
        several = await client.create("several", parallelism=3, completions=2)
        await client.until(several, "Running")
        one = await client.create("one")
        await client.until(one, "Running")

        found = {item["name"]: item for item in (await client.listing())["workloads"]}

    requested = {"number": 2, "parallelism": 3, "completions": 2}
    assert (found["several"]["runningPods"], found["several"]["requestedPods"]) == (2, requested)
    assert (found["one"]["runningPods"], found["one"]["requestedPods"]) == (1, {"number": 1})
