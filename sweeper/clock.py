"""The only place that reads or waits for time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """Return the wall clock's time, aware, in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Return seconds that only ever grow, also while the machine sleeps where that is known."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SteadyClock:
    """The wall clock, but for its jumps: it goes on from where it was set as seconds pass.

    Calling it returns the present time, aware, in UTC. `wall` is the clock that it is set by,
    `seconds` a count that only ever grows; while the machine sleeps it may stand still.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._seconds = wall, seconds
        self._set_to, self._set_at = wall(), seconds()

    def __call__(self) -> datetime:
        """Return the present time."""
        return self._set_to + timedelta(seconds=self._seconds() - self._set_at)

    def set(self) -> timedelta:
        """Set it by the wall clock; return how far it goes ahead by that, negative for back."""
        before = self()
        self._set_to, self._set_at = self._wall(), self._seconds()
        return self._set_to - before


async def pause(seconds: float, *, wake: asyncio.Event | None = None) -> bool:
    """Wait for `seconds`, or until `wake` is set; return whether it was `wake` that ended it.

    The event is left as it is: whoever waits on it clears it. A wait of zero or less still
    yields to the loop once.
    """
    if wake is None:
        await asyncio.sleep(max(seconds, 0))
        return False
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await wake.wait()
    except TimeoutError:
        return False
    return True
