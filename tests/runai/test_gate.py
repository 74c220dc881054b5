import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from sweeper.clock import pause
from sweeper.errors import AmbiguousError, NotSentError, RejectedError, TransientError
from sweeper.runai.breaker import BreakerPolicy, BreakerState
from sweeper.runai.gate import EMBEDDED, Gate, GatePolicy
from sweeper.runai.operations import Operation
from tests.runai.scripted import Heard

pytestmark = pytest.mark.looptime

GET, CREATE, DELETE = Operation.GET, Operation.CREATE, Operation.DELETE
UNWELL = TransientError("503")


def now() -> float:
    return asyncio.get_running_loop().time()


def make(slots: int = 2, *, heard: Heard | None = None, **fields: float) -> Gate:
    fields = {"requests_per_second": float("inf"), **fields}
    policy = GatePolicy(slots=slots, **fields)  # type: ignore[arg-type] # waiting is an int
    return Gate(policy, rng=random.Random(7), observer=(heard or Heard()).observer())


async def hold(
    gate: Gate,
    seconds: float,
    entered: list[float],
    deadline: float = 15.0,
    operation: Operation = GET,
) -> None:
    async with gate.slot(operation, deadline):
        entered.append(now())
        await pause(seconds)


async def call(gate: Gate, error: Exception | None = None, operation: Operation = GET) -> None:
    """Make a call that ends at once."""
    async with gate.slot(operation, now() + 15.0):
        if error is not None:
            raise error


async def fail(gate: Gate, count: int = 5, operation: Operation = GET) -> None:
    for _ in range(count):
        with pytest.raises(TransientError):
            await call(gate, UNWELL, operation)


@dataclass
class Queue:
    """Calls that wait behind one which holds the only slot, and the order in which they pass."""

    gate: Gate
    passed: list[str] = field(default_factory=list)

    async def run(self, *operations: Operation) -> Sequence[str]:
        async with asyncio.TaskGroup() as group, self.gate.slot(GET, 15.0):
            for operation in operations:
                group.create_task(self._call(operation), name=operation)
                await pause(0.01)
        return self.passed

    async def _call(self, operation: Operation) -> None:
        async with self.gate.slot(operation, 15.0):
            self.passed.append(operation)


async def test_no_more_calls_pass_at_once_than_there_are_slots() -> None:
    gate, entered = make(slots=2), list[float]()

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(hold(gate, 2.0, entered), name="call")

    assert entered == [0.0, 0.0, 2.0, 2.0, 4.0]


async def test_who_gets_no_slot_until_the_deadline_has_sent_nothing() -> None:
    gate = make(slots=1)

    async with gate.slot(GET, 15.0):
        with pytest.raises(NotSentError, match="every slot was taken"):
            await hold(gate, 0.0, [])

    assert now() == 15.0


async def test_a_slot_is_free_again_after_a_failure() -> None:
    gate = make(slots=1)

    with pytest.raises(KeyError):
        await call(gate, KeyError())

    await call(gate)
    assert now() == 0.0


async def test_who_stops_waiting_leaves_the_turn_to_the_next() -> None:
    gate, entered = make(slots=1), list[float]()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold(gate, 2.0, entered), name="call")
        await pause(0.1)
        impatient = group.create_task(hold(gate, 2.0, entered), name="impatient")
        group.create_task(hold(gate, 2.0, entered), name="call")
        await pause(0.1)
        impatient.cancel()

    assert entered == [0.0, 2.0]


async def test_calls_wait_in_the_order_of_their_priority() -> None:
    waiting = [CREATE, Operation.RESUME, GET, Operation.FIND, DELETE]

    passed = await Queue(make(slots=1)).run(*waiting)

    assert passed == list(reversed(waiting))


async def test_a_cancel_gets_the_next_slot_though_creates_wait_for_the_rate() -> None:
    gate = make(slots=1, requests_per_second=1.0, burst=1.0)

    order = await Queue(gate).run(CREATE, CREATE, CREATE, DELETE)

    assert order == ["delete", "create", "create", "create"]


async def test_a_stream_of_reads_does_not_keep_a_create_waiting_for_ever() -> None:
    passed = await Queue(make(slots=1)).run(CREATE, *[GET] * 20)

    assert passed.index(CREATE) == 7


async def test_too_many_calls_of_one_class_are_turned_away_at_once() -> None:
    gate = make(slots=1, waiting=1)

    async with asyncio.TaskGroup() as group, gate.slot(GET, 15.0):
        group.create_task(hold(gate, 0.0, [], operation=CREATE), name="create")
        await pause(0.1)
        with pytest.raises(NotSentError, match="wait already"):
            await hold(gate, 0.0, [], operation=CREATE)
        group.create_task(hold(gate, 0.0, [], operation=DELETE), name="delete")

    assert now() == 0.1


async def test_a_wish_of_the_host_holds_back_every_call_a_little_longer() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(5.0)

    await hold(gate, 0.0, entered)

    assert 5.0 <= entered[0] <= 6.0


async def test_a_wish_beyond_the_deadline_is_told_at_once() -> None:
    gate = make()
    gate.hold_back(60.0)

    with pytest.raises(NotSentError, match="left alone for 60 s more") as caught:
        await call(gate)

    assert caught.value.retry_after == 60.0
    assert now() == 0.0


async def test_a_wish_is_kept_though_little_time_is_left_after_it() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(14.99)

    await hold(gate, 0.0, entered)

    assert 14.99 <= entered[0] < 15.0


async def test_a_shorter_wish_does_not_undo_a_longer_one() -> None:
    gate, entered = make(), list[float]()
    gate.hold_back(9.0)
    gate.hold_back(1.0)

    await hold(gate, 0.0, entered)

    assert entered[0] >= 9.0


