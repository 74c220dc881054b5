"""Write and read what trainings report, and keep each trial's objective up to date with it."""

from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

from sqlalchemy import Connection, insert, select

from sweeper.domain.record import ObjectiveValue, Report
from sweeper.store.chunking import chunks
from sweeper.store.judging import folded, storable
from sweeper.store.reading import MOST, bounded
from sweeper.store.rows import (
    OBJECTIVE_COLUMNS,
    REPORT_COLUMNS,
    Values,
    objective_of,
    objective_values,
    report_of,
    report_values,
    rung_values,
)
from sweeper.store.tables import objectives, reports, rungs, sweeps, trials
from sweeper.store.upserting import Upsert

_Key: TypeAlias = tuple[int, str]

_UPSERT = Upsert(
    objectives,
    ["sweep_id", "trial"],
    replaced=[*(column.name for column in OBJECTIVE_COLUMNS), "rank"],
)


def add_reports(connection: Connection, sweep_id: str, given: Sequence[Report]) -> int:
    """Write the reports that are new and whose trial has a row; return how many those are."""
    rowed = _numbers_with_row(connection, sweep_id, {report.trial for report in given})
    acceptable = [storable(report) for report in given if report.trial in rowed]
    known = _known_keys(connection, sweep_id, [(each.trial, each.key) for each in acceptable])
    new: dict[_Key, Report] = {}
    for report in acceptable:
        key = (report.trial, report.key)
        if key not in known:
            new.setdefault(key, report)
    if new:
        values = [report_values(sweep_id, report) for report in new.values()]
        connection.execute(insert(reports), values)
        _judge(connection, sweep_id, list(new.values()))
    return len(new)


def curve(connection: Connection, sweep_id: str, number: int) -> Sequence[Report]:
    """Return all reports of a trial in the order of writing."""
    rows = connection.execute(
        select(*REPORT_COLUMNS)
        .where(reports.c.sweep_id == sweep_id, reports.c.trial == bounded(number))
        .order_by(reports.c.number)
    )
    return [report_of(row) for row in rows]


def _numbers_with_row(connection: Connection, sweep_id: str, numbers: Set[int]) -> Set[int]:
    possible = [number for number in numbers if 0 <= number <= MOST]
    return {
        number
        for chunk in chunks(possible)
        for number in connection.scalars(
            select(trials.c.number).where(trials.c.sweep_id == sweep_id, trials.c.number.in_(chunk))
        )
    }


def _known_keys(connection: Connection, sweep_id: str, keys: Sequence[_Key]) -> Set[_Key]:
    """Return those of `keys` that have a row, asking trial by trial as the index is ordered."""
    of_trial: dict[int, list[str]] = {}
    for number, key in keys:
        of_trial.setdefault(number, []).append(key)
    return {
        (number, key)
        for number, wanted in of_trial.items()
        for chunk in chunks(wanted)
        for key in connection.scalars(
            select(reports.c.key).where(
                reports.c.sweep_id == sweep_id,
                reports.c.trial == number,
                reports.c.key.in_(chunk),
            )
        )
    }


def _judge(connection: Connection, sweep_id: str, new: Sequence[Report]) -> None:
    """Fold new reports into the objectives of their trials, and what they got to at rungs."""
    name, goal, compared_at = connection.execute(
        select(sweeps.c.objective, sweeps.c.goal, sweeps.c.rungs).where(sweeps.c.id == sweep_id)
    ).one()
    before = _reached(connection, sweep_id, {report.trial for report in new})
    after: dict[int, ObjectiveValue] = {}
    arrivals: list[Values] = []
    for report in new:
        present = after.get(report.trial, before.get(report.trial))
        reached = folded(present, report, name, goal, frozenset(compared_at))
        if reached is None or reached is present:
            continue
        after[report.trial] = reached
        if reached.rung_value is not None and reached.rung != (present.rung if present else 0):
            arrivals.append(
                rung_values(sweep_id, report.trial, reached.rung, reached.rung_value, goal)
            )
    if after:
        values = [
            objective_values(sweep_id, number, objective, goal)
            for number, objective in after.items()
        ]
        _UPSERT.execute(connection, values)
    if arrivals:
        connection.execute(insert(rungs), arrivals)


def _reached(
    connection: Connection, sweep_id: str, numbers: Set[int]
) -> Mapping[int, ObjectiveValue]:
    return {
        number: objective_of(tuple(values))
        for chunk in chunks(list(numbers))
        for number, *values in connection.execute(
            select(objectives.c.trial, *OBJECTIVE_COLUMNS).where(
                objectives.c.sweep_id == sweep_id, objectives.c.trial.in_(chunk)
            )
        )
    }
