"""Kill the daemon at every single step of a sweep, start it anew, and look at the server."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, WishKind
from sweeper.domain.sweep import LimitsSpec, Method, RetryRule, RetrySpec
from sweeper.domain.trial import TrialState
from sweeper.ports import TrainingRequest
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.domain.spaces import space_of
from tests.support.builders import a_spec
from tests.support.crashing import Crash, CrashPoint
from tests.support.daemon import World
from tests.support.remote import lost_answer, refused_by_gateway, unreadable

LIMIT = 2
SHARDS = 6
"""The steps are shared out, so that no single test takes long on a busy machine."""

PHASES = {
    (0, 1): [Phase.PENDING, Phase.RUNNING, Phase.COMPLETED],
    (1, 1): [Phase.RUNNING, Phase.FAILED],
    (1, 2): [Phase.RUNNING, Phase.COMPLETED],
    (2, 1): [Phase.RUNNING, Phase.STOPPED, Phase.RUNNING, Phase.COMPLETED],
    (3, 1): [Phase.RUNNING, Phase.TERMINATING, Phase.PENDING, Phase.RUNNING, Phase.COMPLETED],
}

Making = Callable[[], Awaitable[World]]
Check = Callable[[World], Awaitable[None]]


def phases(number: int, attempt: int) -> Sequence[Phase]:
    return PHASES[number, attempt]


async def _troubled() -> World:
    """Four trials, two at a time: one fails once, one is suspended, one is preempted."""
    retry = RetrySpec(application=RetryRule(attempts=1, backoff=timedelta(seconds=4)))
    world = World(spec=a_spec(limits=LimitsSpec(active=LIMIT), retry=retry))
    world.remote.script = phases
    world.remote.faults = {
        ("create", 2): lost_answer(),
        ("create", 4): refused_by_gateway(),
        ("observe", 5): unreadable(),
        ("find", 1): unreadable(),
        ("events", 1): unreadable(),
        ("resume", 1): lost_answer(),
    }
    await world.begin()
    return world


async def _suspended() -> World:
    """The same sweep, suspended on demand for a while."""
    world = await _troubled()
    world.wishes = [(4, WishKind.SUSPEND), (8, WishKind.UNPAUSE)]
    return world


async def _cancelled() -> World:
    """Cancelled while one create is open and one training is suspended."""
    world = World(spec=a_spec(limits=LimitsSpec(active=LIMIT)))
    world.remote.script = lambda number, attempt: [Phase.PENDING, *[Phase.RUNNING] * 100]
    world.remote.faults = {("create", 2): lost_answer(), ("delete", 1): lost_answer()}
    world.wishes = [(1, WishKind.SUSPEND), (2, WishKind.CANCEL)]
    await world.begin()
    return world


async def _enqueued() -> World:
    """A grid to which a person adds a point at once, and another on the way."""
    grid = space_of({"a": {"values": [1, 2, 3, 4]}})
    spec = a_spec(method=Method.GRID, space=grid, limits=LimitsSpec(active=LIMIT))
    world = World(spec=spec, draws=True, points=[(0, {"a": 8}), (3, {"a": 9})])
    world.remote.script = lambda number, attempt: [Phase.RUNNING, Phase.COMPLETED]
    world.remote.faults = {("create", 2): lost_answer()}
    await world.begin()
    return world


async def _run_with_crashes(world: World, *points: CrashPoint) -> bool:
    """Run to the end, with a new daemon after each crash; return whether there was a first one."""
    for point in points:
        daemon = world.daemon(
            store=point.guard(world.store), control_plane=point.guard(world.remote)
        )
        try:
            await world.run(daemon)
        except* Crash:
            world.pass_time(1.5)
    await world.run(world.daemon())
    return points[0].was_reached


def _check_bounds(world: World) -> None:
    assert world.remote.twice_live == set()
    assert world.remote.most_live <= LIMIT
    assert not any(training.lives for training in world.remote.trainings)


async def _check_completed(world: World) -> None:
    """Compare the server's own history with what must be true of it."""
    _check_bounds(world)
    remote = world.remote
    done = Counter(one.number for one in remote.trainings if one.phase is Phase.COMPLETED)
    assert done == dict.fromkeys(range(4), 1)
    assert len(remote.of(1)) == 2
    states = {view.trial.number: view.trial.state for view in await world.store.trials()}
    assert states == dict.fromkeys(range(4), TrialState.COMPLETED)
    known = {
        submission.workload_id
        for number in range(4)
        for submission in await world.store.submissions(number)
    }
    assert {training.workload_id for training in remote.trainings} <= known


async def _check_enqueued(world: World) -> None:
    _check_bounds(world)
    views = await world.store.trials()
    assert [view.trial.number for view in views] == list(range(6))
    assert {view.trial.state for view in views} == {TrialState.COMPLETED}
    assert Counter(view.trial.params["a"] for view in views) == Counter([1, 2, 3, 4, 8, 9])
    assert views[0].trial.params == {"a": 8}
    done = Counter(one.number for one in world.remote.trainings)
    assert done == dict.fromkeys(range(6), 1)


async def _check_cancelled(world: World) -> None:
    _check_bounds(world)
    sweep = await world.store.load_sweep()
    assert sweep is not None
    assert sweep.state is SweepState.CANCELLED
    states = {view.trial.state for view in await world.store.trials()}
    assert states <= {TrialState.CANCELLED}


@pytest.mark.parametrize("first", range(1, SHARDS + 1))
@pytest.mark.parametrize(
    ("making", "check", "stride"),
    [
        pytest.param(_troubled, _check_completed, SHARDS, id="troubled"),
        pytest.param(_suspended, _check_completed, 4 * SHARDS, id="suspended"),
        pytest.param(_cancelled, _check_cancelled, SHARDS, id="cancelled"),
        pytest.param(_enqueued, _check_enqueued, SHARDS, id="enqueued"),
    ],
)
async def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(
    making: Making, check: Check, stride: int, first: int
) -> None:
    at, was_killed = first, True

    while was_killed:
        world = await making()
        # The second kill hits the recovery from the first, each time at another of its steps.
        again = CrashPoint(at=1 + at % 23)
        was_killed = await _run_with_crashes(world, CrashPoint(at=at), again)
        await check(world)
        at += stride

    assert at > 50


@pytest.mark.parametrize("has_unique_names", [True, False])
async def test_a_create_under_way_at_a_kill_may_still_land(has_unique_names: bool) -> None:
    at, was_killed = 0, True

    while was_killed:
        at += 1
        world = await _troubled()
        world.remote.has_unique_names = has_unique_names

        def be_late(request: TrainingRequest, world: World = world) -> None:
            world.remote.commit_later(request, timedelta(seconds=12))

        point = CrashPoint(at=at, only="create", be_late=be_late)
        was_killed = await _run_with_crashes(world, point)
        await _check_completed(world)

    assert at > 5


@pytest.mark.parametrize("at", range(30, 150, 30))
async def test_a_store_on_disk_survives_kills_as_the_one_in_memory_does(
    at: int, tmp_path: Path
) -> None:
    async with SqlStore(tmp_path / "store.db", run=inline) as store:
        world = await _troubled()
        world.store = store
        await world.begin()

        was_killed = await _run_with_crashes(world, CrashPoint(at=at))

        assert was_killed
        await _check_completed(world)
