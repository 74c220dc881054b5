"""One log line for each transition of a trial, made from the record of acts."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.domain.record import ENQUEUED, Event, EventKind, SweepRecord, TrialView
from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.phrases import phrase_best, phrase_name

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is logged of one event: words for people, fields for machines."""

    message: str
    fields: Mapping[str, str | int]


def transition_lines(
    sweep: SweepRecord, events: Sequence[Event], best: TrialView | None = None
) -> Iterator[Line]:
    """Return a line for each trial or sweep among `events` that entered another state.

    `best` is the best trial known, told beside each trial that ended.
    """
    for event in events:
        if event.kind is EventKind.TRANSITION:
            yield _trial_line(sweep, event, best)
        elif event.kind is EventKind.SWEEP:
            yield _sweep_line(sweep, event)


class TransitionLog:
    """Logs every transition at INFO; a Telemetry.

    `states` restricts it to trials that enter one of these; the sweep's own changes are
    always told.
    """

    def __init__(self, states: Collection[TrialState] = tuple(TrialState)) -> None:
        self._states = frozenset(states)
        self._best: dict[str, TrialView] = {}

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Log the transitions among events just written."""
        told = [
            event
            for event in events
            if event.kind is not EventKind.TRANSITION or event.outcome in self._states
        ]
        for line in transition_lines(sweep, told, self._best.get(sweep.id)):
            _log.info("%s", line.message, extra=line.fields)

    def ticked(self, summary: TickSummary) -> None:
        """Remember the best trial, which the next lines tell."""
        if summary.best is not None:
            self._best[summary.sweep.id] = summary.best


def _trial_line(sweep: SweepRecord, event: Event, best: TrialView | None) -> Line:
    origin, target, reason = _moves(event)
    number = "?" if event.trial is None else event.trial
    message = f"{phrase_name(sweep.name)}: trial {number}: {origin} -> {target}"
    if event.attempt is not None and event.attempt > 1:
        message += f" (attempt {event.attempt})"
    if reason:
        message += f": {reason}"
    known = phrase_best(sweep, best) if target in TERMINAL_STATES else ""
    return Line(
        message=f"{message}; {known}" if known else message,
        fields=_fields(sweep, event) | {"from": origin, "to": target} | _reason(reason),
    )


def _sweep_line(sweep: SweepRecord, event: Event) -> Line:
    words = f"{phrase_name(sweep.name)}: sweep is {event.outcome}"
    if event.outcome == ENQUEUED:
        words = f"{phrase_name(sweep.name)}: {event.detail} is {event.outcome}"
    elif event.detail:
        words += f": {event.detail}"
    return Line(
        message=words,
        fields=_fields(sweep, event) | {"to": event.outcome} | _reason(event.detail),
    )


def _moves(event: Event) -> tuple[str, str, str]:
    """Return from, to and reason of a transition, whose detail is `from -> to: reason`."""
    moved, _, reason = event.detail.partition(": ")
    origin, _, _ = moved.partition(" -> ")
    return origin, event.outcome, reason


def _fields(sweep: SweepRecord, event: Event) -> dict[str, str | int]:
    given = {
        "sweep": sweep.name,
        "trial": event.trial,
        "attempt": event.attempt,
        "workload_name": event.workload_name,
        "workload_id": event.workload_id,
    }
    return {name: value for name, value in given.items() if value is not None}


def _reason(reason: str) -> dict[str, str | int]:
    return {"reason": reason} if reason else {}
