import asyncio
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.owning import own_store
from sweeper.clock import utc_now
from sweeper.errors import SweepOwnedError
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore


@pytest.fixture
def folder(settings: Settings) -> SweepFolder:
    """The folder of a sweep that was started."""
    made = folder_of(settings, "demo")
    made.create(Path("sweep.yaml"))
    return made


async def test_a_second_daemon_is_refused_at_once_and_told_who_owns_the_sweep(
    folder: SweepFolder,
) -> None:
    async with own_store(folder, utc_now):
        with pytest.raises(SweepOwnedError, match=r"owns the sweep demo: process \d+ on .*daemon"):
            async with own_store(folder, utc_now):
                pass


async def test_a_store_is_free_again_once_its_daemon_has_left(folder: SweepFolder) -> None:
    async with own_store(folder, utc_now):
        pass

    async with own_store(folder, utc_now) as store:
        assert await store.load_sweep() is None


async def test_a_daemon_waits_for_a_verb_that_is_about_to_end(folder: SweepFolder) -> None:
    held = SqlStore(folder.store, role="status")
    await held.__aenter__()

    async def let_go() -> None:
        await held.__aexit__(None, None, None)

    async with asyncio.TaskGroup() as group:
        owning = own_store(folder, utc_now)
        entered = group.create_task(owning.__aenter__())
        group.create_task(let_go())

    assert await entered.result().load_sweep() is None
    await owning.__aexit__(None, None, None)
