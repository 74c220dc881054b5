"""One SQLite file, held by one process: opening, the lock, checking, transactions, closing."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from sweeper.domain.leasing import Lease, claimed
from sweeper.errors import StoreError, StoreLockedError
from sweeper.ports import Now
from sweeper.store.faults import damaged, translated
from sweeper.store.fencing import change_lease, check_fence, taken_over
from sweeper.store.holding import Holder, holder_of, remove_note, write_note
from sweeper.store.schema import prepare

T = TypeVar("T")


class SqliteDatabase:
    """The file at `path`, with one connection that no other process can share.

    Every method blocks and must be called by one thread at a time. `role` is what this process
    holds the file for. The lock of the file keeps others out; the epoch of the lease rises with
    the first write after each opening, so that it tells later writers from earlier ones, and
    a process that only reads leaves the file as it is.
    """

    def __init__(self, path: Path, role: str, now: Now) -> None:
        self.path = path
        self.place = str(path)
        self._role = role
        self._now = now
        self._connection: Connection | None = None
        self._holder = Holder.this_process(role, now())
        self._lease: Lease | None = None

    def open(self) -> None:
        """Take the file, making it if need be, and bring its tables up to date.

        Raises:
            StoreLockedError: another process holds it; the message says which.
            StoreError: it cannot be used; nothing is left open.
        """
        with translated(self.path):
            _make_private(self.path)
            raw = sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            with translated(self.path):
                self._take(raw)
        except StoreLockedError as error:
            raw.close()
            holder = holder_of(self.path)
            raise StoreLockedError(f"{error}: {holder}" if holder else str(error)) from error
        except BaseException:
            raw.close()
            raise
        self._holder, self._lease = Holder.this_process(self._role, self._now()), None
        write_note(self.path, self._holder)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work`, which writes nothing, returns.

        Raises:
            StoreError: the database failed, or is not open.
        """
        return self._transact(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, its writes durable; when it raises, there are none.

        Raises:
            SweepTakenError: the lease is another's.
            StoreError: the database failed, or is not open.
        """

        def fenced(connection: Connection) -> tuple[Lease, T]:
            return self._fence(connection), work(connection)

        self._lease, answer = self._transact(fenced)
        return answer

    def check_owned(self) -> None:
        """Do nothing: the lock of the file holds for as long as this process lives."""

    def close(self) -> None:
        """Give the file up; closing what is not open does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            remove_note(self.path)
            with translated(self.path):
                connection.close()
                connection.engine.dispose()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            raise StoreError(f"the store {self.path} is not open")
        with translated(self.path), self._connection.begin():
            return work(self._connection)

    def _fence(self, connection: Connection) -> Lease:
        """Return the lease that is held; take it, if this is the first write."""
        if self._lease is not None:
            check_fence(connection, self._lease)
            return self._lease
        instance, holder, now = secrets.token_hex(8), str(self._holder), self._now()
        lease = change_lease(connection, lambda kept: claimed(kept, instance, holder, now, None))
        if lease is None:
            raise taken_over(None)
        return lease

    def _take(self, raw: sqlite3.Connection) -> None:
        # The order counts: WAL entered under an exclusive lock needs no shared memory, and one
        # that is entered before would leave the file open to others.
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("COMMIT")
        (verdict,) = raw.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(self.path, verdict)
        connection = _engine(raw).connect()
        prepare(connection, raw, self.path)
        self._connection = connection


def _engine(raw: sqlite3.Connection) -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: raw,
        poolclass=StaticPool,
        hide_parameters=True,  # values belong into no traceback
    )

    # Left to itself, Python's module begins a transaction only at the first write.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _make_private(path: Path) -> None:
    """Make the file, and the folders above it, readable by this user only; leave old ones alone."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if path.exists():
        # Opening and closing it here would give up the locks of this process on it.
        return
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
