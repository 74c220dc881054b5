"""A store that was put back from an older copy, and a control plane that knows more."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import TrialState
from sweeper.errors import ForbiddenError, UnsupportedError
from tests.support.builders import NOW, a_draft, a_spec, a_trial
from tests.support.daemon import World, labels_of
from tests.support.remote import Fault, Training, unreadable


async def a_world(planned: int | None = 6) -> World:
    world = World(spec=a_spec(limits=LimitsSpec(active=2)), planned=planned)
    world.remote.script = lambda number, attempt: [Phase.RUNNING]
    await world.begin()
    return world


def there_is(world: World, number: int, attempt: int = 1, phase: Phase = Phase.RUNNING) -> Training:
    """Put a training on the control plane that a daemon created before its store was put back."""
    draft = a_draft(number, attempt, None)
    trial = a_trial(number)
    submission = replace(
        trial.submission, workload_name=draft.workload_name, digest=draft.digest, attempt=attempt
    )
    labels = labels_of(replace(trial, submission=submission))
    return world.remote.add(draft.workload_name, labels, phase)


async def states(world: World) -> Mapping[int, TrialState]:
    return {view.trial.number: view.trial.state for view in await world.store.trials()}


async def test_what_lives_is_taken_up_before_anything_is_created() -> None:
    world = await a_world()
    there_is(world, 0, phase=Phase.COMPLETED)
    there_is(world, 1)
    there_is(world, 2)

    await world.daemon().tick()

    assert world.remote.requests("create") == 0
    assert await states(world) == {0: "completed", 1: "active", 2: "active"}


async def test_what_was_finished_and_deleted_is_not_run_again() -> None:
    world = await a_world(planned=2)
    for number in range(2):
        there_is(world, number, phase=Phase.COMPLETED).deleted_at = NOW

    tick = await world.run(world.daemon())

    assert tick.settled
    assert world.remote.requests("create") == 0
    assert set((await states(world)).values()) == {TrialState.COMPLETED}


async def test_a_later_attempt_takes_the_place_of_one_that_is_over() -> None:
    world = await a_world(planned=1)
    await world.daemon().tick()
    world.remote.newest(0).phase = Phase.FAILED
    there_is(world, 0, attempt=2)

    await world.daemon().tick()

    assert (await world.trial(0)).submission.attempt == 2
    assert world.remote.requests("create") == 1


async def test_no_later_attempt_is_believed_while_the_one_before_lives() -> None:
    world = await a_world(planned=1)
    await world.daemon().tick()
    there_is(world, 0, attempt=2)

    await world.daemon().tick()

    assert (await world.trial(0)).submission.attempt == 1


async def test_a_namesake_with_other_labels_is_not_taken_up() -> None:
    world = await a_world(planned=1)
    await world.daemon().tick()
    world.remote.newest(0).phase = Phase.FAILED
    world.remote.add(a_draft(0, 2, None).workload_name, {"copy": "1"}, Phase.RUNNING)

    await world.daemon().tick()

    assert (await world.trial(0)).submission.attempt == 1


async def test_a_trial_passed_over_without_a_trace_is_run_once() -> None:
    world = await a_world(planned=2)
    there_is(world, 1, phase=Phase.COMPLETED)
    world.remote.script = lambda number, attempt: [Phase.RUNNING, Phase.COMPLETED]

    await world.run(world.daemon())

    assert [one.number for one in world.remote.trainings] == [1, 0]
    assert set((await states(world)).values()) == {TrialState.COMPLETED}


async def test_numbers_that_the_sweep_cannot_have_reached_are_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await a_world(planned=None)
    there_is(world, 10**9)

    await world.daemon().tick()

    assert await states(world) == {0: "active", 1: "active"}
    assert "is no training of this sweep" in caplog.text


async def test_nothing_is_created_until_it_is_known_what_is_there() -> None:
    world = await a_world()
    world.remote.faults = {("observe", 1): unreadable()}
    daemon = world.daemon()

    tick = await daemon.tick()
    before = world.remote.requests("create")
    world.pass_time(tick.wait)
    await daemon.tick()

    assert before == 0
    assert world.remote.requests("create") == 2


@pytest.mark.parametrize("error", [UnsupportedError("404"), ForbiddenError("403")])
async def test_a_control_plane_that_tells_nothing_of_deleted_ones_is_worked_with(
    error: UnsupportedError | ForbiddenError,
) -> None:
    world = await a_world()
    there_is(world, 0)
    world.remote.faults = {("deleted", 1): Fault(error=error)}

    await world.daemon().tick()

    assert world.remote.requests("create") == 1
    assert await states(world) == {0: "active", 1: "active"}


async def test_without_a_listing_creates_begin_at_once() -> None:
    world = await a_world()
    world.remote.has_listing = False

    await world.daemon().tick()

    assert world.remote.requests("create") == 2


async def test_a_daemon_looks_once() -> None:
    world = await a_world(planned=2)

    await world.ticks(world.daemon(), 5)

    assert world.remote.requests("deleted") == 1
