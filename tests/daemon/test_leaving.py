"""What becomes of active trainings when a daemon's own time is up."""

from typing import Any

import pytest

from sweeper.daemon.service import ON_EXIT_PATIENCE, End, Service
from sweeper.domain.leaving import OnExit
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import TrialState
from sweeper.errors import TransientError
from tests.support.builders import a_spec, after
from tests.support.crashing import Crash, CrashPoint
from tests.support.daemon import World
from tests.support.remote import lost_answer

pytestmark = pytest.mark.looptime

UP = after(seconds=30)
"""When the first daemon of each test is out of time."""


def a_world(*, planned: int = 4) -> World:
    """Return a world whose trainings run until they are told otherwise, two at a time."""
    world = World(planned=planned, spec=a_spec(limits=LimitsSpec(active=2)))
    world.remote.script = lambda number, attempt: [Phase.PENDING, *[Phase.RUNNING] * 500]
    return world


async def a_service(world: World, **fields: Any) -> Service:
    await world.begin()
    world.heard.on_tick = lambda: world.pass_time(1.5)
    return Service(reconciler=world.daemon(), now=world.clock, until=UP, **fields)


def phases(world: World) -> list[Phase]:
    return [training.phase for training in world.remote.trainings if training.deleted_at is None]


async def states(world: World) -> list[TrialState]:
    return [view.trial.state for view in await world.store.trials()]


async def test_left_alone_they_go_on() -> None:
    world = a_world()
    service = await a_service(world)

    end, _ = await service.run()

    assert end is End.OUT_OF_TIME
    assert phases(world) == [Phase.RUNNING, Phase.RUNNING]


async def test_suspended_they_are_stopped_once_the_daemon_is_gone() -> None:
    world = a_world()
    service = await a_service(world, on_exit=OnExit.SUSPEND)

    end, sweep = await service.run()

    assert (end, sweep.state) == (End.OUT_OF_TIME, SweepState.OPEN)
    assert phases(world) == [Phase.STOPPED, Phase.STOPPED]
    assert world.remote.requests("create") == 2


async def test_the_next_daemon_resumes_what_was_suspended_and_spends_no_budget() -> None:
    world = a_world(planned=2)
    await (await a_service(world, on_exit=OnExit.SUSPEND)).run()

    await world.ticks(world.daemon(), 10)

    assert phases(world) == [Phase.RUNNING, Phase.RUNNING]
    assert [(await world.trial(number)).submission.resumes for number in (0, 1)] == [0, 0]
    assert world.remote.twice_live == set()


async def test_cancelled_their_trials_are_given_up_and_the_others_go_on() -> None:
    world = a_world()
    service = await a_service(world, on_exit=OnExit.CANCEL)

    end, sweep = await service.run()
    await world.ticks(world.daemon(), 5)

    assert (end, sweep.state) == (End.OUT_OF_TIME, SweepState.OPEN)
    assert (await states(world))[:2] == [TrialState.CANCELLED, TrialState.CANCELLED]
    assert [training.number for training in world.remote.trainings if training.lives] == [2, 3]


async def test_a_sweep_of_which_nothing_is_left_ends_with_its_last_trials() -> None:
    world = a_world(planned=2)
    service = await a_service(world, on_exit=OnExit.CANCEL)

    end, sweep = await service.run()

    assert (end, sweep.state) == (End.SETTLED, SweepState.FINISHED)


async def test_a_control_plane_that_does_not_answer_is_not_waited_for_without_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = a_world()
    service = await a_service(world, on_exit=OnExit.SUSPEND)

    def go_down_in_time() -> None:
        world.pass_time(1.5)
        if world.clock() >= UP:
            world.remote.down = TransientError("503")

    world.heard.on_tick = go_down_in_time

    end, _ = await service.run()

    assert end is End.OUT_OF_TIME
    assert world.clock() >= UP + ON_EXIT_PATIENCE
    assert "2 trainings could not be left as --on-exit asks" in caplog.text


async def test_a_stop_that_is_asked_for_meanwhile_leaves_the_rest_alone() -> None:
    world = a_world()
    service = await a_service(world, on_exit=OnExit.SUSPEND)

    def stop_once_it_leaves() -> None:
        world.pass_time(1.5)
        if service.reconciler.on_exit is OnExit.SUSPEND:
            service.request_stop()

    world.heard.on_tick = stop_once_it_leaves

    end, _ = await service.run()

    assert end is End.STOPPED


async def test_a_daemon_killed_while_it_suspends_leaves_nothing_suspended_for_good() -> None:
    world = a_world(planned=2)
    await world.begin()
    killed = world.daemon()
    await world.ticks(killed, 5)
    killed.on_exit = OnExit.SUSPEND
    await killed.tick()

    await world.ticks(world.daemon(), 20)

    assert phases(world) == [Phase.RUNNING, Phase.RUNNING]


async def _night(world: World, point: CrashPoint, on_exit: OnExit) -> None:
    """Run a daemon that is out of time after a few ticks, and killed at a point of its life."""
    daemon = world.daemon(store=point.guard(world.store), control_plane=point.guard(world.remote))
    try:
        await world.ticks(daemon, 4)
        daemon.on_exit = on_exit
        while (await daemon.tick()).leaving:
            world.pass_time(1.5)
    except* Crash:
        world.pass_time(1.5)


@pytest.mark.parametrize("on_exit", [OnExit.SUSPEND, OnExit.CANCEL])
async def test_a_kill_at_any_step_of_two_nights_loses_nothing_and_doubles_nothing(
    on_exit: OnExit,
) -> None:
    at, was_killed = 1, True

    while was_killed:
        world = a_world()
        world.remote.script = lambda number, attempt: [*[Phase.RUNNING] * 12, Phase.COMPLETED]
        world.remote.faults = {(call, 1): lost_answer() for call in ("create", "suspend", "delete")}
        await world.begin()
        first = CrashPoint(at=at)
        await _night(world, first, on_exit)
        await _night(world, CrashPoint(at=1 + at % 29), on_exit)
        await world.run(world.daemon())

        was_killed = first.was_reached
        at += 1
        assert world.remote.twice_live == set()
        assert world.remote.most_live <= 2
        assert not any(training.lives for training in world.remote.trainings)
        given_up = {TrialState.CANCELLED} if on_exit is OnExit.CANCEL else set()
        assert len(await states(world)) == 4
        assert set(await states(world)) <= {TrialState.COMPLETED} | given_up
    assert at > 30
