"""The processes of one control plane as their parent sees them: standard library only.

What happens in one turn of the event loop is recorded together, by one write to the journal;
its effects (programs that may run, ends that are told, orders that are answered) come after.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sweeper.local.child import Answer, Child
from sweeper.local.identity import identify
from sweeper.local.journal import Entry, Forgotten, Journal, Started
from sweeper.local.leases import Leases
from sweeper.local.orphans import end_orphans
from sweeper.local.runtime import (
    LeaseTakenError,
    ProcessEnd,
    RuntimeUnavailableError,
    StartError,
    StartOrder,
)
from sweeper.local.spawning import Gated, check_texts

_log = logging.getLogger(__name__)

_RECORD_AGAIN_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.02
_LEFTOVER_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What is to be recorded together; None is the end of a process that never ran a program."""

    made: list[Child] = field(default_factory=list)
    gone: list[tuple[Child, ProcessEnd | None]] = field(default_factory=list)
    forgets: list[tuple[Sequence[str], Answer]] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        """Yield the lines to write: starts first, for an end may be of the same batch."""
        for child in self.made:
            yield Started(key=child.key, identity=identify(child.pid))
        for child, end in self.gone:
            yield end or Forgotten(keys=[child.key])
        for keys, _ in self.forgets:
            yield Forgotten(keys=keys)


