"""Tick after tick until the sweep is settled, a stop is asked for, or the time is up."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sweeper.clock import pause
from sweeper.daemon.reconciler import Reconciler, Tick
from sweeper.domain.leaving import OnExit
from sweeper.domain.record import SweepRecord
from sweeper.errors import StoreAwayError, StoreError, StuckTickError
from sweeper.ports import Now

_log = logging.getLogger(__name__)

STUCK_AFTER = 300.0
"""Seconds after which a tick counts as stuck: far above the sum of its calls' deadlines."""

STOP_GRACE = 20.0
"""Seconds that a tick in progress gets to finish once a stop is asked for."""

ON_EXIT_PATIENCE = timedelta(minutes=5)
"""How long past its time a daemon stays for what `on_exit` asks of the trainings."""

STORE_PAUSE = 5.0
"""Seconds between two tries to reach a store that is away: an outage of it is no failure."""


class End(StrEnum):
    """Why the service ended."""

    SETTLED = "settled"  # nothing is left to do until a person acts
    STOPPED = "stopped"  # a stop was asked for; trainings go on
    OUT_OF_TIME = "out of time"  # `until` has passed; trainings are as `on_exit` wants them


@dataclass(slots=True, kw_only=True)
class Service:
    """Runs one reconciler.

    Setting `wake` makes the next tick come at once. `until` is when to stop of its own accord, and
    `on_exit` what becomes of active trainings then; a stop that is asked for leaves them alone.
    """

    reconciler: Reconciler
    now: Now
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    until: datetime | None = None
    on_exit: OnExit = OnExit.LEAVE
    _stopping: bool = False
    _scope: asyncio.Timeout | None = None

    async def run(self) -> tuple[End, SweepRecord]:
        """Tick until the end; return why it ended and the sweep as it stands.

        Raises:
            StuckTickError: a tick took longer than `STUCK_AFTER`.
            SweepTakenError: another process took the sweep over.
            StoreError: what was decided cannot be recorded, now or before the stop.
        """
        while True:
            self.wake.clear()
            try:
                tick = await self._tick()
            except StoreAwayError as error:
                if self._stopping or not await self._wait_for_store(error):
                    raise
                continue
            if tick is None:
                return End.STOPPED, await self._sweep()
            if tick.settled:
                return End.SETTLED, tick.sweep
            if self._stopping:
                return End.STOPPED, tick.sweep
            if self._may_leave(tick):
                return End.OUT_OF_TIME, tick.sweep
            await pause(min(tick.wait, self._seconds_left()), wake=self.wake)
            if self._stopping:
                return End.STOPPED, tick.sweep

    def request_stop(self) -> None:
        """Stop after the tick in progress, or after `STOP_GRACE`; asking twice does no harm."""
        if self._stopping:
            return
        self._stopping = self.reconciler.is_stopping = True
        self.wake.set()
        if self._scope is not None and not self._scope.expired():
            loop = asyncio.get_running_loop()
            self._scope.reschedule(loop.time() + STOP_GRACE)

    def _may_leave(self, tick: Tick) -> bool:
        """Return whether the time is up, and the trainings are as `on_exit` wants them."""
        is_leaving = self.reconciler.on_exit is not OnExit.LEAVE
        if is_leaving and not tick.leaving:
            return True
        if self._seconds_left() > 0:
            return False
        if is_leaving:
            _log.warning("%s trainings could not be left as --on-exit asks", tick.leaving)
            return True
        if self.on_exit is OnExit.LEAVE:
            return True
        _log.info("--max-runtime is over; --on-exit %s for what is active", self.on_exit)
        self.reconciler.on_exit = self.on_exit
        self.until = self.now() + ON_EXIT_PATIENCE
        self.wake.set()
        return False

    async def _tick(self) -> Tick | None:
        """Tick once; None when a stop cut it short."""
        self._scope = scope = asyncio.timeout(STUCK_AFTER)
        try:
            async with scope:
                tick = await self.reconciler.tick()
        except TimeoutError as error:
            if not scope.expired():
                raise
            if self._stopping:
                return None
            message = f"a tick did not end within {STUCK_AFTER:.0f} s"
            raise StuckTickError(message) from error
        finally:
            self._scope = None
        return tick

    async def _wait_for_store(self, error: StoreAwayError) -> bool:
        """Wait before the next tick, which starts from the store anew; return whether to tick."""
        _log.warning("Nothing is done while the store is away: %s", error)
        await pause(min(STORE_PAUSE, self._seconds_left()), wake=self.wake)
        return not self._stopping and self._seconds_left() > 0

    async def _sweep(self) -> SweepRecord:
        sweep = await self.reconciler.store.load_sweep()
        if sweep is None:
            raise StoreError("the store lost its sweep")
        return sweep

    def _seconds_left(self) -> float:
        if self.until is None:
            return float("inf")
        return (self.until - self.now()).total_seconds()
