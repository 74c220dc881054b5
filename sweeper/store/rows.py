"""Rows of the tables to values of the domain, and back.

A column is called like the field that it keeps, so a field added to the domain shows up here as
a missing column at once.
"""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import Row, Table

from sweeper.domain.enqueuing import EnqueuedPoint
from sweeper.domain.leasing import Lease
from sweeper.domain.outbox import Notice
from sweeper.domain.record import (
    Event,
    ObjectiveValue,
    Report,
    SweepRecord,
    TrialView,
    Wish,
)
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, Submission, Trial
from sweeper.store.judging import rank
from sweeper.store.tables import (
    events,
    lease,
    notices,
    objectives,
    reports,
    submissions,
    sweeps,
    trials,
    wishes,
)

Values: TypeAlias = dict[str, Any]
"""What goes into one row, by column."""


def _names(kind: type, *others: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in others)


_SWEEP = _names(SweepRecord)
_POINT = _names(EnqueuedPoint)
_TRIAL = _names(Trial, "submission")
_SUBMISSION = _names(Submission)
_EVENT = _names(Event)
_EVENT_GIVEN = _names(Event, "number", "epoch")
_REPORT = _names(Report)
_OBJECTIVE = _names(ObjectiveValue)
_WISH = _names(Wish)
_NOTICE = _names(Notice)
_LEASE = _names(Lease)


