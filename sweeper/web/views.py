"""The JSON that the daemon answers with, as pure functions of what the store holds.

Times are ISO 8601 in UTC, None where there is none; fractions are numbers; trials, attempts and
events go by their numbers. Keys are only ever added, never given another meaning.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sweeper.domain.record import (
    Event,
    ObjectiveValue,
    Report,
    SweepRecord,
    Totals,
    TrialView,
)
from sweeper.domain.trial import Submission, Trial, TrialState
from sweeper.domain.values import plain
from sweeper.ports import TickSummary

JsonObject: TypeAlias = dict[str, Any]

LIVE_BOUND = 50
"""Trials not settled that the view of a sweep lists; `live_count` counts them all."""

_STORED_STATES = tuple(state for state in TrialState if state is not TrialState.WAITING)


def time_text(at: datetime | None) -> str | None:
    """Return a time as text, `2026-03-01T12:00:00.123456Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def sweep_view(
    sweep: SweepRecord,
    totals: Totals,
    live: Sequence[Trial],
    best: TrialView | None,
    *,
    tick: TickSummary | None,
    now: datetime,
) -> JsonObject:
    """Return the answer to "how does it stand"; `tick` is None where no daemon runs."""
    return {
        "at": time_text(now),
        "sweep": sweep_record_view(sweep),
        "trials": _totals_view(sweep, totals),
        "best": None if best is None else trial_view(best),
        "phases": dict(sorted(Counter(trial.submission.phase.value for trial in live).items())),
        "live": [live_view(trial) for trial in live[:LIVE_BOUND]],
        "live_count": len(live),
        "daemon": None if tick is None else _daemon_view(tick, now),
    }


def sweep_record_view(sweep: SweepRecord) -> JsonObject:
    """Return the sweep itself, without its definition."""
    objective = None
    if sweep.objective is not None:
        goal = None if sweep.goal is None else sweep.goal.value
        objective = {"name": sweep.objective, "goal": goal}
    return {
        "id": sweep.id,
        "name": sweep.name,
        "method": sweep.method,
        "seed": sweep.seed,
        "state": sweep.state.value,
        "stop_reason": sweep.stop_reason,
        "frozen": sweep.frozen,
        "objective": objective,
        "control_plane": sweep.control_plane,
        "project_id": sweep.project_id,
        "cluster_id": sweep.cluster_id,
        "directory": sweep.directory,
        "report_port": sweep.report_port,
        "created_at": time_text(sweep.created_at),
        "ended_at": time_text(sweep.ended_at),
        "enqueued": [
            {"trial": point.number, "params": plain(point.params)} for point in sweep.enqueued
        ],
    }


def trial_view(view: TrialView) -> JsonObject:
    """Return one trial as lists show it, with the newest of its attempts."""
    trial, submission = view.trial, view.trial.submission
    return {
        "trial": trial.number,
        "state": trial.state.value,
        "params": plain(trial.params),
        "objective": None if view.objective is None else view.objective.best,
        "attempts": submission.attempt,
        "reason": _reason(trial),
        "failure": None if trial.failure is None else trial.failure.value,
        "phase": submission.phase.value,
        "workload_name": submission.workload_name,
        "workload_id": submission.workload_id,
        "preemptions": submission.preemptions,
        "resumes": submission.resumes,
        "created_at": time_text(trial.created_at),
        "state_since": time_text(trial.state_since),
        "ended_at": time_text(trial.ended_at),
        "retry_at": time_text(trial.retry_at),
        "cancel_asked_at": time_text(trial.cancel_asked_at),
    }


def live_view(trial: Trial) -> JsonObject:
    """Return what is going on with a trial that is not settled."""
    submission = trial.submission
    return {
        "trial": trial.number,
        "state": trial.state.value,
        "state_since": time_text(trial.state_since),
        "reason": _reason(trial),
        "attempt": submission.attempt,
        "phase": submission.phase.value,
        "phase_since": time_text(submission.phase_since),
        "running_since": time_text(submission.running_since),
        "workload_name": submission.workload_name,
        "workload_id": submission.workload_id,
        "holds_slot": trial.holds_slot,
    }


def trial_detail(
    view: TrialView,
    submissions: Sequence[Submission],
    curve: Sequence[Report],
    decisions: Sequence[Event] = (),
) -> JsonObject:
    """Return everything about one trial; `curve` is the newest part of it.

    `decisions` are the events of early stopping about it.
    """
    return {
        "trial": trial_view(view),
        "submissions": [submission_view(submission) for submission in submissions],
        "objective": None if view.objective is None else objective_view(view.objective),
        "curve": [point_view(report) for report in curve],
        "decisions": [decision_view(event) for event in decisions],
    }


def submission_view(submission: Submission) -> JsonObject:
    """Return one attempt at a trial."""
    times = {
        name: time_text(getattr(submission, name))
        for name in (
            "intent_at",
            "sent_at",
            "created_at",
            "phase_since",
            "seen_at",
            "first_running_at",
            "running_since",
            "resume_sent_at",
            "suspend_sent_at",
            "delete_sent_at",
            "missing_since",
            "next_call_at",
            "ended_at",
        )
    }
    return {
        "attempt": submission.attempt,
        "workload_name": submission.workload_name,
        "workload_id": submission.workload_id,
        "phase": submission.phase.value,
        "reason": submission.reason,
        "exit_code": submission.exit_code,
        "gpus": float(submission.gpus),
        "running_seconds": submission.running_seconds,
        "preemptions": submission.preemptions,
        "resumes": submission.resumes,
        "params_digest": submission.digest,
        **times,
    }


def objective_view(objective: ObjectiveValue) -> JsonObject:
    """Return what a trial reached."""
    return {
        "best": objective.best,
        "last": objective.last,
        "reports": objective.reports,
        "updated_at": time_text(objective.updated_at),
    }


def point_view(report: Report) -> JsonObject:
    """Return one report as a point of a curve."""
    return {"at": time_text(report.at), "step": report.step, "values": dict(report.values)}


def decision_view(event: Event) -> JsonObject:
    """Return what early stopping decided once, with the value and what it was held against."""
    told = dict(part.partition("=")[::2] for part in event.detail.split())
    return {
        "at": time_text(event.at),
        "outcome": str(event.outcome),
        "rule": told.get("rule"),
        "rung": _number(told.get("rung")),
        "value": _number(told.get("value")),
        "threshold": _number(told.get("threshold")),
        "reached": _number(told.get("reached")),
    }


def _number(text: str | None) -> float | int | None:
    if text is None:
        return None
    return int(text) if text.isdecimal() else float(text)


def event_view(event: Event) -> JsonObject:
    """Return one entry of the record of acts."""
    return {
        "number": event.number,
        "at": time_text(event.at),
        "kind": event.kind.value,
        "outcome": str(event.outcome),
        "trial": event.trial,
        "attempt": event.attempt,
        "workload_name": event.workload_name,
        "workload_id": event.workload_id,
        "detail": event.detail,
        "epoch": event.epoch,
    }


def result_row(view: TrialView, now: datetime) -> JsonObject:
    """Return one row of the results.

    Times are those of the newest attempt: `duration_seconds` is how long its training was at
    work; one that ended before anyone saw it at work counts from its creation.
    """
    trial, submission = view.trial, view.trial.submission
    started_at = submission.first_running_at or submission.created_at
    return {
        "trial": trial.number,
        "state": trial.state.value,
        "params": plain(trial.params),
        "objective": None if view.objective is None else view.objective.best,
        "attempts": submission.attempt,
        "reason": _reason(trial),
        "duration_seconds": _duration(submission, now),
        "started_at": time_text(started_at),
        "ended_at": time_text(trial.ended_at),
        "workload_name": submission.workload_name,
    }


def _totals_view(sweep: SweepRecord, totals: Totals) -> JsonObject:
    states: Mapping[str, int] = {state.value: totals.count(state) for state in _STORED_STATES}
    waiting = None if sweep.planned is None else max(sweep.planned - sum(states.values()), 0)
    return {
        "planned": sweep.planned,
        "waiting": waiting,
        "settled": totals.count(*(state for state in TrialState if state.is_terminal)),
        "states": states,
    }


def _daemon_view(tick: TickSummary, now: datetime) -> JsonObject:
    seen = tick.observed_at
    return {
        "ticked_at": time_text(tick.at),
        "observed_at": time_text(seen),
        "observation_age_seconds": None if seen is None else max((now - seen).total_seconds(), 0.0),
        "trouble": tick.trouble,
        "limits": {
            "active": tick.active_limit,
            "pending": tick.pending_limit,
            "gpus": tick.gpu_limit,
        },
    }


def _reason(trial: Trial) -> str:
    return trial.reason or trial.submission.reason


def _duration(submission: Submission, now: datetime) -> float | None:
    if submission.first_running_at is None:
        if submission.created_at is None or submission.ended_at is None:
            return None
        return max((submission.ended_at - submission.created_at).total_seconds(), 0.0)
    stretch = now - submission.running_since if submission.running_since else None
    present = max(stretch.total_seconds(), 0.0) if stretch is not None else 0.0
    return submission.running_seconds + present
