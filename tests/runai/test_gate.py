import asyncio
import random

import pytest

from sweeper.clock import pause
from sweeper.errors import NotSentError
from sweeper.runai.gate import Gate

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def hold(gate: Gate, seconds: float, entered: list[float], deadline: float = 15.0) -> None:
    async with gate.slot(deadline):
        entered.append(now())
        await pause(seconds)


def make(slots: int = 2) -> Gate:
    return Gate(rng=random.Random(7), slots=slots)


async def test_no_more_calls_pass_at_once_than_there_are_slots() -> None:
    gate, entered = make(slots=2), list[float]()

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(hold(gate, 2.0, entered), name="call")

    assert entered == [0.0, 0.0, 2.0, 2.0, 4.0]


async def test_who_gets_no_slot_until_the_deadline_has_sent_nothing() -> None:
    gate = make(slots=1)

    async with gate.slot(15.0):
        with pytest.raises(NotSentError, match="busy"):
            async with gate.slot(15.0):
                pytest.fail("there was no slot")

    assert now() == 15.0


async def test_a_slot_is_free_again_after_a_failure() -> None:
    gate = make(slots=1)

    with pytest.raises(KeyError):
        async with gate.slot(15.0):
            raise KeyError

    async with gate.slot(15.0):
        assert now() == 0.0


async def test_a_wish_of_the_host_holds_back_every_call_a_little_longer() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(5.0)

    await hold(gate, 0.0, entered)

    assert 5.0 <= entered[0] <= 6.0


async def test_a_wish_beyond_the_deadline_is_told_at_once() -> None:
    gate = make()
    gate.hold_back(60.0)

    with pytest.raises(NotSentError, match="left alone for 60 s more") as caught:
        async with gate.slot(15.0):
            pytest.fail("the host wants to be left alone")

    assert caught.value.retry_after == 60.0
    assert now() == 0.0


async def test_a_shorter_wish_does_not_undo_a_longer_one() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(9.0)
    gate.hold_back(1.0)

    await hold(gate, 0.0, entered)

    assert entered[0] >= 9.0


async def test_a_wish_that_comes_while_a_call_waits_for_its_slot_holds_it_back_too() -> None:
    gate, entered = make(slots=1), list[float]()

    async with asyncio.TaskGroup() as group, gate.slot(15.0):
        group.create_task(hold(gate, 0.0, entered), name="call")
        await pause(1.0)
        gate.hold_back(5.0)

    assert entered[0] >= 6.0


async def test_a_wish_that_grows_while_a_call_waits_is_kept() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(2.0)

    async with asyncio.TaskGroup() as group:
        group.create_task(hold(gate, 0.0, entered), name="call")
        await pause(1.0)
        gate.hold_back(6.0)

    assert entered[0] >= 7.0


async def test_a_call_after_its_deadline_is_not_sent() -> None:
    await pause(20.0)

    with pytest.raises(NotSentError, match="no time was left") as caught:
        async with make().slot(15.0):
            pytest.fail("the deadline has passed")

    assert caught.value.retry_after is None
