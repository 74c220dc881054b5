import asyncio
from typing import Any

import pytest

from sweeper.local.runtime import (
    LeaseTakenError,
    ProcessEnd,
    RuntimeUnavailableError,
    StartError,
    StartOrder,
)
from sweeper.local.simulated import Course, SimulatedRuntime, endless
from tests.local.planes import loop_clock


def an_order(key: str = "a", **changes: Any) -> StartOrder:
    return StartOrder(
        key=key, argv=("true",), directory="/", environment={}, log_file="/log", **changes
    )


def a_runtime(course: Course | None = None) -> tuple[SimulatedRuntime, list[ProcessEnd]]:
    runtime = SimulatedRuntime(lambda order: course or endless(order), now=loop_clock())
    ends: list[ProcessEnd] = []
    runtime.listen(ends.append)
    return runtime, ends


async def passed(seconds: float) -> None:
    await asyncio.sleep(seconds)  # noqa: TID251 - virtual time


@pytest.mark.looptime
async def test_a_process_ends_as_its_course_says() -> None:
    runtime, ends = a_runtime(Course(seconds=5, exit_code=3))

    await runtime.start(an_order())
    await passed(4.9)
    assert runtime.running == ["a"]
    await passed(0.2)

    assert [(end.key, end.exit_code) for end in ends] == [("a", 3)]
    assert await runtime.known() == {"a": ends[0]}


@pytest.mark.looptime
async def test_a_second_order_of_the_same_key_starts_nothing() -> None:
    runtime, ends = a_runtime(Course(seconds=0))

    for _ in range(2):
        await runtime.start(an_order())
        await passed(1)

    assert len(runtime.orders) == len(ends) == 1


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("course", "grace", "seconds", "exit_code"),
    [
        pytest.param(Course(term_seconds=2), 30, 2, 143, id="listens"),
        pytest.param(Course(term_seconds=2, term_exit_code=0), 30, 2, 0, id="exits 0"),
        pytest.param(Course(term_seconds=60), 30, 30, 137, id="too slow"),
        pytest.param(Course(term_seconds=None), 30, 30, 137, id="does not listen"),
        pytest.param(Course(seconds=1, exit_code=7, term_seconds=2), 30, 1, 7, id="ends before"),
        pytest.param(Course(seconds=9, term_seconds=2), 30, 2, 143, id="would have ended later"),
    ],
)
async def test_a_stop_ends_it_within_the_grace(
    course: Course, grace: float, seconds: float, exit_code: int
) -> None:
    runtime, ends = a_runtime(course)
    await runtime.start(an_order())

    await runtime.stop("a", grace)
    await passed(seconds - 0.1)
    assert not ends
    await passed(0.2)

    assert [end.exit_code for end in ends] == [exit_code]


@pytest.mark.looptime
async def test_a_shorter_grace_shortens_a_stop() -> None:
    runtime, ends = a_runtime(Course(term_seconds=None))
    await runtime.start(an_order())

    for grace in (30, 1, 20):
        await runtime.stop("a", grace)
    await passed(1.1)

    assert [end.exit_code for end in ends] == [137]


async def test_stopping_or_ending_what_does_not_run_does_nothing() -> None:
    runtime, ends = a_runtime()
    await runtime.start(an_order())
    runtime.end("a", 0)

    await runtime.stop("a", 0)
    await runtime.stop("never started", 0)
    runtime.end("a", 1)
    runtime.end("never started")

    assert [end.exit_code for end in ends] == [0]


async def test_what_is_lost_has_no_exit_code() -> None:
    runtime, ends = a_runtime()
    await runtime.start(an_order("a"))
    await runtime.start(an_order("b"))

    runtime.lose()

    assert [(end.key, end.exit_code) for end in ends] == [("a", None), ("b", None)]


async def test_only_what_has_ended_is_forgotten() -> None:
    runtime, _ = a_runtime()
    await runtime.start(an_order("a"))
    await runtime.start(an_order("b"))
    runtime.end("a")

    await runtime.forget(["a", "b", "never started"])

    assert await runtime.known() == {"b": None}


async def test_a_lock_held_elsewhere_refuses_the_order() -> None:
    runtime, _ = a_runtime()
    runtime.taken = {"/gpu-0.lock"}

    with pytest.raises(LeaseTakenError):
        await runtime.start(an_order(lock_files=("/gpu-0.lock",)))

    assert await runtime.known() == {}


async def test_a_course_may_be_that_nothing_starts() -> None:
    runtime, _ = a_runtime(Course(start_error="no such file"))

    with pytest.raises(StartError, match="no such file"):
        await runtime.start(an_order())

    assert await runtime.known() == {}


async def test_while_it_is_unavailable_nothing_is_answered() -> None:
    runtime, _ = a_runtime()
    runtime.is_available = False

    for call in (
        runtime.known(),
        runtime.start(an_order()),
        runtime.stop("a", 0),
        runtime.forget([]),
    ):
        with pytest.raises(RuntimeUnavailableError):
            await call
    assert not runtime.orders


async def test_a_lost_answer_has_had_its_effect() -> None:
    runtime, _ = a_runtime()
    runtime.drops_answers = True

    with pytest.raises(RuntimeUnavailableError):
        await runtime.start(an_order())

    assert await runtime.known() == {"a": None}
