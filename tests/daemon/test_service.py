import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from sweeper.clock import pause
from sweeper.daemon.service import STOP_GRACE, STORE_PAUSE, STUCK_AFTER, End, Service
from sweeper.domain.record import Standing, SweepState, Wish, WishKind
from sweeper.domain.trial import Trial
from sweeper.errors import StoreAwayError, StoreError, StuckTickError, SweepTakenError
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, after
from tests.support.daemon import World

pytestmark = pytest.mark.looptime


async def a_service(world: World, **fields: Any) -> Service:
    """Return a service whose control plane moves on by a step after each tick."""
    await world.begin()
    world.heard.on_tick = lambda: world.pass_time(1.5)
    return Service(reconciler=world.daemon(), now=world.clock, **fields)


def hang_at_reports(service: Service, entered: asyncio.Event) -> None:
    """Let the first tick never end."""

    async def hang(trials: Sequence[Trial]) -> None:
        entered.set()
        await asyncio.Event().wait()

    service.reconciler.read_reports = hang


async def test_it_ticks_until_the_sweep_is_settled() -> None:
    service = await a_service(World())

    end, sweep = await service.run()

    assert (end, sweep.state) == (End.SETTLED, SweepState.FINISHED)


async def test_a_stop_asked_for_between_ticks_ends_it_at_once() -> None:
    world = World()
    service = await a_service(world)
    await world.store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))

    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run(), name="service")
        group.create_task(_stop_soon(service), name="stop")

    end, sweep = running.result()
    assert (end, sweep.state) == (End.STOPPED, SweepState.PAUSED)


async def _stop_soon(service: Service) -> None:
    await pause(0.5)
    service.request_stop()


async def test_a_stop_lets_a_tick_in_progress_finish_within_the_grace() -> None:
    service = await a_service(World())
    loop = asyncio.get_running_loop()
    entered = asyncio.Event()
    hang_at_reports(service, entered)
    started = loop.time()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run(), name="service")
        await entered.wait()
        service.request_stop()
        service.request_stop()

    assert running.result()[0] is End.STOPPED
    assert loop.time() - started == pytest.approx(STOP_GRACE)
    assert service.reconciler.is_stopping


async def test_a_stop_asked_for_within_a_tick_ends_it_after_that_tick() -> None:
    world = World()
    service = await a_service(world)
    world.heard.on_tick = service.request_stop

    end, _ = await service.run()

    assert end is End.STOPPED
    assert len(world.heard.summaries) == 1


async def test_a_tick_that_does_not_end_is_stuck() -> None:
    service = await a_service(World())
    loop = asyncio.get_running_loop()
    hang_at_reports(service, asyncio.Event())
    started = loop.time()

    with pytest.raises(StuckTickError, match="300 s"):
        await service.run()

    assert loop.time() - started == pytest.approx(STUCK_AFTER)


async def test_a_timeout_inside_a_tick_is_not_taken_for_a_stuck_one() -> None:
    async def time_out(trials: Sequence[Trial]) -> None:
        raise TimeoutError("from elsewhere")

    service = await a_service(World())
    service.reconciler.read_reports = time_out

    with pytest.raises(TimeoutError, match="from elsewhere"):
        await service.run()


async def test_it_ends_of_its_own_accord_when_its_time_is_up() -> None:
    world = World()
    service = await a_service(world, until=after(seconds=4))
    await world.store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))

    end, sweep = await service.run()

    assert (end, sweep.state) == (End.OUT_OF_TIME, SweepState.PAUSED)
    assert world.clock() == after(seconds=4.5)


async def test_a_wake_makes_the_next_tick_come_at_once() -> None:
    world = World()
    service = await a_service(world)
    loop = asyncio.get_running_loop()

    def pass_time_and_wake() -> None:
        world.pass_time(1.5)
        service.wake.set()

    world.heard.on_tick = pass_time_and_wake

    end, _ = await service.run()

    assert (end, loop.time()) == (End.SETTLED, 0)


async def test_a_sweep_that_vanishes_from_its_store_is_an_error_of_the_store() -> None:
    class Forgetful(MemoryStore):
        async def load_sweep(self) -> None:
            return None

    service = await a_service(World(store=Forgetful()))
    entered = asyncio.Event()
    hang_at_reports(service, entered)

    with pytest.raises(StoreError, match="lost its sweep"):
        await _stopped_once(service, entered)


async def _stopped_once(service: Service, entered: asyncio.Event) -> None:
    """Run the service and stop it in its first tick."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(), name="service")
            await entered.wait()
            service.request_stop()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


class Away(MemoryStore):
    """A store that cannot be reached at some of the times it is asked how the sweep stands."""

    def __init__(self, *away: int) -> None:
        super().__init__()
        self.away = away
        self.asked = 0

    async def standing(self, since: datetime) -> Standing | None:
        self.asked += 1
        if self.asked in self.away:
            raise StoreAwayError("the server closed the connection")
        return await super().standing(since)


async def test_a_store_that_is_away_is_waited_for() -> None:
    world = World(store=Away(1, 4, 5, 9))
    service = await a_service(world)
    loop = asyncio.get_running_loop()
    began = loop.time()

    end, sweep = await service.run()

    assert (end, sweep.state) == (End.SETTLED, SweepState.FINISHED)
    assert len(world.remote.trainings) == 4
    assert loop.time() - began >= 4 * STORE_PAUSE


async def test_a_stop_ends_the_wait_for_a_store() -> None:
    service = await a_service(World(store=Away(*range(1, 99))))

    with pytest.raises(StoreAwayError):
        await _stopped_soon(service)


async def _stopped_soon(service: Service) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(service.run(), name="service")
            group.create_task(_stop_soon(service), name="stop")
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def test_the_wait_for_a_store_ends_when_the_time_is_up() -> None:
    world = World(store=Away(*range(1, 99)))
    service = await a_service(world, until=NOW)

    with pytest.raises(StoreAwayError):
        await service.run()


class Overtaken(MemoryStore):
    """A store that another process may have taken, and then has."""

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self.error: StoreError | None = error
        self.checked = 0

    def check_owned(self) -> None:
        self.checked += 1
        if self.error is not None:
            raise self.error


async def test_nothing_is_created_by_a_daemon_that_was_overtaken() -> None:
    world = World(store=Overtaken(SweepTakenError("another daemon took this sweep over")))
    service = await a_service(world)

    with pytest.raises(SweepTakenError):
        await service.run()

    assert world.remote.requests("create") == 0


async def test_nothing_is_created_while_the_sweep_may_be_anothers_and_all_is_afterwards() -> None:
    store = Overtaken(StoreAwayError("the lease could not be renewed"))
    world = World(store=store)
    service = await a_service(world)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(service.run(), name="service")
        await pause(3 * STORE_PAUSE)
        assert (world.remote.requests("create"), store.checked > 1) == (0, True)
        world.pass_time(60)
        store.error = None

    assert running.result()[0] is End.SETTLED
    assert len(world.remote.trainings) == 4
