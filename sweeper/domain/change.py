"""A changed trial together with what is to be recorded of the change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sweeper.domain.record import Event, EventKind
from sweeper.domain.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A trial as it should be written, and the events that go into the same transaction."""

    trial: Trial
    events: tuple[Event, ...] = ()


def note(trial: Trial, now: datetime, kind: EventKind, outcome: str, detail: str = "") -> Event:
    """Return an event about the newest attempt of `trial`."""
    return Event(
        at=now,
        kind=kind,
        outcome=outcome,
        trial=trial.number,
        attempt=trial.submission.attempt,
        workload_name=trial.submission.workload_name,
        workload_id=trial.submission.workload_id,
        detail=detail,
    )


def changed(before: Trial | None, after: Trial, now: datetime, *events: Event) -> Change:
    """Return the change from `before` to `after`, with a transition event if the state differs.

    `before` is None for a trial that had no row.
    """
    if before is not None and before.state is after.state:
        return Change(trial=after, events=events)
    origin = before.state if before is not None else "waiting"
    reason = f": {after.reason}" if after.reason else ""
    transition = note(
        after,
        now,
        EventKind.TRANSITION,
        after.state,
        f"{origin} -> {after.state}{reason}",
    )
    return Change(trial=after, events=(*events, transition))


def merged(changes: Iterable[Change]) -> tuple[list[Trial], list[Event]]:
    """Return the trials and the events of several changes, in order, for one transaction."""
    trials: list[Trial] = []
    events: list[Event] = []
    for change in changes:
        trials.append(change.trial)
        events.extend(change.events)
    return trials, events
