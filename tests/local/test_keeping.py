import json
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.errors import StoreError, StoreLockedError
from sweeper.local.filters import Query, read_filter
from sweeper.local.history import PhaseUpdate
from sweeper.local.keeping import Batch, Keeper, open_keeper
from sweeper.local.pods import Pod, Process
from sweeper.local.running import inline, own_thread
from sweeper.local.trainings import LocalTraining, PlaneEvent
from tests.local.builders import IN_PHASE, NOW, a_training

CONSTANTS = {"type": "Training", "projectName": "local"}

PODS = (
    Pod(index=0, start=3, process=Process.ORDERED, devices=(0, 3), is_ready=False),
    Pod(index=2, start=2, process=Process.NONE, node="blue", not_before=NOW),
)


def opened(directory: Path) -> AbstractAsyncContextManager[Keeper]:
    return open_keeper(directory / "trainings.db", inline, CONSTANTS)


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Keeper]:
    async with opened(tmp_path) as keeper:
        yield keeper


async def keep(keeper: Keeper, *trainings: LocalTraining) -> None:
    kept = {one.workload_id: one for one in trainings}
    await keeper.write(Batch(trainings=kept, new=set(kept)))


async def listed(keeper: Keeper, text: str = "", **query: Any) -> list[int]:
    asked = replace(Query(), terms=read_filter([text]), limit=500, **query)
    found = [training.number for training in await keeper.page(asked)]
    assert await keeper.count(asked) == len(found)
    return found


@pytest.mark.parametrize("phase", IN_PHASE)
async def test_what_is_kept_is_found_as_it_was(tmp_path: Path, phase: Phase) -> None:
    training = a_training(
        phase=phase,
        spec_text='{"command": "a", "compute": {"gpuDevicesRequest": 2}, "backoffLimit": 1}',
        pods=PODS,
        not_before=NOW + timedelta(microseconds=1),
    )

    async with opened(tmp_path) as keeper:
        await keep(keeper, training)
    async with opened(tmp_path) as keeper:
        found = await keeper.find(training.workload_id)

    assert found is not None
    assert (found.need.gpu_devices, found.need.pods, found.lifecycle.backoff_limit) == (2, 2, 1)
    assert replace(found, need=training.need, lifecycle=training.lifecycle) == training


async def test_a_change_replaces_what_was_kept(keeper: Keeper) -> None:
    training = a_training()
    await keep(keeper, training)
    changed = replace(training, phase=Phase.RUNNING, starts=3, pods=(Pod(start=3),))

    await keeper.write(Batch(trainings={training.workload_id: changed}))

    assert await keeper.find(training.workload_id) == changed


async def test_a_batch_is_written_whole_or_not_at_all(keeper: Keeper) -> None:
    one = a_training(1)
    same_name = replace(a_training(2), name=one.name)

    with pytest.raises(StoreError):
        await keep(keeper, one, same_name)

    assert await listed(keeper) == []


async def test_the_live_are_those_neither_finished_nor_deleted(keeper: Keeper) -> None:
    trainings = [a_training(number, phase) for number, phase in enumerate(IN_PHASE)]
    await keep(keeper, *trainings, a_training(99, Phase.RUNNING, deleted_at=NOW))

    live = await keeper.live()

    assert [one.phase for one in live] == [
        phase for phase in IN_PHASE if phase not in {Phase.COMPLETED, Phase.FAILED}
    ]


async def test_a_name_is_taken_until_its_training_is_deleted(keeper: Keeper) -> None:
    await keep(keeper, a_training(1, Phase.COMPLETED), a_training(2, deleted_at=NOW))

    assert await keeper.is_taken("1", "training-1")
    assert not await keeper.is_taken("2", "training-1")
    assert not await keeper.is_taken("1", "training-2")


async def test_numbers_go_on_from_the_last_one(keeper: Keeper) -> None:
    assert await keeper.last_number() == 0

    await keep(keeper, a_training(7), a_training(3))

    assert await keeper.last_number() == 7


