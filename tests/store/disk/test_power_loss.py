"""The power is cut at any moment of a sweep, and the store is opened again from what was left.

The statements of a whole daemon run are told to another SQLite, on a file system that keeps what
was written and what was synced; from that, disks are made as a loss of power may leave them.
"""

import asyncio
import copy
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest

from sweeper.errors import StoreError
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.images import losses
from tests.store.disk.recording import Acknowledged, Act, recorded
from tests.store.disk.statements import Statements, is_end, listening, told
from tests.store.disk.troubled import check, troubled_world
from tests.store.sqlite import ask
from tests.support.daemon import World
from tests.support.remote import Remote

T = TypeVar("T")
Content = tuple[Any, ...]
"""All rows of all tables."""

IMAGES = int(os.environ.get("IMAGES", "100"))
"""So many images for each case below."""

GONE_ON_WITH = 10
"""With every so many images the sweep is run to its end."""

OFTEN = "PRAGMA wal_autocheckpoint=12"

pytestmark = pytest.mark.timeout(60 + IMAGES)


@dataclass(slots=True)
class Played:
    """A daemon's run: what its store said, and the control plane as it was at each commit."""

    world: World
    statements: Statements = field(default_factory=list)
    remotes: dict[int, Remote] = field(default_factory=dict)

    async def run(self, call: Callable[[], T], /) -> T:
        """Make a call of the store (`store.writing.Run`)."""
        self.remotes[sum(map(is_end, self.statements))] = copy.deepcopy(self.world.remote)
        return call()


@cache
def played() -> Played:
    """Run a sweep with troubles to its end."""

    async def play() -> Played:
        here = Played(troubled_world(Remote))
        with memory_folder() as folder, listening(here.statements):
            path = folder / "store.db"
            async with SqlStore(path, run=here.run, now=here.world.clock) as here.world.store:
                await here.world.begin()
                await here.world.run(here.world.daemon())
        return here

    return asyncio.run(play())


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the files, and the rows after each commit (the first: before any)."""

    acts: Sequence[Act]
    contents: Sequence[Content]


@cache
def replayed(synchronous: int, checkpoints: str) -> Replayed:
    """Tell the statements to SQLite, at a level of `PRAGMA synchronous`."""
    acts: list[Act] = []
    statements = [
        one.replace("synchronous=2", f"synchronous={synchronous}") for one in played().statements
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        path.touch()
        with recorded(path, acts) as connection:
            contents = [_rows(connection)]
            for done in told([*statements[:4], checkpoints, *statements[4:]], connection.execute):
                if is_end(done):
                    acts.append(Acknowledged())
                    contents.append(_rows(connection))
    return Replayed(acts, contents)


def _rows(connection: apsw.Connection) -> Content:
    return _content(lambda statement: list(connection.execute(statement)))


def _content(answer: Callable[[str], Sequence[tuple[Any, ...]]]) -> Content:
    names = answer("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return tuple((name, *answer(f'SELECT * FROM "{name}" ORDER BY rowid')) for (name,) in names)


async def _opened(folder: Path, image: Mapping[str, bytes]) -> Content:
    """Lay an image down, open it as a daemon does, and return what it holds."""
    for name, content in image.items():
        (folder / name).write_bytes(content)
    async with SqlStore(folder / "store.db", run=inline) as store:
        assert ask(store, "PRAGMA integrity_check") == [("ok",)]
        return _content(lambda statement: ask(store, statement))


async def _go_on(folder: Path, acknowledged: int) -> None:
    """Let a new daemon go on with the store where the power was cut, and judge what comes of it."""
    world = troubled_world(Remote)
    world.remote = copy.deepcopy(played().remotes[acknowledged])
    world.clock.time = world.remote.now()
    world.pass_time(1.5)
    async with SqlStore(folder / "store.db", run=inline, now=world.clock) as world.store:
        if await world.store.load_sweep() is None:
            await world.begin()
        await world.run(world.daemon())
    check(world.remote)


def _faults(synchronous: int, checkpoints: str, seed: int, *, goes_on: bool) -> list[str]:
    """Return what is wrong with each image that does not hold what was acknowledged."""
    replay = replayed(synchronous, checkpoints)
    new = next(rows for rows in replay.contents if any(name == "sweeps" for name, *_ in rows))
    faults = []
    for number, (count, image) in enumerate(losses(replay.acts, IMAGES, seed)):
        with memory_folder() as folder:
            try:
                found = asyncio.run(_opened(folder, image))
            except (StoreError, AssertionError) as error:
                faults.append(f"image {number}: {error}")
                continue
            # A transaction under way may have become durable just before.
            expected = [rows or new for rows in replay.contents[count : count + 2]]
            if found not in expected:
                faults.append(f"image {number}: lost what commit {count} had acknowledged")
            elif goes_on and number % GONE_ON_WITH == 0:
                asyncio.run(_go_on(folder, min(count, max(played().remotes))))
    return faults


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("checkpoints", ["PRAGMA wal_autocheckpoint=1000", OFTEN])
def test_a_loss_of_power_loses_nothing_that_was_acknowledged(checkpoints: str, seed: int) -> None:
    assert _faults(2, checkpoints, seed, goes_on=True) == []


@pytest.mark.parametrize(
    ("synchronous", "words"),
    [pytest.param(1, "acknowledged", id="normal"), pytest.param(0, "is damaged", id="off")],
)
def test_a_store_that_syncs_less_is_found_out(synchronous: int, words: str) -> None:
    faults = _faults(synchronous, OFTEN, 0, goes_on=False)

    assert any(words in fault for fault in faults)
