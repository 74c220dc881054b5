"""The state file of a local control plane: every training and what happened to it."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    StaticPool,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.errors import StoreError, StoreLockedError
from sweeper.local.filters import Constants, Query, conditions, ordering
from sweeper.local.history import PhaseUpdate
from sweeper.local.listed import add_functions
from sweeper.local.running import Run
from sweeper.local.tables import (
    CHANGING,
    VERSION,
    all_values,
    changing_values,
    event_of,
    event_values,
    events,
    metadata,
    training_of,
    trainings,
)
from sweeper.local.trainings import FINISHED, LocalTraining, PlaneEvent
from sweeper.local.upgrading import UPGRADES, upgrade

T = TypeVar("T")

KEPT_AFTER_DELETION = timedelta(days=14)
"""How long a deleted training is still listed among the deleted ones."""

_LIVE_PHASES = tuple(phase.value for phase in Phase if phase not in FINISHED)


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is written in one transaction: each training as it is now, and what happened in order.

    `new` are the ids of trainings that have no row yet.
    """

    trainings: dict[str, LocalTraining] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    events: list[PlaneEvent | PhaseUpdate] = field(default_factory=list)


class Keeper:
    """Reads and writes the state file; every call is one transaction, durable when it returns.

    All methods raise `StoreError` when the file cannot be read or written.
    """

    def __init__(self, path: Path, connection: Connection, run: Run, constants: Constants) -> None:
        self._path = path
        self._connection = connection
        self._run = run
        self._constants = constants

    async def write(self, batch: Batch) -> None:
        """Write a batch."""
        await self._transact(lambda connection: _write(connection, batch))

    async def live(self) -> Sequence[LocalTraining]:
        """Return all trainings that are neither finished nor deleted, oldest first."""
        wanted = (
            select(trainings)
            .where(trainings.c.deleted_at.is_(None), trainings.c.phase.in_(_LIVE_PHASES))
            .order_by(trainings.c.number)
        )
        return await self._trainings(wanted)

    async def find(self, workload_id: str) -> LocalTraining | None:
        """Return one training, deleted or not."""
        wanted = select(trainings).where(trainings.c.workload_id == workload_id)
        found = await self._trainings(wanted)
        return found[0] if found else None

    async def is_taken(self, project_id: str, name: str) -> bool:
        """Return whether a training of this name exists that is not deleted."""
        wanted = select(trainings.c.number).where(
            trainings.c.name == name,
            trainings.c.project_id == project_id,
            trainings.c.deleted_at.is_(None),
        )
        return await self._transact(lambda connection: connection.scalar(wanted)) is not None

    async def last_number(self) -> int:
        """Return the highest number of any training, 0 where there is none."""
        wanted = select(func.max(trainings.c.number))
        return await self._transact(lambda connection: connection.scalar(wanted)) or 0

    async def page(self, query: Query) -> Sequence[LocalTraining]:
        """Return one page of a listing, and one training more when there is a next page.

        Raises:
            QueryError: the query does not make sense.
        """
        wanted = (
            select(trainings)
            .where(*conditions(query, self._constants))
            .order_by(*ordering(query, self._constants))
            .offset(query.offset)
            .limit(query.limit + 1)
        )
        return await self._trainings(wanted)

    async def count(self, query: Query) -> int:
        """Return how many trainings a listing has on all its pages.

        Raises:
            QueryError: the query does not make sense.
        """
        tests = conditions(query, self._constants)
        wanted = select(func.count()).select_from(trainings).where(*tests)
        return await self._transact(lambda connection: connection.scalar(wanted)) or 0

    async def events(self, workload_id: str, query: Query) -> Sequence[tuple[int, PlaneEvent]]:
        """Return events with their numbers, and one more when there is a next page."""
        found = await self._happened(workload_id, query, events.c.phase.is_(None))
        return [(number, one) for number, one in found if isinstance(one, PlaneEvent)]

    async def history(
        self, workload_id: str, query: Query
    ) -> Sequence[tuple[int, PlaneEvent | PhaseUpdate]]:
        """Return events and phases with their numbers, and one more when there is a next page."""
        return await self._happened(workload_id, query)

    async def _happened(
        self, workload_id: str, query: Query, *tests: ColumnElement[bool]
    ) -> Sequence[tuple[int, PlaneEvent | PhaseUpdate]]:
        number = events.c.number
        wanted = (
            select(events)
            .where(events.c.workload_id == workload_id, *tests)
            .order_by(number.desc() if query.descending else number.asc())
            .offset(query.offset)
            .limit(query.limit + 1)
        )
        rows = await self._transact(lambda connection: connection.execute(wanted).mappings().all())
        return [(row["number"], event_of(row)) for row in rows]

    async def expire(self, now: datetime) -> int:
        """Delete finished trainings whose time has come, drop old deleted ones; count the first."""
        return await self._transact(lambda connection: _expire(connection, now))

    async def next_expiry(self) -> datetime | None:
        """Return when `expire` will have something to do."""
        return await self._transact(_next_expiry)

    async def _trainings(self, wanted: Select[*tuple[object, ...]]) -> Sequence[LocalTraining]:
        def read(connection: Connection) -> Sequence[LocalTraining]:
            return [training_of(row) for row in connection.execute(wanted).mappings()]

        return await self._transact(read)

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        def call() -> T:
            with _translated(self._path), self._connection.begin():
                return work(self._connection)

        return await self._run(call)


