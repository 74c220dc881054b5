"""How many requests a second: a token bucket whose rate follows how the host is."""

import math

CUT = 0.7
"""What is left of the rate, and of the slots, after a sign that the host is overloaded."""

RECOVERY_SECONDS = 20.0
"""How long good answers take to bring the rate from its floor to its limit."""

_FLOOR = 1 / RECOVERY_SECONDS
_LONGEST_STEP = 1.0
_NEARLY = 1e-9


class Rate:
    """A bucket of requests that fills at `per_second`; times are the event loop's.

    The rate falls by a factor and rises by steps, between a twentieth of `limit` and `limit`, and
    the bucket shrinks with it. In any stretch of t seconds at most `burst + limit * t` requests
    pass. An infinite limit lets everything pass and never changes.
    """

    def __init__(self, limit: float, burst: float) -> None:
        self._limit = limit
        self._burst = burst
        self._per_second = limit
        self._tokens = burst
        self._filled_at = 0.0
        self._raised_at = 0.0

    @property
    def per_second(self) -> float:
        """The present rate, infinite where there is none."""
        return self._per_second

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may pass, 0 when it may pass now."""
        if math.isinf(self._limit):
            return 0.0
        missing = 1.0 - self._fill(now)
        return missing / self._per_second if missing > _NEARLY else 0.0

    def take(self, now: float) -> None:
        """Let one request pass."""
        if math.isfinite(self._limit):
            self._tokens = self._fill(now) - 1.0

    def cut(self, now: float) -> None:
        """Slow down by a factor."""
        self._slow_to(self._per_second * CUT, now)

    def restart(self, now: float) -> None:
        """Begin again at the floor, with nothing in the bucket."""
        self._slow_to(0.0, now)
        self._tokens = 0.0

    def answered(self, now: float) -> None:
        """Rise a little after a good answer, by time and not by the number of answers."""
        step = min(now - self._raised_at, _LONGEST_STEP)
        self._raised_at = now
        if math.isfinite(self._limit):
            self._fill(now)
            risen = self._per_second + self._limit * step / RECOVERY_SECONDS
            self._per_second = min(risen, self._limit)

    def _slow_to(self, per_second: float, now: float) -> None:
        if math.isfinite(self._limit):
            self._fill(now)
            self._per_second = max(per_second, self._limit * _FLOOR)
            self._raised_at = now
            self._tokens = min(self._tokens, self._most)

    @property
    def _most(self) -> float:
        """How much the bucket holds at the present rate."""
        return max(self._burst * self._per_second / self._limit, 1.0)

    def _fill(self, now: float) -> float:
        """Add what has come since the last time; return what is in the bucket."""
        came = (now - self._filled_at) * self._per_second
        self._tokens = min(self._tokens + came, self._most)
        self._filled_at = now
        return self._tokens
