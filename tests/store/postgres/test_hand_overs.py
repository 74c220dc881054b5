"""Leaders that are paused, killed and cut off: none of them writes after another took over."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from sweeper.clock import utc_now
from sweeper.errors import StoreAwayError, StoreLockedError, SweepTakenError
from sweeper.ports import Store
from sweeper.store.postgres import Leasing, PostgresDatabase, PostgresStore, schema_of
from sweeper.store.sql import DatabaseStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, an_event
from tests.support.postgres import Server, a_server

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

HAND_OVERS, KILLS = 300, 100
LONG = Leasing(renewal=None)


@pytest.fixture
def sweep(tmp_path: Path) -> str:
    """The name of a sweep of this test's own."""
    return str(tmp_path)


def a_database(server: Server, sweep: str, leasing: Leasing = LONG) -> PostgresDatabase:
    return PostgresDatabase(server.url, sweep, "daemon", utc_now, leasing=leasing)


def a_store(database: PostgresDatabase) -> DatabaseStore:
    return DatabaseStore(database, run=inline)


def end_term(server: Server, sweep: str) -> None:
    """Let the term be over, as if its holder had not been heard of for as long."""
    with server.connection(schema_of(sweep)) as connection:
        connection.execute(text("UPDATE lease SET expires_at = 0"))


async def test_a_sweep_that_is_held_is_refused_and_the_holder_named(
    server: Server, sweep: str
) -> None:
    async with a_store(a_database(server, sweep)):
        with pytest.raises(StoreLockedError, match=r"held by another process: process \d+ on"):
            await a_store(a_database(server, sweep)).__aenter__()


async def test_a_sweep_that_was_left_is_free_at_once(server: Server, sweep: str) -> None:
    for _ in range(3):
        async with a_store(a_database(server, sweep)) as store:
            await store.save_sweep(a_sweep(), [an_event()])

    async with a_store(a_database(server, sweep)) as store:
        assert [event.epoch for event in await store.events()] == [1, 2, 3]


async def test_two_sweeps_on_one_server_know_nothing_of_each_other(
    server: Server, sweep: str
) -> None:
    async with (
        a_store(a_database(server, sweep)) as one,
        a_store(a_database(server, f"{sweep} too")) as other,
    ):
        await one.save_sweep(a_sweep(), [an_event("one")])
        assert await other.load_sweep() is None


async def test_no_leader_of_hundreds_writes_after_it_was_overtaken(
    server: Server, sweep: str
) -> None:
    """Each leader is overtaken while it is paused, and then goes on as if nothing were."""
    stale = 0
    with ExitStack() as paused:
        before: Store | None = None
        for turn in range(HAND_OVERS):
            database = a_database(server, sweep)
            store = await a_store(database).__aenter__()
            paused.callback(database.close)
            await store.save_sweep(a_sweep(), [an_event(str(turn))])
            if before is not None:
                with pytest.raises(SweepTakenError, match="took this sweep over: process"):
                    await before.commit([], [an_event("stale")])
                stale += 1
            if turn % 10 == 9:
                paused.close()
                before = None
            else:
                before = store
            end_term(server, sweep)

    async with a_store(a_database(server, sweep)) as last:
        events = await last.events(limit=10 * HAND_OVERS)
    epochs = [event.epoch for event in events]
    assert [event.outcome for event in events] == [str(turn) for turn in range(HAND_OVERS)]
    assert all(one < other for one, other in pairwise(filter(None, epochs)))
    assert stale >= HAND_OVERS * 8 // 10


async def test_a_lease_that_another_took_is_not_renewed(server: Server, sweep: str) -> None:
    one = a_database(server, sweep)
    async with a_store(one):
        end_term(server, sweep)
        async with a_store(a_database(server, sweep)):
            with pytest.raises(SweepTakenError):
                one.renew()
            with pytest.raises(StoreAwayError, match="another daemon may hold it"):
                one.check_owned()


async def test_a_term_that_is_over_is_renewed_while_nobody_took_it(
    server: Server, sweep: str
) -> None:
    one = a_database(server, sweep)
    async with a_store(one):
        end_term(server, sweep)
        one.renew()

        with pytest.raises(StoreLockedError):
            await a_store(a_database(server, sweep)).__aenter__()


