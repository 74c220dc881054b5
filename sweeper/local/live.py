"""The trainings that are alive, in memory, and what of them is still to be written."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from sweeper.local.history import phase_update
from sweeper.local.keeping import Batch
from sweeper.local.trainings import LocalTraining, Step

UNHURRIED_SECONDS = 0.02
"""How long what nobody waits for may wait for more: each commit saved is time for others."""


class ClosedError(Exception):
    """The control plane was closed before the command was on record; it may be, or not."""


@dataclass(slots=True)
class Draft:
    """What the next transaction writes, and what waits for it.

    `ended` are keys of processes that ended; `is_news` is whether a phase has changed.
    """

    batch: Batch = field(default_factory=Batch)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    is_news: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.batch.trainings or self.batch.events)


class LiveTrainings:
    """All trainings that are neither finished nor deleted, as they are now.

    Changes are gathered in `draft`; `wake` is set whenever there is something new in it. Those
    that are finished or deleted stay until `settle` hears that this is on record.
    """

    def __init__(self, wake: asyncio.Event) -> None:
        self.draft = Draft()
        self._wake = wake
        self._writing = Draft()
        self._trainings: dict[str, LocalTraining] = {}
        self._is_closed = False

    def __iter__(self) -> Iterator[LocalTraining]:
        """Iterate over them as they are at this moment, whatever changes meanwhile."""
        return iter(tuple(self._trainings.values()))

    def __getitem__(self, workload_id: str) -> LocalTraining:
        return self._trainings[workload_id]

    def get(self, workload_id: str) -> LocalTraining | None:
        """Return one of them."""
        return self._trainings.get(workload_id)

    def holder(self, key: str) -> LocalTraining | None:
        """Return the training that has the process of this key, ordered or running."""
        training = self._trainings.get(key.rpartition("-")[0])
        return training if training and training.pod(key) else None

    def load(self, training: LocalTraining) -> None:
        """Take in a training as it is on record."""
        self._trainings[training.workload_id] = training

    def add(self, step: Step) -> None:
        """Take in a training that has no record yet."""
        self.draft.batch.new.add(step.training.workload_id)
        self.apply(step)

    def apply(self, step: Step, *, is_urgent: bool = True) -> None:
        """Put the next value of a training in its place; the same value changes nothing.

        What is not urgent is written a moment later, together with what happens meanwhile.
        """
        training = step.training
        old = self._trainings.get(training.workload_id)
        if training is old:
            return
        self._trainings[training.workload_id] = training
        self.draft.batch.trainings[training.workload_id] = training
        self.draft.batch.events += step.events
        update = phase_update(old, training)
        if update is not None:
            self.draft.batch.events.append(update)
        is_same = old is not None and old.phase is training.phase and not training.deleted_at
        self.draft.is_news |= not is_same
        if is_urgent:
            self._wake.set()
        else:
            asyncio.get_running_loop().call_later(UNHURRIED_SECONDS, self._wake.set)

    def take_draft(self) -> Draft:
        """Return what is to be written now, and begin a new draft."""
        self._writing, self.draft = self.draft, Draft()
        return self._writing

    def settle(self) -> Iterator[LocalTraining]:
        """Hear that the draft taken is on record; yield those that are over, and let go of them."""
        written, self._writing = self._writing, Draft()
        for workload_id, training in written.batch.trainings.items():
            if training.is_over and self._trainings.get(workload_id) is training:
                del self._trainings[workload_id]
                yield training
        for waiter in written.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def recorded(self, workload_id: str) -> None:
        """Wait until a training is on record as it is now.

        Raises:
            ClosedError: the control plane was closed meanwhile.
        """
        if self._is_closed:
            raise ClosedError
        if not any(workload_id in one.batch.trainings for one in (self.draft, self._writing)):
            return
        waiter = asyncio.get_running_loop().create_future()
        self.draft.waiters.append(waiter)
        self._wake.set()
        await waiter

    def close(self) -> None:
        """Let nobody wait any longer: nothing more is written."""
        self._is_closed = True
        for waiter in (*self._writing.waiters, *self.draft.waiters):
            if not waiter.done():
                waiter.set_exception(ClosedError())
