"""Kill a daemon at any call of its store or control plane.

Before a call is as good as after the one before it: what the process remembers ends with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Protocol, TypeVar, cast

from sweeper.ports import Store, TrainingRequest

T = TypeVar("T")

WRITES = frozenset(
    {"save_sweep", "commit", "add_reports", "settle_wish", "rebase_intents", "save_notice"}
)
"""What a daemon writes to its store; wishes are added by people."""


class Crash(BaseException):
    """The end of a process: nothing may catch it."""


@dataclass(slots=True)
class CrashPoint:
    """The call at which a process ends; counts every call of everything that it guards.

    With `only`, calls of other methods do not count. With `be_late`, the request of a create at
    which the process ends is still under way, and handed to that.
    """

    at: int
    only: str | None = None
    be_late: Callable[[TrainingRequest], None] | None = None
    calls: int = 0

    @property
    def was_reached(self) -> bool:
        """Whether the process ended here."""
        return self.calls >= self.at

    def guard(self, target: T) -> T:
        """Return `target` with every call of its coroutine methods a point to crash at."""
        return cast(T, _Guarded(target, self))

    def pass_by(self, name: str, *args: Any) -> None:
        """Count a call that is about to be made, and end the process if it is the one."""
        if self.only not in {None, name}:
            return
        self.calls += 1
        if self.was_reached:
            if name == "create" and self.be_late is not None:
                self.be_late(*args)
            raise Crash


class _Guarded:
    def __init__(self, target: object, point: CrashPoint) -> None:
        self._target = target
        self._point = point

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)
        if not iscoroutinefunction(call):
            return call

        @wraps(call)
        async def guarded(*args: Any, **named: Any) -> Any:
            self._point.pass_by(name, *args)
            return await call(*args, **named)

        return guarded


class Life(Protocol):
    """One daemon's life, which ends before some effect."""

    is_over: bool

    def come_to(self, effect: str) -> None:
        """Come to the point before an effect; raises Crash where it is the last."""
        ...


def mortal(store: Store, life: Life) -> Store:
    """Return a store that a daemon may die at every write of; the dead read nothing either."""
    return cast(Store, _Mortal(store, life))


class _Mortal:
    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if not iscoroutinefunction(call):
            return call

        @wraps(call)
        async def guarded(*args: Any, **named: Any) -> Any:
            if name in WRITES:
                self._life.come_to(f"store.{name}")
            elif self._life.is_over:
                raise Crash
            return await call(*args, **named)

        return guarded
