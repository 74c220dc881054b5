import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from sweeper.clock import pause
from sweeper.daemon.delivering import LAST_GRACE, SEND_TIMEOUT, Outbox, delivering
from sweeper.daemon.recording import Recorder
from sweeper.domain.notifying import Daily
from sweeper.domain.outbox import ATTEMPTS, Notice, NoticeKind
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import Trial
from sweeper.errors import AuthError, StoreError
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_spec, a_sweep, after
from tests.support.crashing import Crash, CrashPoint
from tests.support.daemon import Heard, World
from tests.support.telling import Told

pytestmark = pytest.mark.looptime


def loop_now() -> datetime:
    return after(seconds=asyncio.get_running_loop().time())


def a_notice(text: str = "why") -> Notice:
    return Notice(kind=NoticeKind.STOPPED, at=NOW, text=text, due_at=NOW)


async def a_store(*notices: Notice) -> MemoryStore:
    store = MemoryStore()
    await store.save_sweep(a_sweep(), notices=notices)
    return store


def an_outbox(store: MemoryStore, told: Told) -> Outbox:
    return Outbox(store=store, notifier=told, telemetry=Heard(), now=loop_now)


async def outcomes(store: MemoryStore) -> list[str]:
    return [f"{event.kind} {event.outcome}" for event in await store.events()]


async def test_what_is_in_the_outbox_is_sent_once_in_order() -> None:
    store, told = await a_store(a_notice("one"), a_notice("two")), Told()

    for _ in range(2):
        async with delivering(an_outbox(store, told)):
            await pause(0)

    assert told.texts == ["one", "two"]
    assert await outcomes(store) == ["notice sent", "notice sent"]


async def test_a_notice_is_sent_as_soon_as_it_is_written() -> None:
    store, told = await a_store(), Told()
    outbox = an_outbox(store, told)

    async def read_reports(trials: Sequence[Trial]) -> None:
        return None

    recorder = Recorder(
        store=store,
        telemetry=Heard(),
        read_reports=read_reports,
        now=outbox.now,
        notify={"SLACK": frozenset(NoticeKind)},
        on_notice=outbox.wake.set,
    )
    async with delivering(outbox):
        await pause(60)
        stopped = replace(a_sweep(), state=SweepState.STOPPED, stop_reason="3 trials failed")
        await recorder.save_sweep(a_sweep(), stopped)
        await pause(1)
        in_time = list(told.texts)

    assert in_time == ["3 trials failed"]


async def test_a_service_that_is_away_for_an_hour_gets_the_notice_once() -> None:
    store, told = await a_store(a_notice()), Told()
    told.down = True

    async with delivering(an_outbox(store, told)):
        await pause(3600)
        tried, told.down = told.tries, False
        await pause(900)

    assert told.texts == ["why"]
    assert 5 < tried < 15


async def test_a_notice_that_never_gets_through_is_given_up_and_on_record() -> None:
    store, told = await a_store(a_notice()), Told()
    told.down = True

    async with delivering(an_outbox(store, told)):
        await pause(6 * 3600)

    assert told.tries == ATTEMPTS
    assert await outcomes(store) == ["notice given_up"]


async def test_a_wait_that_the_service_asks_for_is_kept() -> None:
    store, told = await a_store(a_notice()), Told()
    told.down, told.retry_after = True, 600.0

    async with delivering(an_outbox(store, told)):
        await pause(599)
        tries = told.tries

    assert tries == 1


async def test_a_notifier_that_hangs_or_is_broken_costs_a_try_and_nothing_else() -> None:
    store, told = await a_store(a_notice("hangs"), a_notice("breaks"), a_notice("fine")), Told()
    told.hangs, told.breaks = {"hangs"}, {"breaks"}

    async with delivering(an_outbox(store, told)):
        await pause(SEND_TIMEOUT + 1)

    assert told.texts == ["fine"]
    assert {notice.attempts > 0 for notice in await store.notices()} == {True}


async def test_what_the_end_of_the_sweep_writes_is_still_sent() -> None:
    store, told = await a_store(), Told()

    async with delivering(an_outbox(store, told)):
        await store.save_sweep(a_sweep(), notices=[a_notice("finished")])

    assert told.texts == ["finished"]


async def test_a_daemon_that_ends_tries_everything_once_more() -> None:
    store, told = await a_store(a_notice("one"), a_notice("two")), Told()
    told.down = True

    async with delivering(an_outbox(store, told)):
        await pause(1)
        told.down = False

    assert told.texts == ["one", "two"]
    assert told.tries == 4


async def test_a_service_that_hangs_does_not_hold_up_the_end() -> None:
    store, told = await a_store(a_notice("hangs")), Told()
    told.hangs = {"hangs"}
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with delivering(an_outbox(store, told)):
        await pause(1)

    assert loop.time() - began == 1 + LAST_GRACE
    assert len(await store.notices()) == 1


