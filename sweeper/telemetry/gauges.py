"""What a tick tells the gauges: pure functions from a `TickSummary` to samples."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.trial import TERMINAL_STATES, Submission, TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.labels import text_label


class Reading(NamedTuple):
    """One value of a family; `labels` are in the order in which the catalogue names them."""

    family: str
    labels: tuple[str, ...]
    value: float


def read_tick(summary: TickSummary, now: datetime) -> Iterator[Reading]:
    """Return the value of every gauge that the tick makes known, as of `now`."""
    sweep = text_label(summary.sweep.name)
    yield from _trials(summary, sweep)
    yield from _trainings(summary, sweep, now)
    yield from _slot_limits(summary, sweep)
    objective = summary.best.objective if summary.best is not None else None
    if objective is not None:
        yield Reading("sweeper_objective_best", (sweep,), objective.best)
    if summary.observed_at is not None:
        age = now - summary.observed_at
        yield Reading("sweeper_observation_age_seconds", (sweep,), _seconds(age))
    yield Reading("sweeper_last_tick_timestamp_seconds", (sweep,), summary.at.timestamp())
    record = summary.sweep
    labels = (sweep, text_label(record.method), record.goal or "", text_label(record.objective))
    yield Reading("sweeper_sweep_info", labels, 1.0)


def _trials(summary: TickSummary, sweep: str) -> Iterator[Reading]:
    planned, totals = summary.sweep.planned, summary.totals
    for state in TrialState:
        if state is not TrialState.WAITING:
            count = float(totals.count(state))
            yield Reading("sweeper_sweep_trials", (sweep, state), count)
    if planned is not None:
        waiting = _number(max(planned - totals.next_number, 0))
        yield Reading("sweeper_sweep_trials", (sweep, TrialState.WAITING), waiting)
        yield Reading("sweeper_sweep_trials_planned", (sweep,), _number(planned))
    progress = _progress(summary)
    if progress is not None:
        yield Reading("sweeper_sweep_progress_ratio", (sweep,), progress)


def _progress(summary: TickSummary) -> float | None:
    planned = summary.sweep.planned
    # A sweep may end before all planned trials are tried; nothing is left to be done then.
    if summary.sweep.ended_at is not None or planned == 0:
        return 1.0
    if planned is None:
        return None
    return min(summary.totals.count(*TERMINAL_STATES) / planned, 1.0)


def _trainings(summary: TickSummary, sweep: str, now: datetime) -> Iterator[Reading]:
    open_now = [trial.submission for trial in summary.live if trial.submission.is_open]
    phases = Counter(item.phase for item in open_now if item.workload_id is not None)
    for phase in Phase:
        yield Reading("sweeper_trainings", (sweep, phase), float(phases[phase]))
    pending = sum(not item.is_at_work for item in open_now)
    gpus = float(sum((item.gpus for item in open_now), Fraction(0)))
    yield Reading("sweeper_slots_used", (sweep, "active"), float(len(open_now)))
    yield Reading("sweeper_slots_used", (sweep, "pending"), float(pending))
    yield Reading("sweeper_slots_used", (sweep, "gpu"), gpus)
    yield Reading("sweeper_gpus_requested", (sweep,), gpus)
    waits = [_seconds(now - since) for item in open_now if (since := _queues_since(item))]
    yield Reading("sweeper_oldest_pending_seconds", (sweep,), max(waits, default=0.0))


def _slot_limits(summary: TickSummary, sweep: str) -> Iterator[Reading]:
    limits = {
        "active": summary.active_limit,
        "pending": summary.pending_limit,
        "gpu": summary.gpu_limit,
    }
    for kind, limit in limits.items():
        if limit is not None:
            yield Reading("sweeper_slots_limit", (sweep, kind), float(limit))


def _queues_since(submission: Submission) -> datetime | None:
    """Return since when a training is in a phase in which it waits to run."""
    if submission.workload_id is None:
        return None
    is_waiting = PHASE_MEANING[submission.phase] is PhaseMeaning.WAITING
    return submission.phase_since if is_waiting else None


def _seconds(length: timedelta) -> float:
    # The wall clock may be set back between a tick and a scrape.
    return max(length.total_seconds(), 0.0)


def _number(count: int) -> float:
    """Return a count that may be astronomical: a grid's size has no bound."""
    try:
        return float(count)
    except OverflowError:
        return float("inf")
