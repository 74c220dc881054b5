"""Carry metrics away again and again, so that a run that ends between two scrapes loses nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread

from prometheus_client.registry import Collector

from sweeper.clock import pause
from sweeper.tasks import side_tasks
from sweeper.telemetry.carriers import Carrier

_log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two times."""

PATIENCE = 10.0
"""Seconds after which one that is under way counts as failed; it is left alone until it ends."""

LAST_GRACE = 2.0
"""Seconds for the last time, when the daemon ends."""


@dataclass(slots=True, kw_only=True)
class Export:
    """Carries `metrics` by `carrier`, in threads that neither the loop nor the exit waits for."""

    metrics: Collector
    carrier: Carrier
    _under_way: "Future[None] | None" = None
    _fails: bool = False

    async def once(self) -> None:
        """Carry once; what goes wrong is logged when it begins, and when it is over."""
        if self._under_way is not None and not self._under_way.done():
            return
        self._under_way = in_thread(partial(self.carrier.carry, self.metrics), "metrics")
        waiting = asyncio.wrap_future(self._under_way)
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(waiting)
        except TimeoutError:
            self._failed(f"it took longer than {PATIENCE:.0f} s")
        except OSError as error:
            self._failed(str(error))
        else:
            self._worked()

    def _failed(self, why: str) -> None:
        if not self._fails:
            self._fails = True
            _log.warning("Metrics do not get to %s: %s", self.carrier.place, why)

    def _worked(self) -> None:
        if self._fails:
            self._fails = False
            _log.info("Metrics get to %s again", self.carrier.place)


@asynccontextmanager
async def exporting(exports: Sequence[Export]) -> AsyncIterator[None]:
    """Carry at once, every `EVERY` seconds while the block runs, and a last time at its end."""
    stop = asyncio.Event()
    async with side_tasks() as group:
        tasks = [
            group.create_task(_go_on(export, stop), name=f"metrics to {export.carrier.place}")
            for export in exports
        ]
        try:
            yield
        finally:
            stop.set()
            if tasks:
                await asyncio.wait(tasks, timeout=LAST_GRACE)
            for task in tasks:
                task.cancel()


async def _go_on(export: Export, stop: asyncio.Event) -> None:
    is_last = False
    while not is_last:
        is_last = stop.is_set()
        await export.once()
        if not is_last:
            await pause(EVERY, wake=stop)


def in_thread(call: Callable[[], None], name: str) -> "Future[None]":
    """Make `call` in a thread of its own, which ends with the process at the latest."""
    future: Future[None] = Future()

    def work() -> None:
        future.set_running_or_notify_cancel()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised where the future is awaited
            future.set_exception(error)
        else:
            future.set_result(None)

    Thread(target=work, name=name, daemon=True).start()
    return future
