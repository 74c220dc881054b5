"""The tables of the state file, and rows from and to trainings."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    TypeDecorator,
    text,
)

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local.history import PhaseUpdate
from sweeper.local.pods import Pod, Process
from sweeper.local.spec_reading import read_lifecycle, read_need, read_spec
from sweeper.local.trainings import LocalTraining, PlaneEvent

VERSION = 2
"""Of these tables; kept in the file as SQLite's `user_version`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970 so that times compare as numbers."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect | None) -> int | None:
        """Return the number that is kept."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect | None) -> datetime | None:
        """Return the time that was kept."""
        del dialect
        return None if value is None else _EPOCH + value * _MICROSECOND


_MOMENT = Moment()

metadata = MetaData()

trainings = Table(
    "trainings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("workload_id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("requested_name", String, nullable=False),
    Column("project_id", String, nullable=False),
    Column("cluster_id", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("phase", String, nullable=False),
    Column("desired_phase", String, nullable=False),
    Column("phase_updated_at", Moment, nullable=False),
    Column("phase_message", String, nullable=False),
    Column("phase_reason", String, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("pods", String, nullable=False),
    Column("node_pool", String, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("is_failing", Integer, nullable=False),
    Column("not_before", Moment),
    Column("completed_at", Moment),
    Column("delete_at", Moment),
    Column("deleted_at", Moment),
    Column("spec_text", String),
)

_KEPT = text("deleted_at IS NULL")
_GONE = text("deleted_at IS NOT NULL")

# The name leads, so that no listing of a whole project is tempted to walk along this index.
Index("name_taken", trainings.c.name, trainings.c.project_id, unique=True, sqlite_where=_KEPT)
Index("by_age", trainings.c.created_at, trainings.c.number, sqlite_where=_KEPT)
Index("by_phase", trainings.c.phase, trainings.c.created_at, sqlite_where=_KEPT)
Index(
    "to_delete",
    trainings.c.delete_at,
    sqlite_where=text("deleted_at IS NULL AND delete_at IS NOT NULL"),
)
Index("gone_by_name", trainings.c.name, sqlite_where=_GONE)
Index("gone_by_age", trainings.c.deleted_at, sqlite_where=_GONE)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("workload_id", String, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", String, nullable=False),
    Column("is_warning", Integer, nullable=False),
    Column("phase", String),  # of an update of the phase; an event has none
)

FIXED = (
    "number",
    "workload_id",
    "name",
    "requested_name",
    "project_id",
    "cluster_id",
    "created_by",
    "created_at",
    "spec_text",
)
"""Columns that never change once they are written."""

CHANGING = tuple(column.name for column in trainings.columns if column.name not in FIXED)


def changing_values(training: LocalTraining) -> dict[str, object]:
    """Return what an update writes."""
    values: dict[str, object] = {name: getattr(training, name) for name in CHANGING}
    values["pods"] = _pods_text(training.pods)
    return values


def all_values(training: LocalTraining) -> dict[str, object]:
    """Return what an insert writes."""
    return {name: getattr(training, name) for name in FIXED} | changing_values(training)


def training_of(row: RowMapping) -> LocalTraining:
    """Return the training that a row holds."""
    values = {column.name: row[column.name] for column in trainings.columns}
    spec = read_spec(values["spec_text"])
    pods = _pods_of(values["pods"])
    need = read_need(spec, values["succeeded"])
    return LocalTraining(
        **values
        | {
            "phase": Phase(values["phase"]),
            "desired_phase": DesiredPhase(values["desired_phase"]),
            "pods": pods,
            "is_failing": bool(values["is_failing"]),
            "need": replace(need, pods=len(pods)) if pods else need,
            "lifecycle": read_lifecycle(spec),
        }
    )


def _pods_text(pods: Sequence[Pod]) -> str:
    if not pods:
        return "[]"
    rows = [
        [
            *(pod.index, pod.start, pod.process.value, pod.devices, pod.node, pod.is_ready),
            _MOMENT.process_bind_param(pod.not_before, None),
        ]
        for pod in pods
    ]
    return json.dumps(rows, separators=(",", ":"))


def _pods_of(text: str) -> tuple[Pod, ...]:
    return tuple(
        Pod(
            index=index,
            start=start,
            process=Process(process),
            devices=tuple(devices),
            node=node,
            is_ready=is_ready,
            not_before=_MOMENT.process_result_value(not_before, None),
        )
        for index, start, process, devices, node, is_ready, not_before in json.loads(text)
    )


def event_values(event: PlaneEvent | PhaseUpdate) -> dict[str, object]:
    """Return what an event, or an update of a phase, writes."""
    values = {"workload_id": event.workload_id, "at": event.at, "message": event.message}
    if isinstance(event, PhaseUpdate):
        return {**values, "reason": "", "is_warning": 0, "phase": event.phase.value}
    return {
        **values,
        "reason": event.reason,
        "is_warning": int(event.is_warning),
        "phase": None,
    }


def event_of(row: RowMapping) -> PlaneEvent | PhaseUpdate:
    """Return the event, or the update of a phase, that a row holds."""
    if row["phase"] is not None:
        return PhaseUpdate(
            workload_id=row["workload_id"],
            at=row["at"],
            phase=Phase(row["phase"]),
            message=row["message"],
        )
    return PlaneEvent(
        workload_id=row["workload_id"],
        at=row["at"],
        reason=row["reason"],
        message=row["message"],
        is_warning=bool(row["is_warning"]),
    )
