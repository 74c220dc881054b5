"""The orders that the control plane gives to its runtime, repeated until they are answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sweeper.clock import pause
from sweeper.local.happenings import refused, started
from sweeper.local.machine import Machine
from sweeper.local.pods import Pod
from sweeper.local.runtime import Runtime, RuntimeUnavailableError, StartError, StartOrder
from sweeper.local.trainings import LocalTraining, Step

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Callable[[LocalTraining, datetime], Step]
"""What the answer to an order does to the training, as it is by then."""

_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Gives orders; while the runtime does not answer, each is repeated as it is."""

    runtime: Runtime
    machine: Machine
    folders: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, training: LocalTraining, pod: Pod) -> Outcome:
        """Order the newest start of a pod.

        Raises:
            LeaseTakenError: another control plane uses one of its GPUs; nothing was started.
        """
        key = training.key_of(pod)
        try:
            order = await self._order(training, pod)
            await _until_answered(lambda: self.runtime.start(order))
        except StartError as error:
            reason = str(error)
            return lambda current, now: refused(current, key, reason, now)
        return lambda current, now: started(current, key, now)

    async def clear(self, training: LocalTraining) -> None:
        """Remove the folders of a training's processes that have ended."""
        async with self.folders:
            await asyncio.to_thread(self.machine.clear, training)

    async def clear_others(self, kept: Collection[str]) -> None:
        """Remove the folders of all trainings but those with these ids."""
        if self.machine.is_real:
            await asyncio.to_thread(self.machine.clear_others, kept)

    async def _order(self, training: LocalTraining, pod: Pod) -> StartOrder:
        if not self.machine.makes_folders(training):
            return self.machine.order_for(training, pod)
        # Folders are removed and made in the order in which that was asked for.
        async with self.folders:
            return await asyncio.to_thread(self.machine.order_for, training, pod)

    async def stop(self, key: str, grace_seconds: float) -> None:
        """Order a stop."""
        await _until_answered(lambda: self.runtime.stop(key, grace_seconds))

    async def forget(self, keys: Sequence[str]) -> None:
        """Let the runtime forget processes whose ends are on record."""
        await _until_answered(lambda: self.runtime.forget(keys))


async def _until_answered(call: Callable[[], Awaitable[None]]) -> None:
    seconds = _FIRST_RETRY_SECONDS
    while True:
        try:
            await call()
        except RuntimeUnavailableError as error:
            logger.warning("What runs local processes does not answer: %s", error)
        else:
            return
        await pause(seconds)
        seconds = min(2 * seconds, _LONGEST_RETRY_SECONDS)
