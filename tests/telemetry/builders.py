"""Ticks and events for tests of telemetry, on top of the domain's builders."""

from datetime import timedelta
from typing import Any

from sweeper.domain.record import Event, EventKind, ObjectiveValue, Report, Totals, TrialView
from sweeper.domain.trial import Trial, TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.gauges import Seen
from sweeper.telemetry.pace import Pace
from tests.support.builders import NOW, a_sweep, a_trial, workload_id, workload_name


def a_tick(*live: Trial, **fields: Any) -> TickSummary:
    """Return a tick of a sweep of ten trials, a second after the one observation of it."""
    given: dict[str, Any] = {
        "sweep": a_sweep(),
        "at": NOW,
        "seconds": 0.25,
        "totals": Totals(states={TrialState.ACTIVE: len(live)}, next_number=len(live)),
        "live": live,
        "observed_at": NOW - timedelta(seconds=1),
        "active_limit": 4,
        "pending_limit": None,
        "gpu_limit": None,
        "best": None,
    }
    return TickSummary(**given | fields)


def a_seen(tick: TickSummary, **fields: Any) -> Seen:
    """Return what is known after one tick, the first of its process."""
    given: dict[str, Any] = {"pace": Pace.begin(tick)}
    return Seen(summary=tick, **given | fields)


def a_best(value: float = 0.125, number: int = 3, **fields: Any) -> TrialView:
    """Return a completed trial that reached `value`."""
    trial = a_trial(number, state=TrialState.COMPLETED, **fields)
    reached = ObjectiveValue(best=value, last=value, reports=1, updated_at=NOW)
    return TrialView(trial=trial, objective=reached)


def a_report(trial: int = 3, **fields: Any) -> Report:
    """Return a report of one loss."""
    given: dict[str, Any] = {"key": "k", "at": NOW, "values": {"loss": 0.5}}
    return Report(trial=trial, **given | fields)


def an_act(kind: EventKind, outcome: str, **fields: Any) -> Event:
    """Return an act about the first attempt of trial 3."""
    given: dict[str, Any] = {
        "at": NOW,
        "trial": 3,
        "attempt": 1,
        "workload_name": workload_name(3),
        "workload_id": workload_id(3),
    }
    return Event(kind=kind, outcome=outcome, **given | fields)


def a_move(origin: str, target: str, reason: str = "", **fields: Any) -> Event:
    """Return the transition of trial 3 between two states, as the domain words it."""
    detail = f"{origin} -> {target}: {reason}" if reason else f"{origin} -> {target}"
    return an_act(EventKind.TRANSITION, target, detail=detail, **fields)
