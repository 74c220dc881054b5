"""How long a sweep takes and what it costs, if every trial takes as long as one is said to."""

import math
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from sweeper.domain.sweep import LimitsSpec

MOST_TRIALS = 10**9
"""Of more trials there is nothing useful to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How often the control plane is looked at: while all slots are at work, and else."""

    quiet: timedelta
    busy: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a sweep takes when each trial starts at once and none fails, waits or is stopped early.

    `slots` trials run side by side. `is_cut`: the deadline ends the sweep before its last
    trial. `creates` and `listings` are calls to the control plane, the second at one page
    for each look.
    """

    slots: int
    wall_clock: timedelta
    gpu_hours: float
    creates: int
    listings: int
    is_cut: bool


def estimate(
    trials: int, duration: timedelta, gpus: Fraction, limits: LimitsSpec, looks: Looks
) -> Estimate | None:
    """Return what `trials` of `duration` (above 0), each of `gpus`, take within `limits`.

    None for none, and for more than `MOST_TRIALS`. A deadline does not shorten it: what the
    whole sweep takes is what a user compares with it.
    """
    if not 0 < trials <= MOST_TRIALS:
        return None
    slots = _slots(limits, gpus, trials)
    last_start = max((math.ceil(trials / slots) - 1) * duration, _last_submission(limits, trials))
    gpu_hours = float(trials * gpus) * (duration / timedelta(hours=1))
    # While the last trials run slots are idle.
    listings = math.ceil(last_start / looks.quiet) + math.ceil(duration / looks.busy)
    return Estimate(
        slots=slots,
        wall_clock=last_start + duration,
        gpu_hours=gpu_hours,
        creates=trials,
        listings=listings,
        is_cut=limits.deadline is not None and last_start > limits.deadline,
    )


def _slots(limits: LimitsSpec, gpus: Fraction, trials: int) -> int:
    slots = min(limits.active, trials)
    if limits.gpus is not None and gpus > 0:
        slots = min(slots, int(limits.gpus / gpus))
    return max(slots, 1)


def _last_submission(limits: LimitsSpec, trials: int) -> timedelta:
    """Return when the last trial may be submitted: so many in any minute."""
    if limits.submit_per_minute is None:
        return timedelta(0)
    return timedelta(minutes=(trials - 1) // limits.submit_per_minute)
