"""The one gate that every call passes: how many at once, and when the host wants to be left alone.

A rate limit, a circuit breaker and priorities belong here too, between `slot` and its caller.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sweeper.clock import pause
from sweeper.errors import NotSentError

SLOTS = 8
"""Calls at once; httpx's pool grows slower with each connection beyond about this many."""

_SPREAD_SECONDS = 1.0


class Gate:
    """Admits calls. Times are the event loop's, in seconds."""

    def __init__(self, *, rng: random.Random, slots: int = SLOTS) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._rng = rng
        self._closed_until = 0.0

    def hold_back(self, seconds: float) -> None:
        """Let no call pass for `seconds`: the host asked for that, whichever call it answered."""
        until = asyncio.get_running_loop().time() + seconds
        self._closed_until = max(self._closed_until, until)

    @asynccontextmanager
    async def slot(self, deadline: float) -> AsyncIterator[None]:
        """Hold one slot, waiting for it and for the host's wish no longer than until `deadline`.

        Raises:
            NotSentError: there is no passing before `deadline`.
        """
        self._refuse_hopeless(deadline)
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise NotSentError("every connection was busy until the deadline") from None
        try:
            await self._wait_until_open(deadline)
            yield
        finally:
            self._slots.release()

    async def _wait_until_open(self, deadline: float) -> None:
        """Wait until the host may be asked again, plus a little so that not all come at once."""
        while (wait := self._refuse_hopeless(deadline)) > 0:
            room = deadline - asyncio.get_running_loop().time() - wait
            await pause(wait + self._rng.uniform(0, min(_SPREAD_SECONDS, room / 2)))

    def _refuse_hopeless(self, deadline: float) -> float:
        """Return how long the host still wants to be left alone, if that leaves time to call."""
        now = asyncio.get_running_loop().time()
        wait = max(self._closed_until - now, 0.0)
        if now + wait >= deadline:
            raise NotSentError(
                f"the control plane asked to be left alone for {wait:.0f} s more"
                if wait
                else "no time was left to send the request",
                retry_after=wait or None,
            )
        return wait
