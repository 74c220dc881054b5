import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.clock import SteadyClock, pause, uptime, utc_now


def test_the_time_is_aware_and_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)
    assert utc_now().tzinfo is UTC


@pytest.mark.looptime
async def test_a_pause_lasts_as_long_as_it_should() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    woken = await pause(90)

    assert woken is False
    assert loop.time() - began == 90


@pytest.mark.looptime
async def test_a_pause_that_nobody_cuts_short_lasts_as_long_as_it_should() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    woken = await pause(90, wake=asyncio.Event())

    assert woken is False
    assert loop.time() - began == 90


@pytest.mark.looptime
async def test_an_event_cuts_a_pause_short_and_stays_set() -> None:
    loop = asyncio.get_running_loop()
    wake = asyncio.Event()
    began = loop.time()
    loop.call_later(5, wake.set)

    woken = await pause(90, wake=wake)

    assert woken is True
    assert loop.time() - began == 5
    assert wake.is_set()


@pytest.mark.looptime
async def test_an_event_set_before_needs_no_wait() -> None:
    loop = asyncio.get_running_loop()
    wake = asyncio.Event()
    wake.set()
    began = loop.time()

    assert await pause(90, wake=wake) is True
    assert loop.time() == began


@pytest.mark.looptime
@pytest.mark.parametrize("seconds", [0, -1])
@pytest.mark.parametrize("wakes", [False, True])
async def test_a_pause_of_nothing_lets_others_go_on(seconds: float, wakes: bool) -> None:
    loop = asyncio.get_running_loop()
    others: list[str] = []
    loop.call_soon(others.append, "went on")
    began = loop.time()

    woken = await pause(seconds, wake=asyncio.Event() if wakes else None)

    assert woken is False
    assert others == ["went on"]
    assert loop.time() == began


@pytest.mark.looptime
async def test_a_cancelled_pause_stays_cancelled() -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pause(90, wake=asyncio.Event()), name="pause")
        asyncio.get_running_loop().call_later(1, task.cancel)

    assert task.cancelled()


def test_uptime_never_goes_back() -> None:
    first = uptime()

    assert uptime() >= first > 0


class Watches:
    """A wall clock and a count of seconds, each turned by the test alone."""

    wall = datetime(2026, 11, 1, tzinfo=UTC)
    seconds = 1000.0

    def steady(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.seconds)


def test_a_steady_clock_goes_on_by_seconds_whatever_the_wall_clock_does() -> None:
    watches = Watches()
    clock, began = watches.steady(), watches.wall

    watches.wall -= timedelta(days=1)
    watches.seconds += 5

    assert clock() == began + timedelta(seconds=5)


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1), timedelta()])
def test_setting_a_steady_clock_tells_how_far_it_was_off(off: timedelta) -> None:
    watches = Watches()
    clock = watches.steady()
    watches.seconds += 5
    watches.wall += timedelta(seconds=5) + off

    assert clock.set() == off
    assert clock() == watches.wall
    assert clock.set() == timedelta()


def test_a_steady_clock_is_the_wall_clock_at_first() -> None:
    before = utc_now()

    assert before <= SteadyClock()() <= utc_now() + timedelta(seconds=1)
