"""A runtime without processes: each start takes its course by a plan, thousands at once.

What was started, stopped and forgotten is in a small journal, so that the courses go on while the
server is away. It outlives the server's death, not the machine's: a training whose start was lost
with the machine is one whose node was lost.
"""

import asyncio
import heapq
import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from sweeper.errors import SettingsError
from sweeper.local.runtime import EndListener, ProcessEnd, StartOrder
from sweeper.local.simulation import SimulationPlan, draw_course, start_mark
from sweeper.ports import Now

SIGTERM_EXIT_CODE = 143
SIGKILL_EXIT_CODE = 137

PreemptionListener: TypeAlias = Callable[[str], None]
"""Hears, in the event loop, the key of a start whose place is taken by plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    kind: Literal["started"] = "started"
    key: str
    mark: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stopped:
    kind: Literal["stopped"] = "stopped"
    key: str
    at: datetime
    exit_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forgotten:
    kind: Literal["forgotten"] = "forgotten"
    keys: tuple[str, ...]


_Entry: TypeAlias = Annotated[_Started | _Stopped | _Forgotten, Field(discriminator="kind")]
_ENTRY: TypeAdapter[_Started | _Stopped | _Forgotten] = TypeAdapter(_Entry)


@dataclass(slots=True, kw_only=True)
class _Play:
    """One start: when it is ready, and when and how it ends as things stand."""

    started: _Started
    stopped: _Stopped | None = None
    ready_at: datetime
    end_at: datetime
    exit_code: int | None
    preempted_at: datetime | None
    is_over: bool = False
    waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def end(self) -> ProcessEnd:
        """Return its end."""
        return ProcessEnd(key=self.started.key, at=self.end_at, exit_code=self.exit_code)


class PlannedRuntime:
    """Keeps `Runtime`'s promises for courses drawn from a plan; GPU locks mean nothing to it.

    One timer serves all courses. `preempt` hears of every start whose place the plan takes; what
    it does about it is its own affair.
    """

    def __init__(self, plan: SimulationPlan, journal: int, *, now: Now) -> None:
        self.plan = plan
        self.preempt: PreemptionListener | None = None
        self._journal = journal
        self._now = now
        self._plays: dict[str, _Play] = {}
        self._ahead: list[tuple[datetime, int, str]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._listeners: list[EndListener] = []

    async def known(self) -> Mapping[str, ProcessEnd | None]:
        """Return what was started and not forgotten."""
        self._pump()
        return {key: play.end() if play.is_over else None for key, play in self._plays.items()}

    async def start(self, order: StartOrder) -> None:
        """Begin a course, once for each key; returns when it is ready."""
        play = self._plays.get(order.key)
        if play is None:
            started = _Started(key=order.key, mark=start_mark(order), at=self._now())
            self._write(started)
            play = self._take(started)
            self._arm()
        if play.ready_at > self._now() and not play.is_over:
            waiter = asyncio.get_running_loop().create_future()
            play.waiters.append(waiter)
            await waiter

    async def stop(self, key: str, grace_seconds: float) -> None:
        """Let a course end within the grace, unless it ends earlier anyway."""
        play = self._plays.get(key)
        if play is None or play.is_over:
            return
        needed = self.plan.term_seconds / self.plan.time_scale
        listens = needed <= grace_seconds
        at = self._now() + timedelta(seconds=min(needed, grace_seconds))
        if at >= play.end_at:
            return
        code = SIGTERM_EXIT_CODE if listens else SIGKILL_EXIT_CODE
        stopped = _Stopped(key=key, at=at, exit_code=code)
        self._write(stopped)
        self._shorten(play, stopped)
        self._arm()

    async def forget(self, keys: Sequence[str]) -> None:
        """Drop what has ended."""
        gone = tuple(key for key in keys if key in self._plays and self._plays[key].is_over)
        for key in gone:
            del self._plays[key]
        if gone:
            self._write(_Forgotten(keys=gone))

    def listen(self, listener: EndListener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def load(self, content: bytes) -> None:
        """Take up what a journal tells; what comes after a broken line is lost with it."""
        for line in content.splitlines():
            try:
                entry = _ENTRY.validate_json(line)
            except ValidationError:
                return
            match entry:
                case _Started():
                    self._take(entry)
                case _Stopped() if entry.key in self._plays:
                    self._shorten(self._plays[entry.key], entry)
                case _Forgotten():
                    for key in entry.keys:
                        self._plays.pop(key, None)
                case _:
                    pass

    def journal(self) -> bytes:
        """Return the shortest journal that tells all that is known."""
        entries: list[_Started | _Stopped] = []
        for play in self._plays.values():
            entries += [play.started, *([play.stopped] if play.stopped else [])]
        return b"".join(map(_line, entries))

    def begin(self) -> None:
        """Let courses that were loaded go on, in the running event loop."""
        self._arm()

    def close(self) -> None:
        """End no course any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _take(self, started: _Started) -> _Play:
        course = draw_course(self.plan, started.mark)

        def at(seconds: float) -> datetime:
            return started.at + timedelta(seconds=seconds)

        play = _Play(
            started=started,
            ready_at=at(course.ready),
            end_at=at(course.end),
            exit_code=course.exit_code,
            preempted_at=None if course.preempted is None else at(course.preempted),
        )
        self._plays[started.key] = play
        for moment in (play.ready_at, play.end_at, play.preempted_at):
            if moment is not None:
                self._expect(moment, started.key)
        return play

    def _shorten(self, play: _Play, stopped: _Stopped) -> None:
        play.stopped, play.end_at, play.exit_code = stopped, stopped.at, stopped.exit_code
        self._expect(stopped.at, stopped.key)

    def _expect(self, at: datetime, key: str) -> None:
        heapq.heappush(self._ahead, (at, next(self._order), key))

    def _arm(self) -> None:
        """Set the one timer to what comes next."""
        if not self._ahead:
            return
        loop = asyncio.get_running_loop()
        wait = max((self._ahead[0][0] - self._now()).total_seconds(), 0.0)
        if self._timer is not None:
            if not self._timer.cancelled() and self._timer.when() <= loop.time() + wait:
                return
            self._timer.cancel()
        self._timer = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._pump()
        self._arm()

    def _pump(self) -> None:
        """Let happen what is due."""
        now = self._now()
        while self._ahead and self._ahead[0][0] <= now:
            play = self._plays.get(heapq.heappop(self._ahead)[2])
            if play is not None and not play.is_over:
                self._advance(play, now)

    def _advance(self, play: _Play, now: datetime) -> None:
        if play.end_at <= now:
            play.is_over = True
            for listener in tuple(self._listeners):
                listener(play.end())
        elif play.preempted_at is not None and play.preempted_at <= now:
            play.preempted_at = None
            if self.preempt is not None:
                self.preempt(play.started.key)
        if play.is_over or play.ready_at <= now:
            for waiter in play.waiters:
                if not waiter.done():
                    waiter.set_result(None)
            play.waiters.clear()

    def _write(self, entry: _Started | _Stopped | _Forgotten) -> None:
        # A line of this size goes in one piece; not synced, as the machine's death is not survived.
        os.write(self._journal, _line(entry))


