"""Lines that are kept back until it is known whether anybody needs to see them."""

import logging
from collections import deque

from sweeper.telemetry.logs import Write

MOST_HELD = 200
"""So many lines are kept; of more, the newest."""


class HeldLines:
    """Takes finished lines in place of stderr, and gives them out at the end, or never.

    `formatter` puts a line about lines that were too many in the shape of the others.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        self._formatter = formatter
        self._lines: deque[str] = deque(maxlen=MOST_HELD)
        self._lost = 0

    def __call__(self, line: str) -> None:
        """Keep one line."""
        self._lost += len(self._lines) == MOST_HELD
        self._lines.append(line)

    def drop(self) -> None:
        """Forget what is held: all is well."""
        self._lines.clear()
        self._lost = 0

    def release(self, write: Write) -> None:
        """Write what is held, in order; what is held afterwards is nothing."""
        if self._lost:
            write(self._formatter.format(self._omission()))
        for line in self._lines:
            write(line)
        self.drop()

    def _omission(self) -> logging.LogRecord:
        text = "%s earlier lines are left out"
        return logging.LogRecord(
            __name__, logging.WARNING, __file__, 0, text, (self._lost,), exc_info=None
        )
