"""A live display of a sweep for a person at a terminal."""

import io
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import IO, Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live

from sweeper.domain.record import Event, SweepRecord
from sweeper.ports import Now, TickSummary
from sweeper.telemetry.logs import LineHandler
from sweeper.telemetry.pace import Pace
from sweeper.telemetry.picture import draw_progress
from sweeper.telemetry.redaction import redact

REFRESH_PER_SECOND = 2.0


class _Lasting:
    """A file that goes on taking text when nobody is left to read it.

    A terminal may be closed while the daemon lives on; what then fails to be drawn matters
    to nobody, and least of all to the sweep.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.encoding = file.encoding

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()

    def isatty(self) -> bool:
        return self._file.isatty()

    def fileno(self) -> int:
        return self._file.fileno()


def stderr_console() -> Console:
    """Return a console on stderr, with colours as the terminal and NO_COLOR have them.

    A process that was started with stderr closed gets one that shows nothing.
    """
    file = io.StringIO() if sys.stderr is None else sys.stderr
    return Console(file=cast(IO[str], _Lasting(file)))


def can_display(console: Console) -> bool:
    """Return whether a live display makes sense: on a terminal that can move its cursor.

    Variables that force colours make no terminal of a file.
    """
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


class Display:
    """Shows the newest tick below the log lines until it is closed; a Telemetry.

    A context manager, for a console that is a terminal. A thread of its own draws, twice a
    second; it reads one reference to frozen values and nothing else of the daemon's. Log lines
    of `lines` scroll above it.
    """

    def __init__(self, console: Console, *, now: Now, lines: LineHandler | None = None) -> None:
        self._console = console
        self._now = now
        self._lines = lines
        self._seen: tuple[TickSummary, Pace] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin to draw."""
        with ExitStack() as stack:
            live = Live(
                console=self._console,
                get_renderable=self.picture,
                refresh_per_second=REFRESH_PER_SECOND,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            stack.enter_context(live)
            if self._lines is not None:
                stack.enter_context(self._lines.routed(self._write))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Draw a last time, and leave the picture where it is."""
        self._stack.close()

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Do nothing: the tick that follows tells the same."""

    def ticked(self, summary: TickSummary) -> None:
        """Show this tick from now on."""
        pace = self._seen[1] if self._seen is not None else Pace.begin(summary)
        clean = redact if self._lines is None else self._lines.clean
        self._seen = (replace(summary, trouble=clean(summary.trouble)), pace)

    def picture(self) -> RenderableType:
        """Return what is shown now; nothing before the first tick."""
        seen = self._seen
        return "" if seen is None else draw_progress(*seen, self._now())

    def _write(self, line: str) -> None:
        self._console.out(line, highlight=False)