@pytest.fixture
async def full(keeper: Keeper) -> Keeper:
    """Five trainings: `alpha-0` to `alpha-2` and `beta-3`, and `alpha-4`, which is deleted."""
    names = ["alpha-0", "alpha-1", "alpha-2", "beta-3", "alpha-4"]
    phases = [Phase.COMPLETED, Phase.FAILED, Phase.RUNNING, Phase.RUNNING, Phase.COMPLETED]
    await keep(
        keeper,
        *(
            a_training(
                number,
                phases[number],
                name=name,
                created_at=NOW + timedelta(seconds=number // 2),
                deleted_at=NOW if number == 4 else None,
            )
            for number, name in enumerate(names)
        ),
    )
    return keeper


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("name=^alpha-", [0, 1, 2]),
        ("name==alpha-1", [1]),
        ("name!=alpha-1", [0, 2, 3]),
        ("name=@a-", [0, 1, 2, 3]),
        ("name!@beta", [0, 1, 2]),
        ("name=$-3", [3]),
        ("name=$", [0, 1, 2, 3]),
        ("name=^", [0, 1, 2, 3]),
        ("name>=alpha-2", [2, 3]),
        ("name<=alpha-1", [0, 1]),
        ("name=^alpha_", []),
        ("name=^alpha%", []),
        ("phase==Running", [2, 3]),
        ("phase==Running,name=^alpha", [2]),
        ("projectId==1,clusterId!=x", [0, 1, 2, 3]),
        ("projectId==2", []),
        ("type==Training", [0, 1, 2, 3]),
        ("type!=Training", []),
        ("projectName==local", [0, 1, 2, 3]),
        ("submittedBy==local", [0, 1, 2, 3]),
        ("createdAt>=2026-01-01T12:00:01Z", [2, 3]),
        ("createdAt<=2026-01-01T12:00:00Z", [0, 1]),
        ("createdAt==2026-01-01T13:00:01+01:00", [2, 3]),
        ("createdAt!=2026-01-01T12:00:01", [0, 1]),
        ("completedAt>=2026-01-01T00:00:00Z", [0, 1]),
    ],
)
async def test_a_listing_is_narrowed_by_filters(full: Keeper, text: str, found: list[int]) -> None:
    assert await listed(full, text) == found


@pytest.fixture
async def holding(keeper: Keeper) -> Keeper:
    """Trainings that hold 0, half a GPU in the pool `a`, 10 GPUs in the default one, and 2."""
    half = {"gpuDevicesRequest": 1, "gpuRequestType": "portion", "gpuPortionRequest": 0.5}
    specs = [{"gpuDevicesRequest": 4}, half, {"gpuDevicesRequest": 5}, {"gpuDevicesRequest": 2}]
    pods = [(), (Pod(),), (Pod(), Pod(index=1, process=Process.NONE)), (Pod(),)]
    words = ["build", "train", "low", None]
    await keep(
        keeper,
        *(
            a_training(
                number,
                pods=pods[number],
                node_pool="a" if number in {1, 3} else "",
                spec_text=json.dumps({"compute": specs[number], "priorityClass": words[number]}),
            )
            for number in range(4)
        ),
    )
    return keeper


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("allocatedGPU==0.5", [1]),
        ("allocatedGPU>=2", [2, 3]),
        ("allocatedGPU<=2.0", [0, 1, 3]),
        ("allocatedGPU!=0", [1, 2, 3]),
        ("nodepool==a", [1, 3]),
        ("nodepool==default", [2]),
        ("nodepool==", [0]),
        ("priority==train", [1, 3]),
        ("priorityClassName=^b", [0]),
        ("idleGpus>=0", []),
        ("idleAllocatedGpus!=1", []),
        ("category!=x", []),
        ("distributedFramework=@", []),
        ("aiApplicationName=$", []),
        ("totalRunningTimeSeconds>=0", []),
        ("guaranteedRuntimeEndsAt>=2020-01-01", []),
    ],
)
async def test_what_is_no_column_is_filtered_by_too(
    holding: Keeper, text: str, found: list[int]
) -> None:
    assert await listed(holding, text) == found