def _columns(table: Table, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(table.c[name] for name in names)


SWEEP_COLUMNS = _columns(sweeps, _SWEEP)
TRIAL_COLUMNS = _columns(trials, _TRIAL) + _columns(submissions, _SUBMISSION)
OBJECTIVE_COLUMNS = _columns(objectives, _OBJECTIVE)
VIEW_COLUMNS = TRIAL_COLUMNS + OBJECTIVE_COLUMNS
SUBMISSION_COLUMNS = _columns(submissions, _SUBMISSION)
EVENT_COLUMNS = _columns(events, _EVENT)
REPORT_COLUMNS = _columns(reports, _REPORT)
WISH_COLUMNS = _columns(wishes, _WISH)
NOTICE_COLUMNS = _columns(notices, _NOTICE)
LEASE_COLUMNS = _columns(lease, _LEASE)

_NO_RETRIES: Mapping[FailureClass, int] = MappingProxyType({})


def sweep_values(sweep: SweepRecord) -> Values:
    """Return the row of a sweep, apart from what the store counts by itself."""
    values = {name: getattr(sweep, name) for name in _SWEEP}
    return values | {"enqueued": [_point_values(point) for point in sweep.enqueued]}


def _point_values(point: EnqueuedPoint) -> Values:
    return {name: getattr(point, name) for name in _POINT}


def sweep_of(row: Row[Any]) -> SweepRecord:
    """Return the sweep of a row of `SWEEP_COLUMNS`."""
    values: Values = dict(zip(_SWEEP, row, strict=True))
    values["enqueued"] = tuple(EnqueuedPoint(**point) for point in values["enqueued"])
    return SweepRecord(**values)


def trial_values(sweep_id: str, trial: Trial) -> Values:
    """Return the row of a trial; its submission has a row of its own."""
    values: Values = {name: getattr(trial, name) for name in _TRIAL}
    return values | {
        "sweep_id": sweep_id,
        "attempt": trial.submission.attempt,
        "is_live": not trial.state.is_terminal,
    }


def submission_values(sweep_id: str, trial: Trial) -> Values:
    """Return the row of the newest submission of a trial."""
    submission = trial.submission
    values: Values = {name: getattr(submission, name) for name in _SUBMISSION}
    return values | {"sweep_id": sweep_id, "trial": trial.number}


def trial_of(row: Row[Any]) -> Trial:
    """Return the trial of a row that begins with `TRIAL_COLUMNS`."""
    values: Values = dict(zip(_TRIAL, row, strict=False))
    values["retries"] = _retries(values["retries"])
    end = len(_TRIAL)
    newest = dict(zip(_SUBMISSION, row[end : end + len(_SUBMISSION)], strict=True))
    return Trial(submission=Submission(**newest), **values)


def view_of(row: Row[Any]) -> TrialView:
    """Return the trial of a row of `VIEW_COLUMNS`, and its objective if the join found one."""
    best, *others = row[len(TRIAL_COLUMNS) :]
    objective = None if best is None else objective_of((best, *others))
    return TrialView(trial=trial_of(row), objective=objective)


def submission_of(row: Row[Any]) -> Submission:
    """Return the submission of a row of `SUBMISSION_COLUMNS`."""
    return Submission(**dict(zip(_SUBMISSION, row, strict=True)))


def event_values(sweep_id: str, event: Event) -> Values:
    """Return the row of an event that is not stored yet, apart from number and epoch."""
    values: Values = {name: getattr(event, name) for name in _EVENT_GIVEN}
    return values | {"sweep_id": sweep_id}


def event_of(row: Row[Any]) -> Event:
    """Return the event of a row of `EVENT_COLUMNS`."""
    return Event(**dict(zip(_EVENT, row, strict=True)))


def report_values(sweep_id: str, report: Report) -> Values:
    """Return the row of a report."""
    return {name: getattr(report, name) for name in _REPORT} | {"sweep_id": sweep_id}


def report_of(row: Row[Any]) -> Report:
    """Return the report of a row of `REPORT_COLUMNS`."""
    return Report(**dict(zip(_REPORT, row, strict=True)))


def objective_values(
    sweep_id: str, number: int, objective: ObjectiveValue, goal: Goal | None
) -> Values:
    """Return the row of what a trial reached."""
    values: Values = {name: getattr(objective, name) for name in _OBJECTIVE}
    return values | {"sweep_id": sweep_id, "trial": number, "rank": rank(objective.best, goal)}


def objective_of(row: tuple[Any, ...]) -> ObjectiveValue:
    """Return the objective of a row of `OBJECTIVE_COLUMNS`."""
    return ObjectiveValue(**dict(zip(_OBJECTIVE, row, strict=True)))


def rung_values(sweep_id: str, number: int, rung: int, value: float, goal: Goal | None) -> Values:
    """Return the row of what a trial reported at a rung."""
    place = {"sweep_id": sweep_id, "trial": number, "rung": rung}
    return place | {"value": value, "rank": rank(value, goal)}


def wish_values(sweep_id: str, wish: Wish) -> Values:
    """Return the row of a wish that has no number yet."""
    values: Values = {name: getattr(wish, name) for name in _WISH if name != "number"}
    return values | {"sweep_id": sweep_id, "is_settled": False}


def wish_of(row: Row[Any]) -> Wish:
    """Return the wish of a row of `WISH_COLUMNS`."""
    return Wish(**dict(zip(_WISH, row, strict=True)))


def notice_values(sweep_id: str, notice: Notice) -> Values:
    """Return the row of a notice, but for its number."""
    values: Values = {name: getattr(notice, name) for name in _NOTICE if name != "number"}
    return values | {"sweep_id": sweep_id}


def notice_of(row: Row[Any]) -> Notice:
    """Return the notice of a row of `NOTICE_COLUMNS`."""
    return Notice(**dict(zip(_NOTICE, row, strict=True)))


def lease_values(held: Lease) -> Values:
    """Return the row of the lease."""
    return {name: getattr(held, name) for name in _LEASE}


def lease_of(row: Row[Any]) -> Lease:
    """Return the lease of a row of `LEASE_COLUMNS`."""
    return Lease(**dict(zip(_LEASE, row, strict=True)))


def _retries(kept: Mapping[str, int]) -> Mapping[FailureClass, int]:
    if not kept:
        return _NO_RETRIES
    return MappingProxyType({FailureClass(name): count for name, count in kept.items()})
