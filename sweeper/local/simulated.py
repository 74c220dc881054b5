"""A runtime whose processes are told how to go: for tests and rehearsals.

Nothing is started. Each process follows a `Course`; its ends are fired by timers of the event
loop, so that they come at once under virtual time, or by hand with `end` and `lose`. The runtime
outlives the control planes opened on it, as the real one does.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sweeper.local.runtime import (
    EndListener,
    LeaseTakenError,
    ProcessEnd,
    RuntimeUnavailableError,
    StartError,
    StartOrder,
)
from sweeper.ports import Now

SIGTERM_EXIT_CODE = 143
SIGKILL_EXIT_CODE = 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a simulated process goes.

    It ends with `exit_code` after `seconds` (None: it goes on until it is stopped, or ended by
    hand). On SIGTERM it ends with `term_exit_code` after `term_seconds`; None means that it does
    not listen and ends by SIGKILL once the grace is over. With `start_error` it cannot be
    started at all: that is the reason.
    """

    seconds: float | None = None
    exit_code: int = 0
    term_seconds: float | None = 0.0
    term_exit_code: int = SIGTERM_EXIT_CODE
    start_error: str | None = None


Play: TypeAlias = Callable[[StartOrder], Course]
"""Chooses the course of a process from the order to start it."""


def endless(order: StartOrder) -> Course:  # noqa: ARG001 - the same for every order
    """Let every process go on until it is stopped, or ended by hand."""
    return Course()


class SimulatedRuntime:
    """Keeps `Runtime`'s promises without processes.

    `orders` are the orders that started something, in order; `stops` all stops asked for.
    `taken` holds lock files that another control plane has locked. While `is_available` is false
    every call raises `RuntimeUnavailableError`; while `drops_answers` is true every start does
    so after it was carried out.
    """

    def __init__(self, play: Play = endless, *, now: Now) -> None:
        self.play = play
        self.orders: list[StartOrder] = []
        self.stops: list[tuple[str, float]] = []
        self.taken: set[str] = set()
        self.is_available = True
        self.drops_answers = False
        self._now = now
        self._known: dict[str, ProcessEnd | None] = {}
        self._courses: dict[str, Course] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._listeners: list[EndListener] = []

    @property
    def running(self) -> Sequence[str]:
        """The keys of the processes that run, oldest first."""
        return [key for key, end in self._known.items() if end is None]

    def end(self, key: str, exit_code: int | None = 0) -> None:
        """End a process that runs; None as in `ProcessEnd`. One that has ended stays as it is."""
        if self._known.get(key, ...) is not None:
            return
        end = ProcessEnd(key=key, at=self._now(), exit_code=exit_code)
        self._known[key] = end
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        for listener in tuple(self._listeners):
            listener(end)

    def lose(self) -> None:
        """End all processes unseen, as a reboot does."""
        for key in self.running:
            self.end(key, None)

    async def known(self) -> Mapping[str, ProcessEnd | None]:
        """Return what was started and not forgotten."""
        self._check()
        return dict(self._known)

    async def start(self, order: StartOrder) -> None:
        """Begin a course, once for each key."""
        self._check()
        if order.key not in self._known:
            self._begin(order)
        if self.drops_answers:
            raise RuntimeUnavailableError("the answer was lost")

    async def stop(self, key: str, grace_seconds: float) -> None:
        """Let the process end as its course says, within the grace."""
        self._check()
        self.stops.append((key, grace_seconds))
        if self._known.get(key, ...) is not None:
            return
        course = self._courses[key]
        if course.term_seconds is not None and course.term_seconds <= grace_seconds:
            self._end_in(course.term_seconds, key, course.term_exit_code)
        else:
            self._end_in(grace_seconds, key, SIGKILL_EXIT_CODE)

    async def forget(self, keys: Sequence[str]) -> None:
        """Drop what has ended."""
        self._check()
        for key in keys:
            if self._known.get(key) is not None:
                del self._known[key], self._courses[key]

    def listen(self, listener: EndListener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def _begin(self, order: StartOrder) -> None:
        held = self.taken.intersection(order.lock_files)
        if held:
            raise LeaseTakenError(f"{min(held)} is locked")
        course = self.play(order)
        if course.start_error is not None:
            raise StartError(course.start_error)
        self.orders.append(order)
        self._known[order.key] = None
        self._courses[order.key] = course
        if course.seconds is not None:
            self._end_in(course.seconds, order.key, course.exit_code)

    def _end_in(self, seconds: float, key: str, exit_code: int) -> None:
        """Set the timer of a process, unless it ends earlier anyway."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + seconds:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(seconds, self.end, key, exit_code)

    def _check(self) -> None:
        if not self.is_available:
            raise RuntimeUnavailableError("the simulated runtime does not answer")
