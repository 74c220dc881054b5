"""Virtual wall clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.builders import NOW


@dataclass(slots=True)
class Clock:
    """A clock that only tests turn."""

    time: datetime = NOW
    jumped: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.time

    def turn(self, seconds: float) -> None:
        """Let so much time pass, or go back if negative."""
        self.time += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Show another time, though none has passed."""
        self.turn(seconds)
        self.jumped += timedelta(seconds=seconds)

    def seconds(self) -> float:
        """Return how much time has passed, jumps left out."""
        return (self() - self.jumped - NOW).total_seconds()
