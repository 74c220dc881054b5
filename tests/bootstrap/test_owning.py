import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.owning import own_store
from sweeper.clock import utc_now
from sweeper.errors import SweepOwnedError
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore


class Waits(logging.Handler):
    """Hears that a daemon waits for the sweep."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("waiting for process"):
            self.told.set()


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


async def test_a_daemon_waits_for_another_one_to_end_when_it_is_told_to(
    folder: SweepFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = SqlStore(folder.store)
    await held.__aenter__()
    patient = own_store(folder, utc_now, patience=timedelta(minutes=10))
    waits = Waits()
    logger = logging.getLogger("sweeper.bootstrap.owning")
    monkeypatch.setattr(logger, "handlers", [waits])
    monkeypatch.setattr(logger, "level", logging.INFO)

    async def let_go_once_it_waits() -> None:
        await waits.told.wait()
        await held.__aexit__(None, None, None)

    async with asyncio.TaskGroup() as group:
        entered = group.create_task(patient.__aenter__())
        group.create_task(let_go_once_it_waits())

    assert await entered.result().load_sweep() is None
    await patient.__aexit__(None, None, None)


async def test_who_still_owns_the_sweep_after_the_wait_is_told_as_without_one(
    folder: SweepFolder,
) -> None:
    async with own_store(folder, utc_now):
        with pytest.raises(SweepOwnedError, match=r"process \d+ on .*daemon, since 20"):
            async with own_store(folder, utc_now, patience=timedelta(milliseconds=1)):
                pass
