"""The one tiny training of a probe: made under a name of its own, watched, and taken away again.

What a probe touches is what it made: a training whose id came with the answer to its own create,
or one with its exact name, random to the last, and its label.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sweeper.clock import pause
from sweeper.domain.phase import Phase
from sweeper.domain.trial import Observation
from sweeper.domain.values import JsonValue
from sweeper.errors import (
    AmbiguousError,
    ControlPlaneError,
    NotSentError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import ControlPlane, TrainingRequest

_log = logging.getLogger(__name__)

LABEL = "sweeper-probe"
POLL_SECONDS = 1.0
CLEAN_UP_SECONDS = 90.0
"""How long taking everything away may take, whatever the control plane does."""

STRAY_SECONDS = 20.0
"""How long a create without an answer is looked for: no call of ours takes longer."""

_LIFE_SECONDS = 300

_T = TypeVar("_T")


def probe_spec(image: str, mark: str) -> dict[str, JsonValue]:
    """Return the spec of a training that needs next to nothing and ends by itself in 5 minutes.

    Should the probe be killed, the control plane deletes it a minute after that.
    """
    return {
        "image": image,
        "command": "sleep",
        "args": str(_LIFE_SECONDS),
        "labels": [{"name": LABEL, "value": mark}],
        "compute": {"cpuCoreRequest": 0.1, "cpuMemoryRequest": "64Mi"},
        "backoffLimit": 1,
        "terminationGracePeriodSeconds": 5,
        "autoDeletionTimeAfterCompletionSeconds": 60,
    }


class ProbeTraining:
    """Creates under one name as often as asked, and knows what of that is still there.

    `mark` is what makes the name unlike any other: lower case, fit for a name and a label.
    """

    def __init__(
        self, plane: ControlPlane, *, project_id: str, cluster_id: str, image: str, mark: str
    ) -> None:
        self._plane = plane
        self._mark = mark
        self.name = f"{LABEL}-{mark}"
        self._request = TrainingRequest(
            name=self.name,
            project_id=project_id,
            cluster_id=cluster_id,
            spec=probe_spec(image, mark),
        )
        self._ids: list[str] = []
        self._open = False

    @property
    def workload_ids(self) -> Sequence[str]:
        """The ids of what was created and not seen gone."""
        return tuple(self._ids)

    @property
    def has_traces(self) -> bool:
        """Whether something may be there that was made here."""
        return bool(self._ids) or self._open

    async def create(self) -> Observation:
        """Create one more under the name; raises as the control plane's `create` does."""
        self._open, was_open = True, self._open
        try:
            created = await self._plane.create(self._request)
        except AmbiguousError:
            raise
        except ControlPlaneError:
            self._open = was_open  # a plain no
            raise
        self._open = was_open
        if created.workload_id not in self._ids:
            self._ids.append(created.workload_id)
        return created

    async def look(self) -> None:
        """Read something, whatever comes of it.

        While reads fail, the client lets no write pass; a read that does well lets them in again.
        """
        try:
            await self._plane.find(self.name)
        except UnsupportedError:
            if self._ids:
                with contextlib.suppress(ControlPlaneError):
                    await self._plane.get(self._ids[0])
        except ControlPlaneError as error:
            _log.debug("a look was of no use: %s", error)

    async def phase(self, workload_id: str) -> Phase:
        """Return the phase now, from the listing where the training's own answer has none."""
        seen = await self._plane.get(workload_id)
        if seen.phase is not Phase.UNKNOWN:
            return seen.phase
        try:
            listed = await self._plane.find(self.name)
        except UnsupportedError:
            return Phase.UNKNOWN
        phases = [one.phase for one in listed if one.workload_id == workload_id]
        return phases[0] if phases else Phase.UNKNOWN

    async def until(
        self, workload_id: str, is_reached: Callable[[Phase], bool], seconds: float
    ) -> tuple[Phase, bool]:
        """Return the newest phase, and whether it was reached within `seconds`.

        Answers that say nothing are passed over; a training that is gone is the caller's affair.
        """
        phase = Phase.UNKNOWN
        try:
            async with asyncio.timeout(seconds):
                while True:
                    phase = await self._patient(lambda: self.phase(workload_id))
                    if is_reached(phase):
                        return phase, True
                    await pause(POLL_SECONDS)
        except TimeoutError:
            return phase, False

    async def delete(self, workload_id: str) -> None:
        """Delete one of ours and wait until it is gone; the caller bounds the wait."""
        try:
            await self._patient(lambda: self._plane.delete(workload_id))
            while True:
                await self._patient(lambda: self._plane.get(workload_id))
                await pause(POLL_SECONDS)
        except TrainingGoneError:
            self._ids.remove(workload_id)

    async def clean_up(self, *, spare: str | None = None) -> Sequence[str]:
        """Take away all that was made but `spare`; return the names and ids of what is left."""
        try:
            async with asyncio.timeout(CLEAN_UP_SECONDS):
                if self._open:
                    await self._find_strays()
                for workload_id in self.workload_ids:
                    if workload_id != spare:
                        await self._try_to_delete(workload_id)
        except TimeoutError:
            _log.debug("no time was left to clean up in")
        left = [one for one in self._ids if one != spare]
        return [*left, *([self.name] if self._open else [])]

    async def _try_to_delete(self, workload_id: str) -> None:
        try:
            await self.delete(workload_id)
        except ControlPlaneError as error:
            _log.debug("%s cannot be deleted: %s", workload_id, error)

    async def _find_strays(self) -> None:
        """Look for what a create without an answer may have made."""
        try:
            async with asyncio.timeout(STRAY_SECONDS):
                while self._open:
                    for seen in await self._patient(lambda: self._plane.find(self.name)):
                        if seen.workload_id not in self._ids and await self._is_ours(seen):
                            self._ids.append(seen.workload_id)
                            self._open = False
                    await pause(POLL_SECONDS)
        except (TimeoutError, ControlPlaneError) as error:
            _log.debug("no stray was found: %s", error)

    async def _is_ours(self, seen: Observation) -> bool:
        """Whether what the listing has carries our label too."""
        found = await self._patient(lambda: self._plane.get(seen.workload_id))
        return found.name == self.name and (found.labels or {}).get(LABEL) == self._mark

    async def _patient(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Return what `call` returns, made again while nobody knows; the caller bounds the wait."""
        while True:
            try:
                return await call()
            except NotSentError as error:
                await pause(max(POLL_SECONDS, error.retry_after or 0))
                await self.look()
            except (TransientError, AmbiguousError) as error:
                await pause(max(POLL_SECONDS, error.retry_after or 0))
