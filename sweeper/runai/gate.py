"""The one gate that every call passes: who goes first, how many, how fast, and whether at all.

It learns how the host is from how calls end: an error that may pass is a sign that the host, or
the way to it, is unwell; any other answer, a refusal included, shows that it works.
"""

import asyncio
import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sweeper.clock import pause
from sweeper.errors import AmbiguousError, ControlPlaneError, NotSentError, TransientError
from sweeper.runai.breaker import Breaker, BreakerPolicy, BreakerState
from sweeper.runai.budget import RetryBudget
from sweeper.runai.operations import READS, Observer, Operation
from sweeper.runai.priorities import PRIORITIES, Line, Ticket
from sweeper.runai.rate import Rate
from sweeper.runai.slots import Slots

SLOTS = 8
"""Calls at once; httpx's pool grows slower with each connection beyond about this many."""

_SPREAD_SECONDS = 1.0
_CUT_SECONDS = 1.0
_MOMENT = 1e-5  # less than what a loop's clock may be early by is not worth a wait
_WORST_FIRST = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """How a host is treated while it is well; when it is not, it gets less."""

    slots: int = SLOTS
    """Calls at once."""

    requests_per_second: float = 20.0
    """Requests a second over time; a listing of 400 trainings needs far fewer. May be infinite."""

    burst: float = 10.0
    """Requests that may come at once after a pause: half a second's worth, so that no second
    ever sees more than one and a half times the rate."""

    waiting: int = 256
    """Calls of one class that may wait; the rate could not serve more within their deadline."""

    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    """When calls are given up for a while."""


EMBEDDED = GatePolicy(requests_per_second=math.inf)
"""For a control plane inside this process, which nothing is gained by going easy on."""


