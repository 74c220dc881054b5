"""The runtime that plays a plan: ends on time, once, and across restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sweeper.clock import pause
from sweeper.errors import SettingsError
from sweeper.local.planned import PlannedRuntime, open_planned
from sweeper.local.runtime import ProcessEnd, StartOrder
from sweeper.local.simulation import Fixed, SimulationPlan
from sweeper.ports import Now
from tests.local.planes import START, loop_clock, world

pytestmark = pytest.mark.looptime


class Played:
    """A runtime and the ends that were heard of."""

    def __init__(self, runtime: PlannedRuntime) -> None:
        self.runtime = runtime
        self.ends: list[ProcessEnd] = []
        self.preempted: list[str] = []
        runtime.listen(self.ends.append)
        runtime.preempt = self.preempted.append

    def seconds(self) -> list[tuple[str, float, int | None]]:
        return [(end.key, (end.at - START).total_seconds(), end.exit_code) for end in self.ends]


@asynccontextmanager
async def played(folder: Path, now: Now | None = None, **fields: object) -> AsyncIterator[Played]:
    plan = SimulationPlan(**{"duration": Fixed(seconds=60)} | fields)  # type: ignore[arg-type] # tests vary any
    async with open_planned(plan, folder / "simulated.jsonl", now=now or loop_clock()) as runtime:
        yield Played(runtime)


def order(key: str = "one-1") -> StartOrder:
    return StartOrder(key=key, argv=("true",), directory="/", environment={}, log_file="/dev/null")


async def test_a_start_ends_when_its_course_is_over(tmp_path: Path) -> None:
    async with played(tmp_path, failures=1, exit_code=3) as here:
        await here.runtime.start(order())
        await here.runtime.start(order())
        assert await here.runtime.known() == {"one-1": None}

        await pause(61)

        assert here.seconds() == [("one-1", 60, 3)]
        assert await here.runtime.known() == {"one-1": here.ends[0]}


async def test_a_start_returns_when_it_is_ready(tmp_path: Path) -> None:
    async with played(tmp_path, startup=10, time_scale=2) as here:
        began = asyncio.get_running_loop().time()

        await here.runtime.start(order())

        assert asyncio.get_running_loop().time() - began == pytest.approx(5)
        await pause(31)
        assert here.seconds() == [("one-1", 35, 0)]


async def test_who_waits_for_a_start_hears_when_it_is_stopped(tmp_path: Path) -> None:
    async with played(tmp_path, startup=100) as here, asyncio.TaskGroup() as group:
        waiting = group.create_task(here.runtime.start(order()))
        await pause(1)

        await here.runtime.stop("one-1", 30)
        await waiting

        assert here.seconds() == [("one-1", 1, 143)]


@pytest.mark.parametrize(
    ("term_seconds", "grace", "end"),
    [(5, 30, (15, 143)), (50, 20, (30, 137)), (55, 55, (60, 0))],
)
async def test_a_stop_shortens_a_course(
    tmp_path: Path, term_seconds: float, grace: float, end: tuple[float, int]
) -> None:
    async with played(tmp_path, term_seconds=term_seconds) as here:
        await here.runtime.start(order())
        await pause(10)

        await here.runtime.stop("one-1", grace)
        await here.runtime.stop("unknown-1", grace)
        await pause(60)
        await here.runtime.stop("one-1", grace)

        assert here.seconds() == [("one-1", *end)]


async def test_courses_go_on_while_the_server_is_away(tmp_path: Path) -> None:
    now = loop_clock()
    async with played(tmp_path, now) as here:
        await here.runtime.start(order("short-1"))
        await here.runtime.start(order("stopped-1"))
        await here.runtime.stop("stopped-1", 0)
        await pause(30)
        await here.runtime.forget(["stopped-1", "short-1"])
        await here.runtime.start(order("long-1"))
    await pause(40)

    async with played(tmp_path, now) as here:
        known = await here.runtime.known()
        await pause(40)

        assert set(known) == {"short-1", "long-1"}
        ended = known["short-1"]
        assert ended is not None
        assert (ended.at - START).total_seconds() == 60
        assert known["long-1"] is None
        assert here.seconds()[-1] == ("long-1", 90, 0)


async def test_a_stop_is_kept_over_a_restart(tmp_path: Path) -> None:
    now = loop_clock()
    async with played(tmp_path, now, term_seconds=20) as here:
        await here.runtime.start(order())
        await here.runtime.stop("one-1", 30)

    async with played(tmp_path, now, term_seconds=20) as here:
        await pause(25)

        assert here.seconds() == [("one-1", 20, 143)]


async def test_a_torn_journal_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    now = loop_clock()
    async with played(tmp_path, now) as here:
        await here.runtime.start(order())
        await here.runtime.start(order("two-1"))
    path = tmp_path / "simulated.jsonl"
    path.write_bytes(path.read_bytes()[:-10])

    async with played(tmp_path, now) as here:
        assert await here.runtime.known() == {"one-1": None}


async def test_a_stop_of_something_unknown_in_the_journal_is_passed_over(tmp_path: Path) -> None:
    now = loop_clock()
    async with played(tmp_path, now) as here:
        await here.runtime.start(order())
    path = tmp_path / "simulated.jsonl"
    stray = b'{"kind":"stopped","key":"x-1","at":"2026-01-01T12:00:00Z","exit_code":0}\n'
    path.write_bytes(stray + path.read_bytes())

    async with played(tmp_path, now) as here:
        assert await here.runtime.known() == {"one-1": None}


async def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"simulated\.jsonl: Not a directory"):
        async with played(tmp_path / "file" / "deep"):
            pass


async def test_the_plan_takes_places(tmp_path: Path) -> None:
    async with played(tmp_path, preemptions_per_hour=3600) as here:
        await here.runtime.start(order())

        await pause(59)

        assert here.preempted == ["one-1"]
        assert not here.ends


async def test_nobody_need_hear_of_preemptions(tmp_path: Path) -> None:
    async with played(tmp_path, preemptions_per_hour=3600) as here:
        here.runtime.preempt = None
        await here.runtime.start(order())

        await pause(61)

        assert here.seconds() == [("one-1", 60, 0)]


async def test_one_timer_serves_many_courses(tmp_path: Path) -> None:
    async with played(tmp_path) as here:
        for number in range(3000):
            await here.runtime.start(order(f"a{number}-1"))
        timers = len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined] # asyncio's own heap

        await pause(61)

        assert timers <= 1
        assert len(here.ends) == 3000


async def test_the_control_plane_runs_on_it(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with played(tmp_path, here.now) as other:
        here.seen_through = other.runtime
        async with here.open() as client:
            workload_id = await client.create()

            await client.until(workload_id, "Completed")

    assert (here.now() - START).total_seconds() == pytest.approx(60, abs=1)
