"""Whether one kind of calls is worth making at all, or the host is to be left to recover."""

import random
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

RECENT = 20
"""Of so many newest calls, half must fail to open a breaker that no row of failures opened."""


class BreakerState(StrEnum):
    """What a breaker lets pass; the words are the values of a metric's label."""

    CLOSED = "closed"  # everything
    HALF_OPEN = "half_open"  # one call is under way, to find out
    OPEN = "open"  # nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a breaker opens, and how often it then tries one call."""

    failures: int = 5
    """Failures in a row that open it; more than the attempts at one call."""

    probe_seconds: float = 3.0
    """The shortest time from a failure to the next probe."""

    longest_probe_seconds: float = 15.0
    """The longest: a host that is well again must not wait for us for long."""


class Breaker:
    """Opens after a row of failures or a share of them, closes after one good probe.

    Times are the event loop's. Waits between probes grow and are jittered, so that the daemons
    which one outage stopped do not come back together.
    """

    def __init__(self, policy: BreakerPolicy, *, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self._failures = 0
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._probe_at: float | None = None
        self._openings = 0
        self._is_probing = False

    @property
    def state(self) -> BreakerState:
        """What passes now."""
        if self._probe_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._is_probing else BreakerState.OPEN

    def wait(self, now: float) -> float:
        """Return the seconds until a call may pass, 0 when one may pass now."""
        if self._probe_at is None:
            return 0.0
        if self._is_probing:
            return self._policy.probe_seconds
        return max(self._probe_at - now, 0.0)

    def begin(self) -> bool:
        """Let a call pass for which `wait` was 0; return whether it is a probe."""
        if self._probe_at is None:
            return False
        self._is_probing = True
        return True

    def end(self, now: float, *, is_well: bool, is_probe: bool) -> None:
        """Note how a call ended; what was sent before the breaker opened is old news."""
        if is_probe:
            self._is_probing = False
            if is_well:
                self._close()
            else:
                self._open(now)
        elif self._probe_at is None:
            self._count(now, is_well=is_well)

    def abandon(self, *, is_probe: bool) -> None:
        """Note a call that ended without telling anything; the next one is the probe then."""
        if is_probe:
            self._is_probing = False

    def _count(self, now: float, *, is_well: bool) -> None:
        self._recent.append(is_well)
        self._failures = 0 if is_well else self._failures + 1
        is_full = len(self._recent) == RECENT
        half_failed = is_full and self._recent.count(False) * 2 >= RECENT
        if self._failures >= self._policy.failures or (half_failed and not is_well):
            self._open(now)

    def _open(self, now: float) -> None:
        shortest = self._policy.probe_seconds
        grown = min(shortest * 2.0 ** min(self._openings, 8), self._policy.longest_probe_seconds)
        self._openings += 1
        self._probe_at = now + self._rng.uniform(shortest, max(grown, shortest))

    def _close(self) -> None:
        self._probe_at = None
        self._openings = self._failures = 0
        self._recent.clear()