@pytest.mark.parametrize(
    ("sort_by", "found"),
    [
        ("allocatedGPU", [0, 1, 3, 2]),
        ("nodepool", [0, 1, 3, 2]),
        ("priority", [0, 2, 1, 3]),
        ("priorityClassName", [0, 2, 1, 3]),
        ("idleGpus", [0, 1, 2, 3]),
        ("type", [0, 1, 2, 3]),
        ("projectName", [0, 1, 2, 3]),
    ],
)
async def test_what_is_no_column_is_sorted_by_too(
    holding: Keeper, sort_by: str, found: list[int]
) -> None:
    assert await listed(holding, sort_by=sort_by) == found


async def test_pages_of_what_is_no_column_follow_each_other(holding: Keeper) -> None:
    asked = Query(terms=read_filter(["allocatedGPU>=0.5"]), sort_by="allocatedGPU", limit=1)

    pages = [await holding.page(replace(asked, offset=offset)) for offset in range(4)]

    assert [[one.number for one in page] for page in pages] == [[1, 3], [3, 2], [2], []]


async def test_a_listing_is_searched_in_any_case(full: Keeper) -> None:
    assert await listed(full, search="ETA") == [3]


async def test_deleted_trainings_have_a_listing_of_their_own(full: Keeper) -> None:
    assert await listed(full, deleted=True) == [4]
    assert await listed(full, "name==alpha-4", deleted=True) == [4]


@pytest.mark.parametrize(
    ("sort_by", "descending", "found"),
    [
        ("createdAt", False, [0, 1, 2, 3]),
        ("createdAt", True, [3, 2, 1, 0]),
        ("phase", False, [0, 1, 2, 3]),
        ("phase", True, [3, 2, 1, 0]),
        ("name", True, [3, 2, 1, 0]),
    ],
)
async def test_a_listing_is_sorted(
    full: Keeper, sort_by: str, descending: bool, found: list[int]
) -> None:
    assert await listed(full, sort_by=sort_by, descending=descending) == found


async def test_a_page_has_one_training_more_when_another_page_follows(full: Keeper) -> None:
    first = await full.page(Query(limit=2))
    last = await full.page(Query(limit=2, offset=2))

    assert [one.number for one in first] == [0, 1, 2]
    assert [one.number for one in last] == [2, 3]


@pytest.mark.parametrize(
    ("text", "deleted", "index"),
    [
        ("name=^alpha-,projectId==1,createdAt>=2026-01-01T12:00:00Z", False, "by_age"),
        ("name=^alpha-,projectId==1", False, "by_age"),
        ("name==alpha-1,projectId==1", False, "name_taken"),
        ("phase==Running", False, "by_phase"),
        ("name==alpha-1,projectId==1", True, "gone_by_name"),
    ],
)
async def test_listings_walk_along_an_index(
    full: Keeper, text: str, deleted: bool, index: str
) -> None:
    plans: list[str] = []

    def explain(statement: str) -> None:
        plans.append(statement)

    raw = full._connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.set_trace_callback(explain)
    await listed(full, text, deleted=deleted)
    raw.set_trace_callback(None)

    select = next(text for text in plans if "ORDER BY" in text)
    details = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {select}")]
    assert f"USING INDEX {index}" in details[0]


