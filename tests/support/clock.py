"""Virtual wall clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.builders import NOW


@dataclass(slots=True)
class Clock:
    """A clock that only tests turn."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def turn(self, seconds: float) -> None:
        """Let so much time pass, or go back if negative."""
        self.time += timedelta(seconds=seconds)
