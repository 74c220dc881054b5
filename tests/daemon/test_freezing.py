"""A control plane that knows none of its trainings any more, or only some."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from sweeper.daemon.pacing import QUIET_WAIT
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.record import SweepRecord, Wish, WishKind
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import TrialState
from tests.support.builders import a_spec
from tests.support.daemon import World

ENDLESS = [Phase.RUNNING] * 10**4
WRITES = ("create", "resume", "suspend", "delete")


async def at_work(trials: int = 8, **fields: Any) -> World:
    """Return a world in which so many trainings have run for a while."""
    spec = a_spec(limits=LimitsSpec(active=trials))
    world = World(planned=trials, spec=spec, **fields)
    await world.begin()
    world.remote.script = lambda number, attempt: ENDLESS
    await world.ticks(world.daemon(), 60)
    assert len(world.remote.trainings) == trials
    return world


async def sweep_of(world: World) -> SweepRecord:
    sweep = await world.store.load_sweep()
    assert sweep is not None
    return sweep


async def test_a_mass_404_is_never_a_mass_retry() -> None:
    world = await at_work()
    before = world.remote.requests(*WRITES)
    world.remote.hide()

    await world.ticks(world.daemon(), 400)

    assert world.remote.requests(*WRITES) == before
    assert world.heard.summaries[-1].trouble.startswith("writes are frozen: 8 of 8")
    assert {trial.state for trial in await world.store.live_trials()} == {TrialState.ACTIVE}


async def test_a_freeze_survives_a_restart_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = await at_work()
    world.remote.hide()
    await world.ticks(world.daemon(), 60)

    await world.ticks(world.daemon(), 60)

    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "Writes are frozen" in errors[0].getMessage()
    assert world.heard.outcomes("sweep") == ["frozen"]


async def test_reads_go_on_and_end_the_freeze_when_all_is_seen_again() -> None:
    world = await at_work()
    daemon = world.daemon()
    world.remote.hide()
    await world.ticks(daemon, 60)

    world.remote.hide(hidden=False)
    await world.ticks(daemon, 2)

    assert (await sweep_of(world)).frozen is None
    assert world.heard.outcomes("sweep") == ["frozen", "thawed"]
    assert world.heard.outcomes("look_up").count("seen_again") == 8
    assert world.remote.twice_live == set()


async def test_one_that_stays_lost_keeps_the_freeze() -> None:
    world = await at_work()
    daemon = world.daemon()
    world.remote.hide()
    await world.ticks(daemon, 60)

    world.remote.hide(*range(7), hidden=False)
    await world.ticks(daemon, 400)

    assert (await sweep_of(world)).frozen is not None
    assert len(world.remote.trainings) == 8


async def test_a_person_who_says_that_they_are_gone_has_them_tried_again() -> None:
    world = await at_work()
    daemon = world.daemon()
    world.remote.trainings = []
    await world.ticks(daemon, 60)

    await world.store.add_wish(Wish(kind=WishKind.THAW, at=world.clock()))
    await world.ticks(daemon, 100)

    assert (await sweep_of(world)).frozen is None
    assert sorted(training.number for training in world.remote.trainings) == [*range(8)]
    assert all(training.name.endswith("-2") for training in world.remote.trainings)


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED])
async def test_what_finished_and_was_deleted_by_the_server_never_counts(phase: Phase) -> None:
    world = await at_work()
    for training in world.remote.trainings:
        training.phase, training.deleted_at = phase, world.clock()

    await world.run(world.daemon())

    assert world.heard.outcomes("look_up") == []
    assert "frozen" not in world.heard.outcomes("sweep")


async def test_a_few_that_are_lost_have_vanished_one_by_one() -> None:
    world = await at_work()
    world.remote.trainings[:5] = []

    await world.ticks(world.daemon(), 100)

    assert "frozen" not in world.heard.outcomes("sweep")
    assert len(world.remote.trainings) == 8


async def test_without_a_listing_a_mass_404_freezes_too() -> None:
    world = await at_work()
    world.remote.has_listing = False
    world.remote.hide()
    before = world.remote.requests(*WRITES)

    await world.ticks(world.daemon(), 400)

    assert (await sweep_of(world)).frozen is not None
    assert world.remote.requests(*WRITES) == before


async def test_a_frozen_sweep_can_be_cancelled() -> None:
    world = await at_work()
    daemon = world.daemon()
    world.remote.hide(*range(6))
    await world.ticks(daemon, 60)

    await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=world.clock()))
    await world.run(daemon)

    assert world.remote.newest(7).desired is DesiredPhase.DELETED
    assert (await world.store.totals()).count(TrialState.CANCELLED) == 8


async def test_pausing_a_frozen_sweep_does_not_wait_for_ever() -> None:
    world = await at_work()
    world.remote.hide()
    await world.ticks(world.daemon(), 60)

    await world.store.add_wish(Wish(kind=WishKind.SUSPEND, at=world.clock()))
    tick = await world.run(world.daemon(drain=True), ticks=5)

    assert tick.sweep.frozen is not None
    assert world.remote.requests("suspend") == 0


async def test_a_frozen_sweep_is_looked_at_without_haste() -> None:
    world = await at_work()
    world.remote.hide()

    tick = await world.ticks(world.daemon(), 100)

    assert tick.wait == QUIET_WAIT


async def test_a_broken_template_costs_one_create_at_a_time() -> None:
    world = World(planned=40, spec=a_spec(limits=LimitsSpec(active=20)), ramps=True)
    await world.begin()
    world.remote.script = lambda number, attempt: [Phase.CREATING] * 10**4

    await world.ticks(world.daemon(), 60)

    assert len(world.remote.trainings) == 1


async def test_the_ramp_ends_once_a_training_runs() -> None:
    world = World(planned=40, spec=a_spec(limits=LimitsSpec(active=20)), ramps=True)
    await world.begin()
    world.remote.script = lambda number, attempt: ENDLESS

    await world.ticks(world.daemon(), 6)

    assert len(world.remote.trainings) == 20
    assert (await sweep_of(world)).first_running_at is not None


async def test_a_resumed_sweep_that_ran_before_is_not_slowed() -> None:
    world = await at_work(2, ramps=True)
    world.spec = a_spec(limits=LimitsSpec(active=20))
    sweep = await world.store.load_sweep()
    assert sweep is not None
    await world.store.save_sweep(replace(sweep, planned=20))

    await world.daemon().tick()

    assert len(world.remote.trainings) == 20
