"""Kill a daemon at any call of its store or control plane.

Before a call is as good as after the one before it: what the process remembers ends with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from sweeper.ports import TrainingRequest

T = TypeVar("T")


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