class Children:
    """Starts, stops and reaps processes, and keeps their journal.

    Belongs to one event loop, in the only thread of its process. `spawn` makes a process
    that waits at its gate. `told` hears of every end once it is durable; `changed` is called
    after every write, so that its owner can look whether anything is left to do.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        spawn: Callable[[StartOrder, Sequence[int]], Gated],
        now: Callable[[], datetime],
        told: Callable[[ProcessEnd], None],
        changed: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._spawn = spawn
        self._now = now
        self._told = told
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._leases = Leases()
        self._by_key: dict[str, Child] = {}
        self._by_pid: dict[int, Child] = {}
        self._exited: list[Child] = []
        self._batch = _Batch()
        self._recording: asyncio.Handle | None = None
        self._looking: asyncio.TimerHandle | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no process runs and no end waits to be recorded."""
        return not self._by_key

    def known(self) -> Iterator[tuple[str, ProcessEnd | None]]:
        """Yield every key that was started, with its end or None, as `Runtime.known` does."""
        yield from self._journal.ends.items()
        for key in self._journal.running:
            if not self._by_key[key].is_starting:
                yield key, None

    def start(self, order: StartOrder, answer: Answer) -> None:
        """Start a process; a key that is being started already is waited for instead."""
        child = self._by_key.get(order.key)
        if child is not None and child.is_starting:
            child.answers.append(answer)
        elif child is not None or order.key in self._journal.ends:
            answer(None)
        else:
            self._make(order, answer)

    def _make(self, order: StartOrder, answer: Answer) -> None:
        try:
            gated = self._prepare(order)
        except (StartError, LeaseTakenError) as error:
            answer(error)
        except OSError as error:
            answer(RuntimeUnavailableError(f"no process can be made: {error.strerror}"))
        else:
            locks = order.lock_files
            child = Child(key=order.key, gated=gated, lock_files=locks, answers=[answer])
            self._by_key[child.key] = self._by_pid[child.pid] = child
            self._batch.made.append(child)
            self._record_soon()

    def _prepare(self, order: StartOrder) -> Gated:
        check_texts(order)
        inherited = self._leases.take(order.lock_files)
        try:
            return self._spawn(order, inherited)
        except (StartError, OSError):
            self._leases.release(order.lock_files)
            raise

    def stop(self, key: str, grace_seconds: float) -> None:
        """Stop a process as `Runtime.stop` does."""
        child = self._by_key.get(key)
        if child is None or child.exit_code is not None or child.was_killed:
            return
        deadline = self._loop.time() + grace_seconds
        if grace_seconds <= 0:
            child.kill()
        elif child.kill_timer is None:
            child.signal(signal.SIGTERM)
            child.kill_timer = self._loop.call_at(deadline, child.kill)
        elif deadline < child.kill_timer.when():
            child.cancel_timer()
            child.kill_timer = self._loop.call_at(deadline, child.kill)

    def forget(self, keys: Sequence[str], answer: Answer) -> None:
        """Drop the record of those of `keys` that have ended."""
        ended = [key for key in keys if key in self._journal.ends]
        self._batch.forgets.append((ended, answer))
        self._record_soon()

    def reap(self) -> None:
        """Take note of every process that has ended; call it on SIGCHLD."""
        while (pid := _next_zombie()) is not None:
            child = self._by_pid.pop(pid, None)
            if child is not None:
                # As long as it is a zombie, its number and its group's cannot be anybody else's.
                child.kill()
            _, status = os.waitpid(pid, 0)
            if child is not None:
                self._reaped(child, os.waitstatus_to_exitcode(status))
        self._look_for_leftovers()

    def _reaped(self, child: Child, code: int) -> None:
        child.exit_code = code if code >= 0 else 128 - code
        child.leftovers_until = self._loop.time() + _LEFTOVER_SECONDS
        if child.has_reasons and not child.waits_at_gate:
            self._learn_outcome(child)
        self._exited.append(child)

    def _look_for_leftovers(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        for child in self._exited[:]:
            if not self._has_leftovers(child):
                self._exited.remove(child)
                self._end(child)
        if self._exited:
            # Most come to us as orphans and wake us; one whose parent is slow to die does not.
            self._looking = self._loop.call_later(_LOOK_AGAIN_SECONDS, self._look_for_leftovers)

    def _has_leftovers(self, child: Child) -> bool:
        # With a number that is another's by now, there is no group of the old one left.
        if child.pid in self._by_pid or not end_orphans(child.pid, self._by_pid.keys()):
            return False
        if self._loop.time() < child.leftovers_until:
            return True
        _log.warning("process group %s of %s outlives SIGKILL", child.pid, child.key)
        return False

    def _end(self, child: Child) -> None:
        self._leases.release(child.lock_files)
        if self._by_key.get(child.key) is child:  # else it was recalled
            end = ProcessEnd(key=child.key, at=self._now(), exit_code=child.exit_code)
            self._batch.gone.append((child, None if child.failure else end))
            self._record_soon()

    def _learn_outcome(self, child: Child) -> None:
        """Hear whether it became its program; one that did not is answered when it is reaped."""
        self._loop.remove_reader(child.gated.reasons)
        child.failure = child.gated.outcome()
        child.has_reasons = False
        if not child.failure:
            child.answer()

    def _record_soon(self) -> None:
        if isinstance(self._recording, asyncio.TimerHandle):  # what failed is tried again as well
            self._recording.cancel()
            self._recording = None
        if self._recording is None:
            self._recording = self._loop.call_soon(self._record)

    def _record(self) -> None:
        self._recording = None
        batch, self._batch = self._batch, _Batch()
        try:
            self._journal.append(list(batch.entries()))
        except OSError as error:
            _log.error("the journal cannot be written: %s", error.strerror)
            self._recall(batch, str(error.strerror))
        else:
            self._carry_out(batch)
            self._compact()
        self._changed()

    def _carry_out(self, batch: _Batch) -> None:
        for child in batch.made:
            child.waits_at_gate = False
            child.gated.release()
            self._loop.add_reader(child.gated.reasons, self._learn_outcome, child)
        for child, end in batch.gone:
            if child.has_reasons:  # it was killed at its gate
                self._learn_outcome(child)
            del self._by_key[child.key]
            if end is None:
                child.answer(StartError(child.failure))
            else:
                self._told(end)
        for _, answer in batch.forgets:
            answer(None)

    def _recall(self, batch: _Batch, reason: str) -> None:
        """Undo what could not be recorded; what cannot be undone is recorded later."""
        error = RuntimeUnavailableError(f"the journal of processes cannot be written: {reason}")
        for child in batch.made:
            del self._by_key[child.key]
            child.gated.abandon()
            child.answer(error)
        for _, answer in batch.forgets:
            answer(error)
        self._batch.gone = [pair for pair in batch.gone if pair[0] not in batch.made]
        if self._batch.gone:
            self._recording = self._loop.call_later(_RECORD_AGAIN_SECONDS, self._record)

    def _compact(self) -> None:
        try:
            self._journal.compact()
        except OSError as error:
            _log.warning("the journal cannot be written anew: %s", error.strerror)


def _next_zombie() -> int | None:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None
