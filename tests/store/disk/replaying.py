"""The run of a daemon told again to SQLite on a file system that records, and may fail."""

import asyncio
import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import apsw

from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.recording import Acknowledged, Act, recorded
from tests.store.disk.statements import Statements, is_end, listening, told
from tests.store.disk.troubled import troubled_world
from tests.store.sqlite import ask
from tests.support.daemon import World
from tests.support.remote import Remote

T = TypeVar("T")
Content: TypeAlias = tuple[Any, ...]
"""All rows of all tables."""

SELDOM = "PRAGMA wal_autocheckpoint=1000"
"""What SQLite does by itself: a small sweep meets one checkpoint, at its end."""

OFTEN = "PRAGMA wal_autocheckpoint=12"
"""As many checkpoints as a large sweep meets."""


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


@dataclass(slots=True)
class Replayed:
    """What became of the files, and the rows after each commit (the first: before any)."""

    acts: list[Act] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)

    def at(self, commit: int) -> Sequence[Content]:
        """Return what a store may hold that was cut off after so many commits.

        A transaction under way may have become durable just before.
        """
        new = next(rows for rows in self.contents if rows)
        return [rows or new for rows in self.contents[commit : commit + 2]]


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


@cache
def replayed(synchronous: int, checkpoints: str) -> Replayed:
    """Tell the statements of the run to SQLite, at a level of `PRAGMA synchronous`."""
    return replay_of(_statements(synchronous, checkpoints))


def replay_of(statements: Sequence[str]) -> Replayed:
    """Tell statements to SQLite."""
    replay = Replayed()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        path.touch()
        with recorded(path, replay.acts) as connection:
            replay.contents.append(_rows(connection))
            for done in told(statements, connection.execute):
                if is_end(done):
                    replay.acts.append(Acknowledged())
                    replay.contents.append(_rows(connection))
    return replay


def broken_off(path: Path, checkpoints: str, before: Callable[[], None]) -> Sequence[Act]:
    """Tell the statements until `before` has refused something; return what became of the files."""
    acts: list[Act] = []
    path.touch()
    with suppress(apsw.Error), recorded(path, acts, before) as connection:
        for done in told(_statements(2, checkpoints), connection.execute):
            acts.extend([Acknowledged()] if is_end(done) else [])
    return acts


async def opened(path: Path) -> Content:
    """Open a store as a daemon does, and return what it holds, proved to be sound."""
    async with SqlStore(path, run=inline) as store:
        assert ask(store, "PRAGMA integrity_check") == [("ok",)]
        return content(lambda statement: ask(store, statement))


def laid_down(folder: Path, image: Mapping[str, bytes]) -> Path:
    """Write the files of an image and return where its database is."""
    for name, content in image.items():
        (folder / name).write_bytes(content)
    return folder / "store.db"


def _statements(synchronous: int, checkpoints: str) -> Statements:
    first, *rest = (
        one.replace("synchronous=2", f"synchronous={synchronous}") for one in played().statements
    )
    return [first, checkpoints, *rest]


def _rows(connection: apsw.Connection) -> Content:
    return content(lambda statement: list(connection.execute(statement)))


def content(answer: Callable[[str], Sequence[tuple[Any, ...]]]) -> Content:
    """Return what a database holds, asked by `answer`."""
    names = answer("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return tuple((name, *answer(f'SELECT * FROM "{name}" ORDER BY rowid')) for (name,) in names)
