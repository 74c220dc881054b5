"""A live display of a sweep for a person at a terminal."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console

from sweeper.domain.record import Event, SweepRecord
from sweeper.ports import Now, TickSummary
from sweeper.telemetry.logs import LineHandler


def stderr_console() -> Console:
    """Return a console on stderr; `is_terminal` tells whether a live display makes sense."""
    return Console(stderr=True)


class Display:
    """Shows the newest tick below the log lines until it is closed; a Telemetry.

    A context manager, for a console that is a terminal. A thread of its own draws, at most four
    times a second; it reads one reference to frozen values and nothing else of the daemon's.
    Log lines of `lines` scroll above it.
    """

    def __init__(self, console: Console, *, now: Now, lines: LineHandler | None = None) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Begin to draw."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw a last time, and leave the picture where it is."""

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Do nothing: a tick that follows tells the same."""

    def ticked(self, summary: TickSummary) -> None:
        """Show this tick from now on."""