class Gate:
    """Admits calls. Times are the event loop's, in seconds.

    A line by priority, slots, a rate, a wish of the host to be left alone, a budget for repeats,
    and a breaker each for reads and for writes. While reads fail no write passes, so the probe
    that finds the host well again is a read; a create is never tried on a host of which nothing
    good is known.
    """

    def __init__(
        self,
        policy: GatePolicy | None = None,
        *,
        rng: random.Random,
        observer: Observer | None = None,
    ) -> None:
        self._policy = policy = policy or GatePolicy()
        self._rng = rng
        self._observer = observer or Observer()
        self._line = Line(policy.waiting)
        self._slots = Slots(policy.slots)
        self._rate = Rate(policy.requests_per_second, policy.burst)
        self._budget = RetryBudget()
        self._reads = Breaker(policy.breaker, rng=rng)
        self._writes = Breaker(policy.breaker, rng=rng)
        self._closed_until = 0.0
        self._spread = 0.0
        self._cut_again_at = 0.0
        self._told: tuple[BreakerState, float] | None = None
        self._tell()

    @property
    def state(self) -> BreakerState:
        """The state of the breaker that lets less pass."""
        states = {self._reads.state, self._writes.state}
        return next(state for state in _WORST_FIRST if state in states)

    def hold_back(self, seconds: float) -> None:
        """Let no call pass for `seconds`: the host asked for that, whichever call it answered."""
        until = asyncio.get_running_loop().time() + seconds
        if until > self._closed_until:
            self._closed_until = until
            self._spread = self._rng.uniform(0, _SPREAD_SECONDS)

    def may_repeat(self, operation: Operation) -> bool:
        """Return whether a call that failed may be made again; each yes is paid for.

        No, while the breaker lets only probes pass: the tick then comes back by itself.
        """
        breakers = (self._reads,) if operation in READS else (self._reads, self._writes)
        is_closed = all(one.state is BreakerState.CLOSED for one in breakers)
        return is_closed and self._budget.spend()

    @asynccontextmanager
    async def slot(self, operation: Operation, deadline: float) -> AsyncIterator[None]:
        """Hold one slot, waiting for it no longer than until `deadline`; learn how the call ends.

        Raises:
            NotSentError: there is no passing before `deadline`, or none for now.
        """
        await self._turn(operation, deadline)
        breaker = self._breaker(operation)
        is_probe = breaker.begin()
        self._tell()
        is_well: bool | None = None
        try:
            yield
            is_well = True
        except ControlPlaneError as error:
            is_well = not isinstance(error, (TransientError, AmbiguousError))
            raise
        finally:
            self._slots.free()
            self._learn(breaker, is_well=is_well, is_probe=is_probe)

    async def _turn(self, operation: Operation, deadline: float) -> None:
        """Wait for our turn and take it."""
        self._refuse_hopeless(operation, deadline)
        ticket = self._line.join(PRIORITIES[operation])
        if ticket is None:
            raise NotSentError(f"{self._policy.waiting} calls like it wait already")
        try:
            while (wait := self._wait(ticket, deadline)) > 0:
                ticket.wake.clear()
                await pause(wait, wake=ticket.wake)
                self._refuse_hopeless(operation, deadline, "every slot was taken")
            self._line.serve(ticket)
            self._slots.take()
            self._rate.take(asyncio.get_running_loop().time())
        finally:
            self._line.leave(ticket)
            self._line.call_first()

    def _wait(self, ticket: Ticket, deadline: float) -> float:
        """Return how long to wait before looking again, unless woken; 0 to pass now."""
        now = asyncio.get_running_loop().time()
        left = max(deadline - now, _MOMENT)
        if self._line.first() is not ticket or not self._slots.has_free:
            return left
        # A little later than the host asked for, though not so late that no time is left to call.
        middle = (self._closed_until + deadline) / 2
        opens_at = min(self._closed_until + self._spread, middle)
        wait = max(opens_at - now, self._rate.wait(now))
        return min(wait, left) if wait > _MOMENT else 0.0

    def _refuse_hopeless(
        self, operation: Operation, deadline: float, reason: str = "no time was left"
    ) -> None:
        """Raise when nothing is to be sent before `deadline`."""
        now = asyncio.get_running_loop().time()
        self._refuse_broken(operation, now)
        wait = max(self._closed_until - now, 0.0)
        if wait and now + wait >= deadline:
            raise NotSentError(
                f"the control plane asked to be left alone for {wait:.0f} s more", retry_after=wait
            )
        if now >= deadline:
            raise NotSentError(f"{reason} to send the request before its deadline")

    def _refuse_broken(self, operation: Operation, now: float) -> None:
        """Raise while the breaker lets no such call pass."""
        wait = self._breaker(operation).wait(now)
        if operation not in READS and self._reads.state is not BreakerState.CLOSED:
            wait = max(wait, self._reads.wait(now), self._policy.breaker.probe_seconds)
        if wait > 0:
            raise NotSentError(
                "the control plane failed again and again, so it is left alone for now",
                retry_after=wait,
            )

    def _breaker(self, operation: Operation) -> Breaker:
        return self._reads if operation in READS else self._writes

    def _learn(self, breaker: Breaker, *, is_well: bool | None, is_probe: bool) -> None:
        """Draw what follows from how a call ended; None for one that tells nothing."""
        now = asyncio.get_running_loop().time()
        if is_well is None:
            breaker.abandon(is_probe=is_probe)
        else:
            before = breaker.state
            breaker.end(now, is_well=is_well, is_probe=is_probe)
            if breaker.state is not before:
                # Opened, it lets nobody wait in vain; closed, it lets calls come back one by one.
                self._rate.restart(now)
                self._slots.restart()
            elif is_well:
                self._rate.answered(now)
                self._slots.answered()
                self._budget.answered()
            else:
                self._slow_down(now)
        if breaker.state is BreakerState.OPEN:
            self._line.call_all()
        else:
            self._line.call_first()
        self._tell()

    def _slow_down(self, now: float) -> None:
        """Ask for less, once for all calls that were under way together."""
        if now >= self._cut_again_at:
            self._cut_again_at = now + _CUT_SECONDS
            self._rate.cut(now)
            self._slots.cut()

    def _tell(self) -> None:
        """Let the observer hear of what has changed."""
        told, present = self._told, (self.state, self._rate.per_second)
        self._told = present
        if told is None or told[0] is not present[0]:
            self._observer.on_breaker(present[0])
        if math.isfinite(present[1]) and (told is None or told[1] != present[1]):
            self._observer.on_rate(present[1])