async def test_events_come_in_the_order_asked_for(keeper: Keeper) -> None:
    training = a_training()
    events: list[PlaneEvent | PhaseUpdate] = [
        PlaneEvent(
            workload_id=training.workload_id,
            at=NOW,
            reason=reason,
            message="",
            is_warning=reason == "Failed",
        )
        for reason in ("Started", "Failed", "Started")
    ]
    await keeper.write(
        Batch(trainings={training.workload_id: training}, new={training.workload_id}, events=events)
    )

    oldest = await keeper.events(training.workload_id, Query(limit=10))
    newest = await keeper.events(training.workload_id, Query(limit=1, descending=True, offset=1))

    assert [event for _, event in oldest] == events
    assert [number for number, _ in newest] == [2, 1]
    assert await keeper.events("other", Query()) == []


async def test_finished_trainings_are_deleted_when_their_time_has_come(keeper: Keeper) -> None:
    due = NOW + timedelta(days=1)
    await keep(
        keeper,
        a_training(1, Phase.COMPLETED, delete_at=due),
        a_training(2, Phase.COMPLETED, delete_at=due + timedelta(seconds=1)),
        a_training(3, Phase.RUNNING),
    )

    assert await keeper.next_expiry() == due
    assert await keeper.expire(due) == 1

    gone = await keeper.find(a_training(1).workload_id)
    assert gone is not None
    assert (gone.deleted_at, gone.desired_phase) == (due, DesiredPhase.DELETED)
    assert gone.phase is Phase.COMPLETED
    assert await listed(keeper) == [2, 3]


async def test_deleted_trainings_are_dropped_after_two_weeks(keeper: Keeper) -> None:
    training = a_training(1, Phase.COMPLETED, deleted_at=NOW)
    event = PlaneEvent(workload_id=training.workload_id, at=NOW, reason="Started", message="")
    await keep(keeper, training)
    await keeper.write(Batch(events=[event]))
    due = NOW + timedelta(days=14)

    assert await keeper.next_expiry() == due
    assert await keeper.expire(due - timedelta(seconds=1)) == 0
    assert await listed(keeper, deleted=True) == [1]
    assert await keeper.expire(due) == 0

    assert await keeper.find(training.workload_id) is None
    assert await keeper.events(training.workload_id, Query()) == []
    assert await keeper.next_expiry() is None


async def test_the_state_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    async with opened(tmp_path / "new") as keeper:
        await keep(keeper, a_training())
        files = list((tmp_path / "new").iterdir())

        modes = {stat.S_IMODE(file.stat().st_mode) for file in files}

    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("synchronous", 2), ("journal_mode", "wal"), ("locking_mode", "exclusive")],
)
async def test_what_is_written_survives_a_loss_of_power(
    keeper: Keeper, pragma: str, value: int | str
) -> None:
    found = keeper._connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

    assert found == value


async def test_a_state_is_open_once(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(StoreLockedError, match="another process has the local control plane"):
            await opened(tmp_path).__aenter__()


async def test_a_state_from_another_version_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "trainings.db") as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()

    with pytest.raises(StoreError, match="its tables are 99, this one knows 2"):
        await opened(tmp_path).__aenter__()


async def test_a_file_that_is_no_state_says_so(tmp_path: Path) -> None:
    (tmp_path / "trainings.db").write_bytes(b"rubbish" * 1000)

    with pytest.raises(StoreError, match=r"trainings\.db: file is not a database"):
        await opened(tmp_path).__aenter__()


async def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="state cannot be used"):
        await opened(tmp_path / "file").__aenter__()


async def test_no_value_of_a_variable_shows_in_an_error(keeper: Keeper) -> None:
    secret = '{"environmentVariables": [{"name": "A", "value": "hunter2"}]}'
    one = a_training(1, spec_text=secret)
    await keep(keeper, one)

    with pytest.raises(StoreError) as failure:
        await keep(keeper, one)

    cause: BaseException | None = failure.value
    while cause is not None:
        assert "hunter2" not in str(cause)
        cause = cause.__cause__


async def test_calls_are_made_in_a_thread_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "trainings.db"
    async with own_thread() as run, open_keeper(path, run, CONSTANTS) as keeper:
        await keep(keeper, a_training())
        found = await keeper.find(a_training().workload_id)

    assert found == a_training()
