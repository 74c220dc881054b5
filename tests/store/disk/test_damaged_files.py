"""A store's file that is cut or blank from some page on is refused, and left as it is."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.errors import StoreError
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.local.planes import memory_folder
from tests.store.disk.troubled import troubled_world
from tests.support.remote import Remote

PAGE = 4096
Harm = Callable[[bytes, int], bytes]


def _cut(content: bytes, at: int) -> bytes:
    return content[:at]


def _blank_from(content: bytes, at: int) -> bytes:
    return content[:at] + bytes(len(content) - at)


def _blank_page(content: bytes, at: int) -> bytes:
    return content[:at] + bytes(PAGE) + content[at + PAGE :]


async def _fill(path: Path) -> None:
    world = troubled_world(Remote)
    async with SqlStore(path, run=inline, now=world.clock) as world.store:
        await world.begin()
        await world.run(world.daemon())


async def _open(path: Path) -> None:
    async with SqlStore(path, run=inline):
        pass


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("harm", "step"),
    [
        pytest.param(_cut, PAGE, id="cut between pages"),
        pytest.param(_cut, 1500, id="cut within a page"),
        pytest.param(_blank_from, PAGE, id="blank from there on"),
        pytest.param(_blank_page, PAGE, id="one blank page"),
    ],
)
def test_a_file_that_lost_a_part_is_refused_and_kept(harm: Harm, step: int) -> None:
    with memory_folder() as folder:
        path = folder / "store.db"
        asyncio.run(_fill(path))
        whole = path.read_bytes()

        for at in range(step, len(whole), step):
            path.write_bytes(harm(whole, at))
            with pytest.raises(StoreError, match=r"store\.db is damaged"):
                asyncio.run(_open(path))
            assert path.read_bytes() == harm(whole, at), f"changed at {at}"

        path.write_bytes(whole)
        asyncio.run(_open(path))
