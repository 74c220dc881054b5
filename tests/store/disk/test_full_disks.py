"""The disk is full from one call of the store on: the daemon ends, and goes on when there is room.

The files of this process may not grow for the length of a call, so that SQLite's own writes fail,
at once or half-way through a transaction. That needs no rights.
"""

import os
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from sweeper.errors import StoreError
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.troubled import check, troubled_world
from tests.support.daemon import World
from tests.support.remote import Remote

T = TypeVar("T")
SHARDS = 6
"""The calls are shared out, so that no single test takes long on a busy machine."""

STRIDE = int(os.environ.get("STRIDE", "3"))
"""Of so many calls one is the first to meet a full disk; 1 plays all."""

pytestmark = pytest.mark.timeout(240)


@contextmanager
def _no_room(left: int) -> Iterator[None]:
    """Let no file of this process grow beyond `left` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass(slots=True)
class Filling:
    """Makes the calls of a store inline; from call `at` on the log has `room` bytes left, or none.

    `sent` are the creates that the control plane had seen when the first write failed.
    """

    path: Path
    at: int
    room: int | None
    calls: int = 0

    async def run(self, call: Callable[[], T], /) -> T:
        """Make one call (`store.writing.Run`)."""
        self.calls += 1
        if self.calls < self.at:
            return call()
        log = self.path.with_name(f"{self.path.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        with _no_room(0 if self.room is None else size + self.room):
            return call()


async def _fill_up(world: World, filling: Filling) -> str | None:
    """Run a daemon until its disk is full; return what it says, None when it came to the end."""
    try:
        async with SqlStore(filling.path, run=filling.run, now=world.clock) as world.store:
            await world.begin()
            await world.run(world.daemon())
    except StoreError as error:
        return str(error)
    return None


async def _intended(world: World, path: Path) -> set[str]:
    """Return the names of all trainings that a store has an intent of."""
    async with SqlStore(path, run=inline, now=world.clock) as store:
        numbers = [view.trial.number for view in await store.trials()]
        attempts = [one for number in numbers for one in await store.submissions(number)]
    return {one.workload_name for one in attempts}


async def _go_on(world: World, path: Path) -> None:
    async with SqlStore(path, run=inline, now=world.clock) as world.store:
        if await world.store.load_sweep() is None:
            await world.begin()
        await world.run(world.daemon())


@pytest.mark.parametrize("first", range(1, SHARDS + 1))
@pytest.mark.parametrize("room", [None, 6000], ids=["none", "for half a transaction"])
async def test_a_disk_full_at_any_call_loses_nothing_and_runs_nothing_twice(
    room: int | None, first: int
) -> None:
    at, said = first, Counter[bool]()

    while at < first + 1000:
        world = troubled_world(Remote)
        with memory_folder() as folder:
            filling = Filling(folder / "store.db", at, room)
            words = await _fill_up(world, filling)
            if filling.calls < at:
                break
            if words is not None:
                assert str(filling.path) in words
                assert "the disk fails, is full" in words
                sent = {training.name for training in world.remote.trainings}
                assert sent <= await _intended(world, filling.path)
                world.pass_time(1.5)
                await _go_on(world, filling.path)
            check(world.remote)
        said[words is not None] += 1
        at += SHARDS * STRIDE

    assert said[True] > 1