@asynccontextmanager
async def open_keeper(path: Path, run: Run, constants: Constants) -> AsyncIterator[Keeper]:
    """Open the state file, making it (readable by its owner only) where there is none.

    `constants` are fields that a listing can be filtered by, though they stand in no column.

    Raises:
        StoreLockedError: another process has it open.
        StoreError: it cannot be used.
    """
    connection = await run(lambda: _open(path))
    try:
        yield Keeper(path, connection, run, constants)
    finally:
        await run(lambda: _close(connection))


def _open(path: Path) -> Connection:
    with _translated(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        raw = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        with _translated(path):
            return _prepare(path, raw)
    except BaseException:
        raw.close()
        raise


def _prepare(path: Path, raw: sqlite3.Connection) -> Connection:
    # WAL entered under an exclusive lock needs no shared memory, and no other process gets in.
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("COMMIT")
    (version,) = raw.execute("PRAGMA user_version").fetchone()
    if version not in {0, *UPGRADES, VERSION}:
        raise StoreError(
            f"{path} was made by another version of sweeper (its tables are {version}, this one "
            f"knows {VERSION}): use that version, or move the file away"
        )
    add_functions(raw)
    connection = _engine(raw).connect()
    if version != VERSION:
        with connection.begin():
            upgrade(connection, version)
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")
    return connection


def _engine(raw: sqlite3.Connection) -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: raw,
        poolclass=StaticPool,
        hide_parameters=True,  # specs hold values of environment variables
    )

    # Left to itself, Python's module begins a transaction only at the first write.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _close(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = error.__cause__ or error
        # An error of SQLAlchemy's own text quotes the statement, and its values when told to.
        words = str(cause) if isinstance(cause, sqlite3.Error) else type(error).__name__
        if isinstance(cause, sqlite3.OperationalError) and "locked" in words:
            raise StoreLockedError(
                f"another process has the local control plane open: {path}"
            ) from error
        raise StoreError(f"the local control plane's state cannot be used: {path}: {words}") from (
            error
        )
    except OSError as error:
        raise StoreError(
            f"the local control plane's state cannot be used: {path}: {error.strerror}"
        ) from error


def _write(connection: Connection, batch: Batch) -> None:
    inserts = [all_values(one) for key, one in batch.trainings.items() if key in batch.new]
    updates = [
        {"kept_id": key, **changing_values(one)}
        for key, one in batch.trainings.items()
        if key not in batch.new
    ]
    if inserts:
        connection.execute(insert(trainings), inserts)
    if updates:
        connection.execute(_UPDATE, updates)
    if batch.events:
        connection.execute(insert(events), [event_values(one) for one in batch.events])


_UPDATE = (
    update(trainings)
    .where(trainings.c.workload_id == bindparam("kept_id"))
    .values({name: bindparam(name) for name in CHANGING})
)


def _expire(connection: Connection, now: datetime) -> int:
    old = select(trainings.c.workload_id).where(
        trainings.c.deleted_at.is_not(None), trainings.c.deleted_at <= now - KEPT_AFTER_DELETION
    )
    connection.execute(delete(events).where(events.c.workload_id.in_(old)))
    connection.execute(delete(trainings).where(trainings.c.workload_id.in_(old)))
    result = connection.execute(
        update(trainings)
        .where(
            trainings.c.deleted_at.is_(None),
            trainings.c.delete_at.is_not(None),
            trainings.c.delete_at <= now,
        )
        .values(deleted_at=now, desired_phase=DesiredPhase.DELETED.value)
    )
    return result.rowcount


def _next_expiry(connection: Connection) -> datetime | None:
    to_delete = connection.scalar(
        select(trainings.c.delete_at)
        .where(trainings.c.deleted_at.is_(None), trainings.c.delete_at.is_not(None))
        .order_by(trainings.c.delete_at)
        .limit(1)
    )
    to_drop = connection.scalar(
        select(trainings.c.deleted_at)
        .where(trainings.c.deleted_at.is_not(None))
        .order_by(trainings.c.deleted_at)
        .limit(1)
    )
    dues = [to_delete, to_drop + KEPT_AFTER_DELETION if to_drop else None]
    return min((due for due in dues if due is not None), default=None)
