"""Lines that are kept back until it is known whether anybody needs to see them."""

from collections import deque

from sweeper.telemetry.logs import Write

MOST_HELD = 200
"""So many lines are kept; of more, the newest."""


class HeldLines:
    """Takes finished lines in place of stderr, and gives them out at the end, or never."""

    def __init__(self) -> None:
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
            write(f"({self._lost} earlier lines are left out)")
        for line in self._lines:
            write(line)
        self.drop()
