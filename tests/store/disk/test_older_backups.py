"""A store put back from an older copy and run to the end, whatever it forgot.

The daemon ends at one write, its store is put back to what it was at an earlier one, and the next
daemon goes on. Judged by what the control plane has on record.
"""

import os
from pathlib import Path

import pytest

from sweeper.domain.trial import TrialState
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.copies import Copies
from tests.store.disk.troubled import TRIALS, check, troubled_world
from tests.support.crashing import Crash
from tests.support.daemon import World
from tests.support.remote import ENDED, Remote

STRIDE = int(os.environ.get("STRIDE", "17"))
"""Every so many writes the daemon ends once; 1 plays all, which takes minutes."""


class Tidy(Remote):
    """A control plane that deletes what is finished at once."""

    def step(self) -> None:
        super().step()
        for training in self.trainings:
            if training.phase in ENDED and training.deleted_at is None:
                training.deleted_at = self.now()


async def _run(world: World, copies: Copies) -> None:
    async with SqlStore(copies.path, run=inline, now=world.clock) as world.store:
        await world.begin()
    async with SqlStore(copies.path, run=copies.run, now=world.clock) as world.store:
        await world.run(world.daemon())


async def _go_back(world: World, path: Path, ended_at: int, back_to: int) -> bool:
    """Let a daemon end at a write, put the store back to another one, and go on to the end."""
    copies = Copies(path, end_at=ended_at)
    try:
        await _run(world, copies)
    except* Crash:
        pass
    if len(copies.kept) < ended_at:
        return False
    world.pass_time(1.5)
    copies.put_back(copies.kept[back_to - 1])
    async with SqlStore(path, run=inline, now=world.clock) as world.store:
        await world.run(world.daemon())
        states = [view.trial.state for view in await world.store.trials()]
    assert states == [TrialState.COMPLETED] * TRIALS
    return True


@pytest.mark.timeout(240)
@pytest.mark.parametrize("lost", [1, 2, 5, 13, 34])
@pytest.mark.parametrize("kind", [Remote, Tidy], ids=["kept", "deleted when finished"])
@pytest.mark.parametrize("has_unique_names", [True, False], ids=["unique", "not unique"])
async def test_whatever_a_store_forgot_nothing_runs_twice_and_nothing_is_lost(
    lost: int, kind: type[Remote], has_unique_names: bool
) -> None:
    ended_at, was_reached = lost + 1, True

    with memory_folder() as folder:
        while was_reached:
            world = troubled_world(kind, has_unique_names=has_unique_names)
            path = folder / str(ended_at) / "store.db"
            was_reached = await _go_back(world, path, ended_at, ended_at - lost)
            check(world.remote)
            ended_at += STRIDE

    assert ended_at > lost + 1 + STRIDE
