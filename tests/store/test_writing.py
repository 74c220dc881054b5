import asyncio
import threading
from collections.abc import Awaitable

import pytest

from sweeper.store.writing import Run, WriterThread, inline


def _fail() -> None:
    raise LookupError("as asked")


async def _given_up_at_once(answer: Awaitable[None]) -> None:
    async with asyncio.timeout(0):
        await answer


async def test_inline_calls_are_made_on_the_loop() -> None:
    assert await inline(threading.get_ident) == threading.get_ident()


async def test_calls_are_made_in_one_other_thread() -> None:
    async with WriterThread() as run:
        threads = {await run(threading.get_ident) for _ in range(3)}

    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_calls_are_made_one_after_the_other_in_the_order_asked_for() -> None:
    begun = threading.Event()
    made: list[int] = []

    def first() -> None:
        begun.wait(5)
        made.append(1)

    async with WriterThread() as run, asyncio.TaskGroup() as group:
        group.create_task(run(first), name="first")
        group.create_task(run(lambda: made.append(2)), name="second")
        begun.set()

    assert made == [1, 2]


@pytest.mark.parametrize("is_threaded", [False, True], ids=["inline", "thread"])
async def test_what_a_call_raises_is_raised(is_threaded: bool) -> None:
    async with WriterThread() as thread:
        run: Run = thread if is_threaded else inline

        with pytest.raises(LookupError, match="as asked"):
            await run(_fail)


async def test_a_call_that_has_begun_is_finished_though_nobody_waits() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[str] = []

    def call() -> None:
        begun.set()
        go_on.wait(5)
        made.append("finished")

    async with WriterThread() as run:
        with pytest.raises(TimeoutError):
            await _given_up_at_once(run(call))
        assert begun.wait(5)
        go_on.set()

    assert made == ["finished"]


async def test_no_call_is_made_after_leaving() -> None:
    async with WriterThread() as run:
        pass

    with pytest.raises(RuntimeError, match="after shutdown"):
        await run(threading.get_ident)


async def test_leaving_ends_the_thread() -> None:
    async with WriterThread("told apart") as run:
        await run(threading.get_ident)

    assert not [each for each in threading.enumerate() if each.name.startswith("told apart")]
