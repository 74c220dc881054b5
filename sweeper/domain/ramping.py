"""How many creates may be open at once before the first training was seen at work.

A template that no cluster runs then costs one create, and one that only seems right a few.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord, Totals
from sweeper.domain.trial import Trial, TrialState

RAMP = (1, 5, 50)
"""The creates that may be open: before the first was taken in, after it, and after six were."""

_NEW = frozenset({Phase.UNKNOWN, Phase.CREATING})


def proven(sweep: SweepRecord, live: Sequence[Trial], totals: Totals, now: datetime) -> SweepRecord:
    """Return the sweep with the time at which one of its trainings was first seen at work."""
    if sweep.first_running_at is not None:
        return sweep
    started = [trial.submission.first_running_at for trial in live]
    times = [at for at in started if at is not None]
    if not times and not totals.count(TrialState.COMPLETED, TrialState.PRUNED):
        return sweep
    return replace(sweep, first_running_at=min(times, default=now))


def room_on_ramp(sweep: SweepRecord, live: Sequence[Trial]) -> int | None:
    """Return how many more creates may be opened, None without bound.

    A create is open until its training was seen beyond Creating. What is held waits for a
    person, who must not be waited for by the rest.
    """
    if sweep.first_running_at is not None:
        return None
    holding = [trial for trial in live if trial.holds_slot]
    taken = sum(_is_taken_in(trial) for trial in holding)
    held = sum(trial.state is TrialState.HELD and not _is_taken_in(trial) for trial in holding)
    first, second, third = RAMP
    bound = first if not taken else second if taken < first + second else third
    return bound - (len(holding) - taken - held)


def _is_taken_in(trial: Trial) -> bool:
    submission = trial.submission
    return submission.workload_id is not None and submission.phase not in _NEW
