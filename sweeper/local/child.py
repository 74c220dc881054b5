"""One process as its parent sees it, from its order to its recorded end: standard library only."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sweeper.local.spawning import Gated

Answer: TypeAlias = Callable[[Exception | None], None]
"""Hears once that an order was carried out, or why not; neither raises nor waits."""


@dataclass(slots=True, kw_only=True, eq=False)
class Child:
    """A process that was made.

    `waits_at_gate` until it is recorded, `has_reasons` until it is known whether it became its
    program, `failure` says why it did not. `exit_code` is set once it is reaped; from then on
    its number may be another's. What is left of its session has until `leftovers_until`.
    """

    key: str
    gated: Gated
    lock_files: Sequence[str]
    answers: list[Answer]
    waits_at_gate: bool = True
    has_reasons: bool = True
    failure: str = ""
    was_killed: bool = False
    kill_timer: asyncio.TimerHandle | None = None
    exit_code: int | None = None
    leftovers_until: float = 0.0

    @property
    def pid(self) -> int:
        """Its number, which is its group's and its session's as well."""
        return self.gated.pid

    @property
    def is_starting(self) -> bool:
        """Whether those who ordered it still wait for an answer."""
        return self.waits_at_gate or self.has_reasons or bool(self.failure)

    def answer(self, error: Exception | None = None) -> None:
        """Answer everybody who ordered it."""
        answers, self.answers = self.answers, []
        for answer in answers:
            answer(error)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its group; never call it once it is reaped."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            # A child that was just made does not lead its group yet.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        except PermissionError:
            pass  # all that is left of it runs under another user, or is a zombie

    def kill(self) -> None:
        """Send SIGKILL to its group, now instead of later."""
        self.was_killed = True
        self.cancel_timer()
        self.signal(signal.SIGKILL)

    def cancel_timer(self) -> None:
        """Forget the SIGKILL that was to come."""
        if self.kill_timer is not None:
            self.kill_timer.cancel()
