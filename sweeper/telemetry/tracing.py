"""A span for each trial and one for its sweep, made from the record of acts and from ticks."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TypeAlias

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, SweepRecord, SweepState
from sweeper.domain.trial import TERMINAL_STATES, Submission, Trial, TrialState
from sweeper.ports import TickSummary
from sweeper.telemetry.transitions import transition_lines

MOST_MARKS = 200
"""So many marks of a span are kept; of more, the newest."""

Fields: TypeAlias = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened while a span lasted; OpenTelemetry calls it an event."""

    at: datetime
    name: str
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a trial, or a sweep (`parent_id` None), was from its begin to its end.

    `error` says what went wrong, "" if nothing did. The same trial has the same ids always, in
    every process.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    began_at: datetime
    ended_at: datetime
    fields: Fields
    marks: Sequence[Mark]
    error: str


@dataclass(slots=True)
class _Story:
    """What is known of a trial, or a sweep, that has not ended."""

    began_at: datetime
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=MOST_MARKS))
    phase: tuple[int, Phase] | None = None


class Traces:
    """Tells the story of each trial once it is settled, and the sweep's when it ends; a Telemetry.

    `send` takes a finished span and never waits. Costs O(live), in time and in memory.
    """

    def __init__(self, send: Callable[[Span], object]) -> None:
        self._send = send
        self._trials: dict[int, _Story] = {}
        self._sweep: _Story | None = None

    def begin(self, sweep: SweepRecord, live: Iterable[Trial], events: Iterable[Event]) -> None:
        """Take over what earlier processes wrote of the sweep's live trials, as they stand."""
        if sweep.ended_at is None:
            self._sweep = _Story(sweep.created_at)
        for event in events:
            if event.trial is not None:
                self._story(event.trial, event.at).marks.append(_mark(sweep, event))
        for trial in live:
            self._look_at(trial)

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Take events just written; a trial that they settle is sent."""
        for event in events:
            if event.trial is None:
                self._sweep = self._sweep or _Story(event.at)
                self._sweep.marks.append(_mark(sweep, event))
                continue
            story = self._story(event.trial, event.at)
            story.marks.append(_mark(sweep, event))
            if event.kind is EventKind.TRANSITION and event.outcome in TERMINAL_STATES:
                self._trials.pop(event.trial)
                self._send(_trial_span(sweep, event, event.trial, story))

    def ticked(self, summary: TickSummary) -> None:
        """Mark new phases; send the sweep once it has ended."""
        # What came of a trial after its end, such as that its training was deleted, is no story.
        live = {trial.number for trial in summary.live}
        self._trials = {number: one for number, one in self._trials.items() if number in live}
        for trial in summary.live:
            self._look_at(trial)
        sweep = summary.sweep
        if sweep.ended_at is not None and self._sweep is not None:
            self._send(_sweep_span(sweep, sweep.ended_at, self._sweep))
            self._sweep = None

    def _look_at(self, trial: Trial) -> None:
        submission = trial.submission
        since, seen = submission.phase_since, (submission.attempt, submission.phase)
        if submission.workload_id is None or since is None:
            return
        story = self._story(trial.number, trial.created_at)
        if story.phase != seen:
            story.phase = seen
            story.marks.append(_phase_mark(trial, submission, since))

    def _story(self, trial: int, began_at: datetime) -> _Story:
        return self._trials.setdefault(trial, _Story(began_at))


def trace_id(sweep_id: str) -> int:
    """Return the id of a sweep's trace, 16 bytes."""
    return _digest(sweep_id, 16)


def span_id(sweep_id: str, trial: int | None) -> int:
    """Return the id of a trial's span, or of the sweep's own, 8 bytes."""
    return _digest(f"{sweep_id}/{'' if trial is None else trial}", 8)


def _digest(text: str, size: int) -> int:
    # Zero is no id to OpenTelemetry.
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest()) or 1


def _trial_span(sweep: SweepRecord, end: Event, trial: int, story: _Story) -> Span:
    (line,) = transition_lines(sweep, [end])
    reason = str(line.fields.get("reason", ""))
    told = {name: value for name, value in line.fields.items() if name not in {"from", "to"}}
    return Span(
        trace_id=trace_id(sweep.id),
        span_id=span_id(sweep.id, trial),
        parent_id=span_id(sweep.id, None),
        name=f"trial {trial}",
        began_at=min(story.began_at, end.at),
        ended_at=end.at,
        fields=_named({**told, "state": end.outcome}),
        marks=_in_order(story),
        error=(reason or end.outcome) if end.outcome == TrialState.FAILED else "",
    )


def _sweep_span(sweep: SweepRecord, ended_at: datetime, story: _Story) -> Span:
    told = {"sweep": sweep.name, "method": sweep.method, "state": sweep.state}
    places = {"project_id": sweep.project_id, "cluster_id": sweep.cluster_id}
    given = {name: value for name, value in places.items() if value is not None}
    is_stopped = sweep.state is SweepState.STOPPED
    return Span(
        trace_id=trace_id(sweep.id),
        span_id=span_id(sweep.id, None),
        parent_id=None,
        name=f"sweep {sweep.name}",
        began_at=min(sweep.created_at, ended_at),
        ended_at=ended_at,
        fields=_named({**told, **given}),
        marks=_in_order(story),
        error=(sweep.stop_reason or sweep.state) if is_stopped else "",
    )


def _mark(sweep: SweepRecord, event: Event) -> Mark:
    told: dict[str, str | int] = {}
    if event.attempt is not None:
        told["attempt"] = event.attempt
    if event.workload_id is not None:
        told["workload_id"] = event.workload_id
    for line in transition_lines(sweep, [event]):
        told |= {
            name: line.fields[name] for name in ("from", "to", "reason") if name in line.fields
        }
    if event.detail and event.kind is not EventKind.TRANSITION:
        told["detail"] = event.detail
    return Mark(at=event.at, name=f"{event.kind} {event.outcome}", fields=_named(told))


def _phase_mark(trial: Trial, submission: Submission, since: datetime) -> Mark:
    told = {name: value for name, value in trial.identity.items() if name != "trial"}
    phase = submission.phase
    return Mark(at=since, name=f"phase {phase}", fields=_named({**told, "phase": phase}))


def _named(fields: Fields) -> Fields:
    return {f"sweeper.{name}": value for name, value in fields.items()}


def _in_order(story: _Story) -> Sequence[Mark]:
    return sorted(story.marks, key=lambda mark: mark.at)
