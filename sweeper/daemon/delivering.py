"""Send what is in the outbox, beside the ticks and never in their way."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sweeper.clock import pause
from sweeper.domain.outbox import (
    Dispatch,
    Notice,
    dispatched,
    due,
    not_dispatched,
    undeliverable,
    until_due,
)
from sweeper.domain.record import SweepRecord
from sweeper.errors import NoticeError, StoreError
from sweeper.ports import Notifier, Now, Store, Telemetry
from sweeper.tasks import side_tasks

_log = logging.getLogger(__name__)

SEND_TIMEOUT = 30.0
"""Seconds that one notice may take."""

LAST_GRACE = 5.0
"""Seconds for what is still open when the daemon ends; the rest waits for its next start."""

_STORE_PAUSE = timedelta(seconds=15)


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Sends the notices of one sweep, one after the other.

    Setting `wake` makes it look at once; `ended` is set once it has ended. Notices that it cannot
    send are tried again as `domain.outbox` says; nothing that a notifier does ends a daemon.
    """

    store: Store
    notifier: Notifier
    telemetry: Telemetry
    now: Now
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    async def run(self) -> None:
        """Send what is due, again and again, until a stop was asked for."""
        try:
            is_last = False
            while not is_last:
                is_last = self._stopping
                self.wake.clear()
                wait = await self._round(is_last=is_last)
                if not is_last:
                    await pause(wait.total_seconds(), wake=self.wake)
        finally:
            self.ended.set()

    def request_stop(self) -> None:
        """Try all that is open once more, due or not, then end."""
        self._stopping = True
        self.wake.set()

    async def _round(self, *, is_last: bool) -> timedelta:
        """Send what is due, in the last round all; return how long until anything else is."""
        try:
            sweep = await self.store.load_sweep()
            if sweep is None:
                return _STORE_PAUSE
            if is_last:
                # The next process may come much later, or never.
                for notice in sorted(await self.store.notices(), key=lambda one: one.number):
                    await self._send(sweep, notice)
                return timedelta(0)
            while ready := due(await self.store.notices(), self.now()):
                for notice in ready:
                    await self._send(sweep, notice)
            return until_due(await self.store.notices(), self.now())
        except StoreError as error:
            # The next tick meets it too, and ends the daemon where that is right.
            _log.warning("Notices wait: %s", error)
            return _STORE_PAUSE

    async def _send(self, sweep: SweepRecord, notice: Notice) -> None:
        after = await self._try(sweep, notice)
        await self.store.save_notice(after.notice, after.events)
        self.telemetry.recorded(sweep, after.events)

    async def _try(self, sweep: SweepRecord, notice: Notice) -> Dispatch:
        """Send a notice; return what is to be written of that."""
        retry_after = None
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self.notifier.send(sweep, notice)
        except NoticeError as error:
            why, retry_after = str(error), error.retry_after
            if error.for_good:
                _warn(notice, why)
                return undeliverable(notice, self.now(), why)
        except TimeoutError:
            why = f"it took longer than {SEND_TIMEOUT:.0f} s"
        except Exception as error:  # noqa: BLE001 - what tells of trials must not end them
            _log.exception("Notice %s: the notifier failed", notice.number)
            why = type(error).__name__
        else:
            return dispatched(notice, self.now())
        _warn(notice, why)
        return not_dispatched(notice, self.now(), sweep.id, why, retry_after)


def _warn(notice: Notice, why: str) -> None:
    told = (notice.number, notice.kind, notice.receiver, why)
    _log.warning("Notice %s (%s) was not sent to %s: %s", *told)


@asynccontextmanager
async def delivering(outbox: Outbox) -> AsyncIterator[None]:
    """Send notices while the block runs, and what is due at its end within `LAST_GRACE`."""
    async with side_tasks() as group:
        task = group.create_task(outbox.run(), name="outbox")
        try:
            yield
        finally:
            outbox.request_stop()
            await asyncio.wait([task], timeout=LAST_GRACE)
            task.cancel()