async def test_what_ends_the_daemon_passes_through_as_it_is() -> None:
    store = await a_store()

    with pytest.raises(StoreError, match="the disk is full"):
        async with delivering(an_outbox(store, Told())):
            raise StoreError("the disk is full")


async def test_a_store_that_fails_does_not_end_the_outbox() -> None:
    class Flaky(MemoryStore):
        failures = 3

        async def notices(self, limit: int = 100) -> Sequence[Notice]:
            self.failures -= 1
            if self.failures >= 0:
                raise StoreError("the database is away")
            return await super().notices(limit)

    store, told = Flaky(), Told()
    await store.save_sweep(a_sweep(), notices=[a_notice()])

    async with delivering(an_outbox(store, told)):
        await pause(60)
        in_time = list(told.texts)

    assert in_time == ["why"]


async def test_a_kill_anywhere_sends_each_notice_at_least_once_under_one_id() -> None:
    repeated, point = 0, CrashPoint(0)
    for place in range(1, 40):
        store, told = await a_store(a_notice("one"), a_notice("two")), Told()
        point = CrashPoint(place)
        outbox = Outbox(
            store=point.guard(store),
            notifier=point.guard(told),
            telemetry=Heard(),
            now=loop_now,
        )
        outbox.request_stop()
        try:
            await outbox.run()
        except Crash:
            last = an_outbox(store, told)
            last.request_stop()
            await last.run()
        assert set(told.texts) == {"one", "two"}
        assert len(told.texts) - len(set(told.ids)) <= 1
        assert len(set(told.ids)) == 2
        repeated += len(told.texts) > 2
        if not point.was_reached:
            break

    assert (repeated, point.was_reached) == (2, False)


async def test_a_daemon_puts_what_people_want_to_know_into_its_outbox() -> None:
    failing = [Phase.RUNNING, Phase.FAILED]
    limits = LimitsSpec(active=1, failures=2)
    world = World(spec=a_spec(limits=limits), notify={"SLACK": frozenset(NoticeKind)})
    world.remote.script = lambda number, attempt: failing
    await world.begin()

    await world.run(world.daemon())

    told = [(notice.kind, notice.text) for notice in await world.store.notices()]
    assert [kind for kind, _ in told] == [NoticeKind.FAILED, NoticeKind.FAILED, NoticeKind.STOPPED]
    assert told[-1][1] == "2 trials failed (limits.failures: 2)"


async def told_by(world: World) -> list[tuple[str, str]]:
    return [(notice.kind, notice.text) for notice in await world.store.notices()]


async def test_a_deadline_is_told_once_however_many_daemons_see_it() -> None:
    limits = LimitsSpec(active=1, deadline=timedelta(seconds=10))
    world = World(spec=a_spec(limits=limits), notify={"SLACK": {NoticeKind.DEADLINE}})
    world.remote.script = lambda number, attempt: [Phase.RUNNING] * 30
    await world.begin()

    for _ in range(3):
        await world.ticks(world.daemon(), 10)

    assert await told_by(world) == [
        ("deadline", "limits.deadline is over: no new trial is begun"),
    ]


async def test_a_refused_token_is_told_once_each_time_it_comes() -> None:
    world = World(notify={"SLACK": {NoticeKind.BLOCKED}})
    world.remote.script = lambda number, attempt: [Phase.RUNNING] * 1000
    await world.begin()
    daemon = world.daemon()

    for _ in range(2):
        world.remote.down = AuthError("refused")
        await world.ticks(daemon, 5, seconds=60)
        world.remote.down = None
        await world.ticks(daemon, 5, seconds=60)

    assert (
        await told_by(world) == [("blocked", "the control plane lets us in no more: refused")] * 2
    )


async def test_the_daily_summary_comes_once_a_day_also_from_daemons_that_start_anew() -> None:
    world = World(
        notify={"SLACK": {NoticeKind.SUMMARY}},
        daily=Daily(at=time(8), local=lambda moment: moment),
    )
    world.remote.script = lambda number, attempt: [Phase.RUNNING] * 1000
    await world.begin()

    for _ in range(14):
        await world.ticks(world.daemon(), 2, seconds=6 * 3600)

    days = [notice.at.day for notice in await world.store.notices()]
    assert days == [2, 3, 4]


async def test_what_nobody_is_there_for_any_more_is_given_up_at_once() -> None:
    store, told = await a_store(a_notice("gone"), a_notice("fine")), Told()
    told.gone = {"gone"}

    async with delivering(an_outbox(store, told)):
        await pause(1)

    assert told.texts == ["fine"]
    assert await outcomes(store) == ["notice given_up", "notice sent"]


async def test_a_daemon_that_nobody_wants_to_hear_of_keeps_its_outbox_empty() -> None:
    world = World()
    await world.begin()

    await world.run(world.daemon())

    assert list(await world.store.notices()) == []