async def test_a_wish_that_comes_while_a_call_waits_for_its_slot_holds_it_back_too() -> None:
    gate, entered = make(slots=1), list[float]()

    async with asyncio.TaskGroup() as group, gate.slot(GET, 15.0):
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
        await hold(make(), 0.0, [])

    assert caught.value.retry_after is None


async def test_calls_keep_to_the_rate_after_a_burst() -> None:
    gate, entered = make(slots=8, requests_per_second=10.0, burst=3.0), list[float]()

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(hold(gate, 0.0, entered), name="call")

    assert entered == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.2, 0.3])


async def test_after_failures_fewer_calls_pass_at_once() -> None:
    gate, entered = make(slots=8), list[float]()
    await fail(gate, 1)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(hold(gate, 1.0, entered), name="call")

    assert entered.count(0.0) == 5


async def test_failures_of_one_moment_slow_down_once() -> None:
    heard = Heard()
    gate = make(slots=8, requests_per_second=20.0, burst=20.0, heard=heard)

    await fail(gate, 3)
    await pause(1.0)
    await fail(gate, 1)

    assert heard.rates == pytest.approx([20.0, 14.0, 9.8])


async def test_a_row_of_failures_ends_all_calls_until_the_next_probe() -> None:
    gate = make()
    await fail(gate)

    with pytest.raises(NotSentError, match="failed again and again") as caught:
        await call(gate)

    assert gate.state is BreakerState.OPEN
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 3.0


async def test_a_refusal_is_an_answer_of_a_host_that_works() -> None:
    gate = make()

    for _ in range(3):
        await fail(gate, 4)
        with pytest.raises(RejectedError):
            await call(gate, RejectedError("400"))

    assert gate.state is BreakerState.CLOSED


async def test_who_waits_when_the_breaker_opens_is_refused_at_once() -> None:
    gate, refused = make(slots=1), list[float]()

    async def wait_behind() -> None:
        with pytest.raises(NotSentError, match="failed again"):
            await hold(gate, 0.0, [])
        refused.append(now())

    async def break_off() -> None:
        async with gate.slot(GET, 15.0):
            await pause(1.0)
            raise UNWELL

    await fail(gate, 4)
    async with asyncio.TaskGroup() as group:
        group.create_task(wait_behind(), name="waits")
        with pytest.raises(TransientError):
            await break_off()

    assert refused == [1.0]


async def test_one_probe_at_a_time_finds_out_whether_the_host_is_well() -> None:
    heard, entered = Heard(), list[float]()
    gate = make(heard=heard)
    await fail(gate)
    await pause(6.0)

    async with asyncio.TaskGroup() as group:
        group.create_task(hold(gate, 1.0, entered, 30.0), name="probe")
        await pause(0.5)
        with pytest.raises(NotSentError):
            await call(gate)

    assert entered == [6.0]
    assert heard.breaker == ["closed", "open", "half_open", "closed"]


async def test_a_cancelled_probe_leaves_its_turn_to_the_next_call() -> None:
    gate = make()
    await fail(gate)
    await pause(6.0)

    with pytest.raises(asyncio.CancelledError):
        async with gate.slot(GET, 30.0):
            raise asyncio.CancelledError

    await call(gate)
    assert gate.state is BreakerState.CLOSED


async def test_a_host_that_is_well_again_is_asked_slowly_at_first() -> None:
    heard, entered = Heard(), list[float]()
    gate = make(slots=8, requests_per_second=20.0, heard=heard)
    await fail(gate)
    await pause(6.0)

    async with asyncio.TaskGroup() as group:
        group.create_task(hold(gate, 0.0, entered, 90.0), name="probe")
        await pause(0.0)
        for _ in range(60):
            group.create_task(hold(gate, 0.05, entered, 90.0), name="call")

    gaps = [late - early for early, late in pairwise(entered)]
    assert gaps[0] > 0.9
    assert gaps[-1] < 0.15
    assert entered[-1] < 20.0


async def test_no_write_passes_while_reads_fail() -> None:
    gate = make()
    await fail(gate)
    await pause(30.0)

    for operation in (CREATE, DELETE):
        with pytest.raises(NotSentError, match="failed again"):
            await call(gate, operation=operation)


async def test_reads_go_on_while_only_writes_fail() -> None:
    gate = make()
    for _ in range(5):
        with pytest.raises(AmbiguousError):
            await call(gate, AmbiguousError("503"), CREATE)

    await call(gate)

    assert gate.state is BreakerState.OPEN
    with pytest.raises(NotSentError):
        await call(gate, operation=DELETE)


async def test_nothing_is_repeated_while_the_breaker_is_not_closed() -> None:
    gate = make()

    assert gate.may_repeat(GET)
    await fail(gate, operation=CREATE)

    assert gate.may_repeat(GET)
    assert not gate.may_repeat(CREATE)


async def test_repeats_are_earned_by_good_answers() -> None:
    gate = make()
    while gate.may_repeat(GET):
        pass

    for _ in range(10):
        await call(gate)

    assert [gate.may_repeat(GET), gate.may_repeat(GET)] == [True, False]


async def test_an_embedded_control_plane_has_no_rate() -> None:
    heard = Heard()
    gate = Gate(EMBEDDED, rng=random.Random(7), observer=heard.observer())

    await fail(gate, 2)
    for _ in range(500):
        await call(gate)

    assert now() == 0.0
    assert (heard.rates, heard.breaker) == ([], ["closed"])


async def test_a_policy_may_probe_more_often() -> None:
    policy = GatePolicy(breaker=BreakerPolicy(failures=1, probe_seconds=0.5))
    gate = Gate(policy, rng=random.Random(7))
    await fail(gate, 1)
    await pause(1.0)

    await call(gate)

    assert gate.state is BreakerState.CLOSED
