"""The power is cut at any moment of a sweep, and the store is opened again from what was left.

The statements of a whole daemon run are told to another SQLite, on a file system that keeps what
was written and what was synced; from that, disks are made as a loss of power may leave them.
"""

import asyncio
import copy
import os
from pathlib import Path

import pytest

from sweeper.errors import StoreError
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.images import losses
from tests.store.disk.replaying import OFTEN, SELDOM, laid_down, opened, played, replayed
from tests.store.disk.troubled import check, troubled_world
from tests.support.remote import Remote

IMAGES = int(os.environ.get("IMAGES", "100"))
"""So many images for each case below."""

GONE_ON_WITH = 10
"""With every so many images the sweep is run to its end."""

pytestmark = pytest.mark.timeout(120 + IMAGES)


async def _go_on(path: Path, acknowledged: int) -> None:
    """Let a new daemon go on with the store where the power was cut, and judge what comes of it."""
    remotes = played().remotes
    world = troubled_world(Remote)
    world.remote = copy.deepcopy(remotes[min(acknowledged, max(remotes))])
    world.clock.time = world.remote.now()
    world.pass_time(1.5)
    async with SqlStore(path, run=inline, now=world.clock) as world.store:
        if await world.store.load_sweep() is None:
            await world.begin()
        await world.run(world.daemon())
    check(world.remote)


def _faults(synchronous: int, checkpoints: str, seed: int, *, goes_on: bool) -> list[str]:
    """Return what is wrong with each image that does not hold what was acknowledged."""
    replay = replayed(synchronous, checkpoints)
    faults = []
    for number, (count, image) in enumerate(losses(replay.acts, IMAGES, seed)):
        with memory_folder() as folder:
            path = laid_down(folder, image)
            try:
                found = asyncio.run(opened(path))
            except (StoreError, AssertionError) as error:
                faults.append(f"image {number}: {error}")
                continue
            if found not in replay.at(count):
                faults.append(f"image {number}: lost what commit {count} had acknowledged")
            elif goes_on and number % GONE_ON_WITH == 0:
                asyncio.run(_go_on(path, count))
    return faults


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("checkpoints", [SELDOM, OFTEN], ids=["seldom", "often"])
def test_a_loss_of_power_loses_nothing_that_was_acknowledged(checkpoints: str, seed: int) -> None:
    assert _faults(2, checkpoints, seed, goes_on=True) == []


@pytest.mark.parametrize(
    ("synchronous", "words"),
    [pytest.param(1, "acknowledged", id="normal"), pytest.param(0, "is damaged", id="off")],
)
def test_a_store_that_syncs_less_is_found_out(synchronous: int, words: str) -> None:
    faults = _faults(synchronous, OFTEN, 0, goes_on=False)

    assert any(words in fault for fault in faults)
