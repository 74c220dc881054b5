"""What ticks tell the gauges: pure functions from what was seen to samples."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.record import ObjectiveValue
from sweeper.domain.trial import TERMINAL_STATES, Submission, TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.labels import text_label
from sweeper.telemetry.pace import Pace, guess_rest


class Reading(NamedTuple):
    """One value of a family; `labels` are in the order in which the catalogue names them."""

    family: str
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest tick of a sweep, with what the ones before it told.

    `improved_at` is when the best objective was reported (None: not known). `is_over` is whether
    this process has left the sweep.
    """

    summary: TickSummary
    pace: Pace
    improved_at: datetime | None = None
    is_over: bool = False

    def followed_by(self, summary: TickSummary) -> "Seen":
        """Return what is seen after the next tick."""
        before, best = _objective(self.summary), _objective(summary)
        if best is None or (before is not None and before.best == best.best):
            return replace(self, summary=summary)
        return replace(self, summary=summary, improved_at=best.updated_at)


def read_tick(seen: Seen, now: datetime) -> Iterator[Reading]:
    """Return the value of every gauge that the ticks made known, as of `now`."""
    summary = seen.summary
    sweep = text_label(summary.sweep.name)
    yield from _trials(summary, sweep)
    rest = guess_rest(seen.pace, summary, now)
    if rest is not None:
        yield Reading("sweeper_sweep_eta_seconds", (sweep,), rest.total_seconds())
    yield from _trainings(summary, sweep, now)
    yield from _slot_limits(summary, sweep)
    yield from _quality(seen, sweep)
    if summary.observed_at is not None:
        age = now - summary.observed_at
        yield Reading("sweeper_observation_age_seconds", (sweep,), _seconds(age))
    yield Reading("sweeper_last_tick_timestamp_seconds", (sweep,), summary.at.timestamp())
    record = summary.sweep
    labels = (sweep, text_label(record.method), record.goal or "", text_label(record.objective))
    yield Reading("sweeper_sweep_info", labels, 1.0)
    yield Reading("sweeper_owner", (sweep,), float(not seen.is_over))


def read_trainings(seen: Seen) -> Iterator[Reading]:
    """Return a reading for each training that is not finished; none of a sweep that was left."""
    record = seen.summary.sweep
    sweep = text_label(record.name)
    place = (text_label(record.project_id), text_label(record.cluster_id))
    for trial in () if seen.is_over else seen.summary.live:
        item = trial.submission
        if item.is_open and item.workload_id is not None:
            names = (text_label(item.workload_id), text_label(item.workload_name))
            labels = (sweep, str(trial.number), str(item.attempt), *names, *place)
            yield Reading("sweeper_training_info", labels, 1.0)


def _objective(summary: TickSummary) -> ObjectiveValue | None:
    return summary.best.objective if summary.best is not None else None


def _quality(seen: Seen, sweep: str) -> Iterator[Reading]:
    objective = _objective(seen.summary)
    if objective is not None:
        yield Reading("sweeper_objective_best", (sweep,), objective.best)
    if seen.improved_at is not None:
        name = "sweeper_objective_last_improvement_timestamp_seconds"
        yield Reading(name, (sweep,), seen.improved_at.timestamp())


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
