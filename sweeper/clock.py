"""The only place that reads or waits for time."""

import asyncio
import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the wall clock's time, aware, in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Return seconds that only ever grow, also while the machine sleeps where that is known."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


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