def _line(entry: _Started | _Stopped | _Forgotten) -> bytes:
    return _ENTRY.dump_json(entry) + b"\n"


@asynccontextmanager
async def open_planned(
    plan: SimulationPlan, journal: Path, *, now: Now
) -> AsyncIterator[PlannedRuntime]:
    """Open a runtime whose courses are kept in `journal`, and go on where the last one was.

    With another plan than before, what was started keeps its time and takes a new course.

    Raises:
        SettingsError: the journal cannot be used.
    """
    try:
        descriptor, content = _begun(journal)
    except OSError as error:
        raise SettingsError(f"{journal}: {error.strerror}: choose another --state-dir") from error
    runtime = PlannedRuntime(plan, descriptor, now=now)
    try:
        runtime.load(content)
        os.write(descriptor, runtime.journal())
        _part_of(journal).replace(journal)
        runtime.begin()
        yield runtime
    finally:
        runtime.close()
        os.close(descriptor)


def _begun(journal: Path) -> tuple[int, bytes]:
    """Return the descriptor of a new journal, and what the old one holds."""
    journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = journal.read_bytes() if journal.exists() else b""
    _part_of(journal).unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return os.open(_part_of(journal), flags, 0o600), content


def _part_of(journal: Path) -> Path:
    return journal.with_name(f"{journal.name}.part")
