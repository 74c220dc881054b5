"""The heart of the local control plane: commands in, orders to the runtime out.

One loop owns all trainings that are neither finished nor deleted. Whatever happens changes them
in memory and is gathered in a draft; the loop writes the draft in one transaction, and only then
answers commands and carries out what the trainings written ask for. So an order is on record
before it is given, and many changes share one commit.

What to do follows from a training alone: a process that is ordered is started, those of a
training that is leaving are stopped, those with a probe are probed. After a crash the same rule,
on what was stored and on what the runtime knows, goes on where the last control plane was.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

from sweeper.clock import pause
from sweeper.domain.phase import Phase
from sweeper.local import happenings
from sweeper.local import trainings as after
from sweeper.local.accepting import Creation, accept
from sweeper.local.hands import Hands, Outcome
from sweeper.local.keeping import KEPT_AFTER_DELETION, Keeper
from sweeper.local.live import LiveTrainings
from sweeper.local.machine import Machine
from sweeper.local.naming import NamesInUse
from sweeper.local.places import Organization
from sweeper.local.pods import Pod, Process
from sweeper.local.probing import watch
from sweeper.local.runtime import LeaseTakenError, ProcessEnd, Runtime
from sweeper.local.scheduler import decide
from sweeper.local.trainings import LEAVING, WORKING, LocalTraining, Step
from sweeper.ports import Now
from sweeper.tasks import single_failure

logger = logging.getLogger(__name__)

LENT_FOR = timedelta(seconds=5)
"""How long a GPU that another control plane uses is not asked for again."""

_LONGEST_WAIT = timedelta(hours=1)


class Engine:
    """All trainings of one local control plane.

    `run` is its life: nothing is answered or started unless it runs. `on_change` is called
    whenever a phase has changed and the change is on record.
    """

    def __init__(
        self,
        *,
        machine: Machine,
        runtime: Runtime,
        keeper: Keeper,
        now: Now,
        on_change: Callable[[], None],
        organization: Organization | None = None,
    ) -> None:
        self._machine = machine
        self._runtime = runtime
        self._hands = Hands(runtime=runtime, machine=machine)
        self._organization = organization or Organization()
        self._probing: dict[str, asyncio.Task[None]] = {}
        self._keeper = keeper
        self._now = now
        self._listeners = [on_change]
        self.is_held: Callable[[LocalTraining, datetime], bool] = _never
        """Whether a training that was accepted or resumed is not to come into the queue yet."""
        self._wake = asyncio.Event()
        self._live = LiveTrainings(self._wake)
        self._names = NamesInUse(keeper.is_taken)
        self._last_number = 0
        self._ends: list[ProcessEnd] = []
        self._ended: set[str] = set()
        self._starting: set[str] = set()
        self._stopping: set[str] = set()
        self._lent: dict[int, datetime] = {}
        self._next_expiry: datetime | None = None
        self._worked_at = now()

    async def create(self, creation: Creation) -> LocalTraining:
        """Accept a training and return it as it was accepted; durable by then.

        Raises:
            NameInUseError: its name is taken.
            ClosedError: the control plane was closed meanwhile.
        """
        await self._names.claim(creation.project.id, creation.name, creation.workload_id)
        self._last_number += 1
        step = accept(creation, self._last_number, self._now())
        self._live.add(step)
        await self._live.recorded(creation.workload_id)
        return step.training

    async def suspend(self, workload_id: str) -> bool:
        """Suspend a training; false when there is none. Durable when it returns."""
        return await self.change(workload_id, after.suspend)

    async def resume(self, workload_id: str) -> bool:
        """Resume a training; false when there is none. Durable when it returns."""
        return await self.change(workload_id, after.resume)

    async def delete(self, workload_id: str) -> bool:
        """Delete a training; false when there is none. Durable when it returns."""
        return await self.change(workload_id, after.delete)

    def trainings(self) -> Iterable[LocalTraining]:
        """Return all that are neither finished nor deleted, as they are now, oldest first."""
        return self._live

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, too, whenever a phase has changed."""
        self._listeners.append(listener)

    def look_again(self) -> None:
        """Decide anew: what `is_held` answers may have changed."""
        self._wake.set()

    async def lose(self, key: str) -> None:
        """Let the node of a process be lost: nobody saw it end, and it is ended."""
        self._hear(ProcessEnd(key=key, at=self._now(), exit_code=None))
        await self._hands.stop(key, 0)

    async def recover(self) -> None:
        """Take up what the last control plane left; to be called once, before `run`.

        Raises:
            RuntimeUnavailableError: the runtime does not answer.
            StoreError: the state cannot be read.
        """
        self._runtime.listen(self._hear)
        known = await self._runtime.known()
        self._last_number = await self._keeper.last_number()
        for training in await self._keeper.live():
            self._live.load(training)
            self._names.hold(training.project_id, training.name, training.workload_id)
        self._next_expiry = await self._keeper.next_expiry()
        await self._hands.clear_others({training.workload_id for training in self._live})
        ended = [end for end in known.values() if end is not None]
        self._ends = ended + self._ends
        for training in self._live:
            for pod in training.pods:
                self._adopt(training.key_of(pod), pod, known)
        self._stopping = {
            key for key, end in known.items() if end is None and self._live.holder(key) is None
        }
        self._wake.set()

    def _adopt(self, key: str, pod: Pod, known: Mapping[str, ProcessEnd | None]) -> None:
        """Apply what the runtime knows, or does not know, of the process of one pod."""
        training = self._live.holder(key)
        if training is None:
            return
        if key in known and known[key] is None:
            self._live.apply(happenings.started(training, key, self._now()))
        elif key not in known and pod.process is Process.RUNNING:
            self._live.apply(happenings.ended(training, key, None, self._now()))

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            StoreError: what is decided cannot be recorded.
        """
        try:
            with single_failure():
                async with asyncio.TaskGroup() as group:
                    await self._live_on(group)
        finally:
            self._live.close()

    async def _live_on(self, group: asyncio.TaskGroup) -> NoReturn:
        for key in self._stopping:
            logger.warning("Process %s belongs to no training: it is ended", key)
            group.create_task(self._hands.stop(key, 0), name=f"stop {key}")
        self._carry_out(group, self._live)
        while True:
            await pause(self._seconds_to_wait(), wake=self._wake)
            self._wake.clear()
            await self._work(group)

    async def _work(self, group: asyncio.TaskGroup) -> None:
        """Take in what happened, decide, write it all down, then answer and act."""
        self._worked_at = now = self._now()
        self._take_in()
        if self._next_expiry is not None and self._next_expiry <= now:
            self._live.draft.is_news |= await self._keeper.expire(now) > 0
            self._next_expiry = await self._keeper.next_expiry()
        self._schedule(now)
        draft = self._live.take_draft()
        if not draft.is_empty:
            await self._keeper.write(draft.batch)
        self._settle()
        if draft.is_news:
            for listener in self._listeners:
                listener()
        self._carry_out(group, draft.batch.trainings.values())
        self._forget(group, draft.ended)

    def _take_in(self) -> None:
        """Apply the ends that were heard of."""
        ends, self._ends = self._ends, []
        for end in ends:
            self._stopping.discard(end.key)
            self._live.draft.ended.add(end.key)
            self._stop_probing(end.key)
            training = self._live.holder(end.key)
            if training is not None:
                at = max(end.at, training.phase_updated_at)
                self._live.apply(happenings.ended(training, end.key, end.exit_code, at))

    def _schedule(self, now: datetime) -> None:
        """Let trainings start, or make room, or say why they wait."""
        for training in self._live:
            if training.phase in WORKING:
                self._live.apply(happenings.refill(training, now))
            elif not self.is_held(training, now):
                self._live.apply(after.queue(training, now))
        self._lent = {gpu: until for gpu, until in self._lent.items() if until > now}
        capacity = self._machine.capacity(frozenset(self._lent))
        decision = decide(self._live, capacity, now, self._organization)
        for key, grant in decision.starts.items():
            step = after.order(
                self._live[key], grant.devices, now, node_pool=grant.pool, nodes=grant.nodes
            )
            self._live.apply(step)
        for key, preemption in decision.preemptions.items():
            by = self._live[preemption.by].name
            step = after.preempt(self._live[key], by, now, is_reclaim=preemption.is_reclaim)
            self._live.apply(step)
        for key, wait in decision.waits.items():
            self._live.apply(after.wait(self._live[key], wait.reason, wait.message))

    def _settle(self) -> None:
        """Let go of what is over and on record, and answer the commands."""
        for training in self._live.settle():
            self._names.release(training.project_id, training.name, training.workload_id)
            self._expect_expiry(training)

    def _carry_out(self, group: asyncio.TaskGroup, recorded: Iterable[LocalTraining]) -> None:
        """Give the orders that follow from trainings as they are on record."""
        for training in recorded:
            is_at_rest = training.is_over or training.phase is Phase.STOPPED
            if is_at_rest and self._machine.makes_folders(training):
                clearing = self._hands.clear(training)
                group.create_task(clearing, name=f"clear {training.workload_id}")
            for pod in training.pods:
                key = training.key_of(pod)
                if pod.process is Process.ORDERED and key not in self._starting:
                    self._starting.add(key)
                    group.create_task(self._start(key), name=f"start {key}")
                elif pod.process is Process.RUNNING and training.phase in LEAVING:
                    self._stop(group, training, key)
                elif pod.process is Process.RUNNING and training.lifecycle.readiness:
                    self._probe(group, training, pod)

    def _stop(self, group: asyncio.TaskGroup, training: LocalTraining, key: str) -> None:
        """Have one process stopped, once."""
        self._stop_probing(key)
        if key not in self._stopping:
            self._stopping.add(key)
            grace = training.lifecycle.grace_seconds
            group.create_task(self._hands.stop(key, grace), name=f"stop {key}")

    def _probe(self, group: asyncio.TaskGroup, training: LocalTraining, pod: Pod) -> None:
        """Have the readiness of one process watched until it ends, or is stopped."""
        key, readiness = training.key_of(pod), training.lifecycle.readiness
        if key in self._probing or readiness is None:
            return

        def report(is_ready: bool) -> None:
            current = self._live.holder(key)
            if current is not None:
                step = happenings.probed(current, key, self._now(), is_ready=is_ready)
                self._live.apply(step)

        watching = watch(readiness, self._machine.ask, report, is_ready=pod.is_ready)
        self._probing[key] = group.create_task(watching, name=f"probe {key}")

    def _stop_probing(self, key: str) -> None:
        probing = self._probing.pop(key, None)
        if probing is not None:
            probing.cancel()

    def _forget(self, group: asyncio.TaskGroup, ended: set[str]) -> None:
        """Let the runtime forget the ends that are on record.

        Not while an order is open: repeated after that, it would start a second process.
        """
        self._ended |= ended
        keys = self._ended - self._starting
        self._ended -= keys
        if keys:
            forget = self._hands.forget(sorted(keys))
            group.create_task(forget, name="forget ended processes")

    async def _start(self, key: str) -> None:
        """Start one process, and apply what becomes of it."""
        try:
            training = self._live.holder(key)
            pod = training.pod(key) if training is not None else None
            if training is None or pod is None:
                return
            if training.phase in LEAVING:
                self._live.apply(happenings.not_started(training, key, "", self._now()))
                return
            outcome = await self._order_start(training, pod)
            training = self._live.holder(key)
            if training is not None:
                step = outcome(training, self._now())
                # That it runs is known to the runtime, too; short processes end by then.
                self._live.apply(step, is_urgent=step.training.phase is not Phase.RUNNING)
        finally:
            self._starting.discard(key)
            if key in self._ended:
                self._wake.set()

    async def _order_start(self, training: LocalTraining, pod: Pod) -> Outcome:
        try:
            return await self._hands.start(training, pod)
        except LeaseTakenError as error:
            until = self._now() + LENT_FOR
            self._lent.update(dict.fromkeys(pod.devices, until))
            message = f"Another control plane of this machine uses the GPU: {error}"
            key = training.key_of(pod)
            return lambda current, now: happenings.not_started(current, key, message, now)

    async def change(
        self, workload_id: str, change: Callable[[LocalTraining, datetime], Step]
    ) -> bool:
        """Let something happen to a training; false when there is none. Durable by then."""
        found = self._live.get(workload_id) or await self._keeper.find(workload_id)
        training = self._live.get(workload_id) or found
        if training is None or training.deleted_at is not None:
            return False
        step = change(training, self._now())
        if step.training is not training:
            self._live.apply(step)
        await self._live.recorded(workload_id)
        return True

    def _hear(self, end: ProcessEnd) -> None:
        self._ends.append(end)
        self._wake.set()

    def _expect_expiry(self, training: LocalTraining) -> None:
        due = training.delete_at
        if training.deleted_at is not None:
            due = training.deleted_at + KEPT_AFTER_DELETION
        if due is not None and (self._next_expiry is None or due < self._next_expiry):
            self._next_expiry = due
            self._wake.set()

    def _seconds_to_wait(self) -> float:
        """Return how long nothing is due; what was due at the last look was seen to then."""
        dues = [*self._lent.values(), *(one.due for one in self._live)]
        ahead = [due for due in dues if due is not None and due > self._worked_at]
        ahead.append(self._worked_at + _LONGEST_WAIT)
        if self._next_expiry is not None:
            ahead.append(self._next_expiry)
        return (min(ahead) - self._now()).total_seconds()


def _never(training: LocalTraining, now: datetime) -> bool:  # noqa: ARG001 - none is held
    return False
