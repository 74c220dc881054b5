from collections.abc import Mapping

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, Wish, WishKind
from sweeper.domain.trial import Trial, TrialState
from sweeper.errors import ControlPlaneError, ForbiddenError, RejectedError, TransientError
from tests.support.builders import NOW, a_trial
from tests.support.daemon import World, labels_of
from tests.support.remote import Fault

HELD = a_trial(0, state=TrialState.HELD, workload_id=None, version=0)
OURS = labels_of(HELD)


async def a_world(trial: Trial = HELD) -> World:
    """Return a world with one trial, which nobody else gives a training."""
    world = World(planned=1)
    await world.begin(state=SweepState.PAUSED)
    await world.store.commit([trial])
    return world


def there_is(
    world: World, name: str = HELD.submission.workload_name, labels: Mapping[str, str] = OURS
) -> str:
    return world.remote.add(name, labels, Phase.RUNNING).workload_id


async def adopt(world: World, workload_id: str, trial: int = 0) -> None:
    wish = Wish(kind=WishKind.ADOPT, at=NOW, trial=trial, workload_id=workload_id)
    await world.store.add_wish(wish)
    await world.daemon().tick()


async def test_what_is_proved_ours_becomes_the_training_of_the_trial() -> None:
    world = await a_world()
    workload_id = there_is(world)

    await adopt(world, workload_id)

    trial = await world.trial(0)
    assert trial.submission.workload_id == workload_id
    assert (trial.state, trial.submission.phase) == (TrialState.ACTIVE, Phase.RUNNING)
    assert world.heard.outcomes("submission") == ["adopted"]
    assert await world.store.wishes() == []


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param(HELD.submission.workload_name, {"owner": "someone"}, id="labels of another"),
        pytest.param(f"{HELD.submission.workload_name}-copy", OURS, id="a copy"),
    ],
)
async def test_what_is_not_ours_is_refused_with_both_sides_shown(
    name: str, labels: Mapping[str, str]
) -> None:
    world = await a_world()
    workload_id = there_is(world, name, labels)

    await adopt(world, workload_id)

    trial = await world.trial(0)
    assert (trial.state, trial.submission.workload_id) == (TrialState.HELD, None)
    assert f"expected {HELD.submission.workload_name} (sweeper/attempt=1, " in trial.reason
    assert f"found {name} (no labels of ours)" in trial.reason
    assert world.heard.outcomes("look_up") == ["foreign"]


@pytest.mark.parametrize(
    ("trial", "why"),
    [
        pytest.param(a_trial(0, version=0), "it has the training id-0-1 already", id="has one"),
        pytest.param(
            a_trial(0, version=0, state=TrialState.FAILED), "its attempt 1 is over", id="over"
        ),
    ],
)
async def test_a_trial_that_needs_none_is_given_none(trial: Trial, why: str) -> None:
    world = await a_world(trial)

    await adopt(world, there_is(world))

    assert await world.store.wishes() == []
    details = [event.detail for event in world.heard.events if event.outcome == "foreign"]
    assert details == [f"not adopted: {why}"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "knows no training id-9"),
        (RejectedError("no such id"), "cannot be read: no such id"),
        (ForbiddenError("no right"), "cannot be read: no right"),
    ],
)
async def test_what_cannot_be_read_is_not_adopted(
    error: ControlPlaneError | None, words: str
) -> None:
    world = await a_world()
    if error is not None:
        world.remote.faults = {("get", 1): Fault(error=error)}

    await adopt(world, "id-9")

    assert words in (await world.trial(0)).reason
    assert await world.store.wishes() == []


async def test_a_wish_waits_while_the_control_plane_is_silent() -> None:
    world = await a_world()
    workload_id = there_is(world)
    world.remote.down = TransientError("503")
    await adopt(world, workload_id)
    assert len(await world.store.wishes()) == 1

    world.remote.down = None
    await world.run(world.daemon(drain=True), ticks=3)

    assert (await world.trial(0)).submission.workload_id == workload_id


async def test_a_drain_is_not_over_while_a_wish_waits() -> None:
    world = await a_world()
    world.remote.down = TransientError("503")
    wish = Wish(kind=WishKind.ADOPT, at=NOW, trial=0, workload_id="id-9")
    await world.store.add_wish(wish)

    tick = await world.ticks(world.daemon(drain=True), 9)

    assert not tick.settled


async def test_adopting_twice_changes_nothing() -> None:
    world = await a_world()
    workload_id = there_is(world)
    await adopt(world, workload_id)
    before = await world.trial(0)

    await adopt(world, workload_id)

    assert await world.trial(0) == before


async def test_a_wish_for_a_trial_without_a_row_is_settled() -> None:
    world = await a_world()

    await adopt(world, "id-9", trial=7)

    assert await world.store.wishes() == []