async def test_trust_ends_before_the_term_does_and_comes_back_with_a_renewal(
    server: Server, sweep: str
) -> None:
    clock = [1000.0]
    one = a_database(server, sweep, Leasing(renewal=None, uptime=lambda: clock[0]))
    async with a_store(one):
        clock[0] += 34.9
        one.check_owned()
        clock[0] += 0.2
        with pytest.raises(StoreAwayError, match="was not renewed of late"):
            one.check_owned()
        one.renew()
        one.check_owned()


async def test_the_lease_is_renewed_while_the_loop_is_busy(server: Server, sweep: str) -> None:
    renewed = []

    class Watched(PostgresDatabase):
        def renew(self) -> None:
            super().renew()
            renewed.append(True)
            if len(renewed) == 3:
                done.set()

    done = threading.Event()
    leasing = Leasing(renewal=timedelta(seconds=0.01))
    database = Watched(server.url, sweep, "daemon", utc_now, leasing=leasing)
    async with a_store(database):
        assert done.wait(60)


@contextmanager
def a_leader(server: Server, sweep: str, term: float) -> Iterator[subprocess.Popen[str]]:
    url = server.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.postgres.leader", url, sweep, str(term)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def told(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return says(process)


def test_a_stopped_leader_is_overtaken_and_does_nothing_when_it_goes_on(
    server: Server, sweep: str
) -> None:
    """Real processes, one of them stopped by SIGSTOP for longer than its term."""
    with ExitStack() as leaders:
        old = leaders.enter_context(a_leader(server, sweep, term=3))
        assert says(old) == "leads"
        assert (told(old, "act"), told(old, "0")) == ("acts", "wrote 0")
        for turn in range(1, 6):
            old.send_signal(signal.SIGSTOP)
            new = leaders.enter_context(a_leader(server, sweep, term=3))
            assert says(new) == "leads"
            old.send_signal(signal.SIGCONT)
            assert (told(old, "act"), told(old, "stale")) == ("waits", "taken")
            assert (told(new, "act"), told(new, str(turn))) == ("acts", f"wrote {turn}")
            old = new


async def test_a_session_that_is_ended_costs_a_try_and_no_more(server: Server, sweep: str) -> None:
    async with a_store(a_database(server, sweep)) as store:
        await store.save_sweep(a_sweep())
        for turn in range(KILLS):
            assert server.kill_backends() == 1
            with pytest.raises(StoreAwayError, match="cannot be reached for now"):
                await store.commit([], [an_event("lost")])
            await store.commit([], [an_event(str(turn))])

        outcomes = [event.outcome for event in await store.events()]
    assert outcomes == [str(turn) for turn in range(KILLS)]


def test_a_server_that_stops_at_once_loses_nothing_that_was_acknowledged() -> None:
    """It stops while commits are under way, so of the last one nobody knows whether it landed."""
    with a_server() as server:
        acknowledged = asyncio.run(_write_through_halts(server))
        outcomes = asyncio.run(_outcomes(server))

    assert set(acknowledged) <= set(outcomes)
    assert len(outcomes) == len(set(outcomes)) <= len(acknowledged) + HALTS
    assert [outcome for outcome in outcomes if outcome in acknowledged] == acknowledged


HALTS = 5


async def _write_through_halts(server: Server) -> list[str]:
    acknowledged: list[str] = []
    async with a_store(a_database(server, "demo")) as store:
        await store.save_sweep(a_sweep())
        for turn in range(HALTS):
            with ThreadPoolExecutor(1) as thread:
                halting = thread.submit(server.halt)
                acknowledged += await _write_until_it_is_away(store, turn)
                halting.result()
            server.start()
    return acknowledged


async def _write_until_it_is_away(store: Store, turn: int) -> list[str]:
    written: list[str] = []
    for number in count():
        try:
            await store.commit([], [an_event(f"{turn}.{number}")])
        except StoreAwayError:
            break
        written.append(f"{turn}.{number}")
    return written


async def _outcomes(server: Server) -> list[str]:
    async with a_store(a_database(server, "demo")) as store:
        return [event.outcome for event in await store.events(limit=10**6)]


async def test_a_server_that_is_not_there_is_said_to_be_away_without_its_password(
    tmp_path: Path,
) -> None:
    url = URL.create(
        "postgresql", username="me", password="hush", host=str(tmp_path), database="sweeps"
    )

    with pytest.raises(StoreAwayError, match="cannot be reached for now") as caught:
        await PostgresStore(url, "demo").__aenter__()

    assert "hush" not in str(caught.value)
