"""SIGINT and SIGTERM: the first asks the daemon to stop, the second ends it at once."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

SAME_SECONDS = 1.0
"""Signals so close together count as one: timeout(1) sends its own twice, for the group too."""


class StopSignals:
    """Remembers which signal came, and tells `ask_to_stop` of the first one.

    `leave` ends the process at once; it is given the exit code of the signal. `seconds` tells
    the time, from any beginning.
    """

    def __init__(
        self,
        leave: Callable[[int], None] = os._exit,
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self._leave = leave
        self._seconds = seconds or asyncio.get_running_loop().time
        self._first_at = 0.0
        self._ask: Callable[[], None] | None = None
        self.received: signal.Signals | None = None

    def on_stop(self, ask_to_stop: Callable[[], None]) -> None:
        """Call `ask_to_stop` when the first signal comes, at once if it came already."""
        self._ask = ask_to_stop
        if self.received is not None:
            ask_to_stop()

    def take(self, number: signal.Signals) -> None:
        """Take one signal."""
        if self.received is not None:
            if self._seconds() - self._first_at >= SAME_SECONDS:
                self._leave(exit_code(self.received))
            return
        self.received, self._first_at = number, self._seconds()
        if self._ask is not None:
            self._ask()


@contextmanager
def stop_signals(signals: StopSignals) -> Iterator[StopSignals]:
    """Deliver the signals to `signals` for the length of the block, as process 1 too."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, signals.take, number)
    try:
        yield signals
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def exit_code(received: signal.Signals) -> int:
    """Return the exit code that a shell gives a process ended by this signal."""
    return 128 + received
