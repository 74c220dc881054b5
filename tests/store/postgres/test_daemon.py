"""A daemon on a PostgreSQL server that goes away again and again, and one that is overtaken."""

from pathlib import Path

import pytest
from sqlalchemy import text

from sweeper.clock import utc_now
from sweeper.daemon.service import End, Service
from sweeper.domain.trial import TrialState
from sweeper.errors import StoreAwayError, SweepTakenError
from sweeper.store.postgres import Leasing, PostgresDatabase, schema_of
from sweeper.store.sql import DatabaseStore
from sweeper.store.writing import inline
from tests.support.daemon import World
from tests.support.postgres import Server

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120), pytest.mark.looptime]


def a_store(server: Server, sweep: str) -> DatabaseStore:
    leasing = Leasing(renewal=None)
    database = PostgresDatabase(server.url, sweep, "daemon", utc_now, leasing=leasing)
    return DatabaseStore(database, run=inline)


async def test_sessions_that_end_at_every_tick_lose_and_double_nothing(
    server: Server, tmp_path: Path
) -> None:
    async with a_store(server, str(tmp_path)) as store:
        world = World(store=store)
        await world.begin()
        ticks = []

        def move_on() -> None:
            world.pass_time(1.5)
            ticks.append(server.kill_backends())

        world.heard.on_tick = move_on
        end, _ = await Service(reconciler=world.daemon(), now=world.clock).run()

    async with a_store(server, str(tmp_path)) as store:
        completed = (await store.totals()).count(TrialState.COMPLETED)
    assert (end, completed, len(world.remote.trainings)) == (End.SETTLED, 4, 4)
    assert len(ticks) > 3


async def test_a_daemon_that_was_overtaken_ends_and_creates_nothing(
    server: Server, tmp_path: Path
) -> None:
    sweep = str(tmp_path)
    async with a_store(server, sweep) as store:
        world = World(store=store)
        await world.begin()
        with server.connection(schema_of(sweep)) as connection:
            connection.execute(text("UPDATE lease SET expires_at = 0"))
        async with a_store(server, sweep):
            with pytest.raises(SweepTakenError):
                await Service(reconciler=world.daemon(), now=world.clock).run()

    assert world.remote.requests("create") == 0


async def test_a_kill_of_the_session_within_a_tick_is_an_outage(
    server: Server, tmp_path: Path
) -> None:
    async with a_store(server, str(tmp_path)) as store:
        world = World(store=store)
        await world.begin()
        server.kill_backends()

        with pytest.raises(StoreAwayError):
            await world.daemon().tick()
