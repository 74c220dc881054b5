"""One sweep in a schema of its own on a PostgreSQL server, held by a lease."""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select, text
from sqlalchemy.engine import URL

from sweeper.clock import uptime, utc_now
from sweeper.domain.leasing import (
    MARGIN,
    RENEWAL,
    TERM,
    Lease,
    claimed,
    released,
    renewed,
    trusted_until,
)
from sweeper.errors import (
    MissingExtraError,
    StoreAwayError,
    StoreError,
    StoreLockedError,
    SweepTakenError,
)
from sweeper.ports import Now
from sweeper.store.fencing import change_lease, check_fence
from sweeper.store.holding import Holder
from sweeper.store.postgres_faults import translated
from sweeper.store.postgres_schema import prepare
from sweeper.store.sql import DatabaseStore
from sweeper.store.writing import Run

T = TypeVar("T")

_SESSION = {
    # A holder that is paused within a transaction must not keep the next one waiting for ever.
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "synchronous_commit": "on",
}
_CONNECTING = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "sweeper",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leasing:
    """How a lease is kept.

    It is renewed every `renewal` (None: by `renew` alone) for a `term`, and trusted until `margin`
    before its end. `uptime` gives seconds that only grow, also while the machine sleeps.
    """

    term: timedelta = TERM
    renewal: timedelta | None = RENEWAL
    margin: timedelta = MARGIN
    uptime: Callable[[], float] = uptime


LEASING = Leasing()


def schema_of(sweep: str) -> str:
    """Return the schema that the sweep of that name is kept in: legible, and no other's."""
    words = re.sub(r"[^a-z0-9]+", "_", sweep.lower()).strip("_")[:32]
    return f"sweeper_{words}_{hashlib.sha256(sweep.encode()).hexdigest()[:10]}"


class PostgresDatabase:
    """The schema of one sweep on the server at `url`, with one connection that writes.

    Every method blocks and must be called by one thread at a time. A connection that is lost is
    made anew at the next call. The lease is renewed in a thread with a connection of its own, so
    that neither a slow transaction nor a busy loop lets it end.
    """

    def __init__(
        self,
        url: URL,
        sweep: str,
        role: str,
        now: Now,
        *,
        leasing: Leasing = LEASING,
    ) -> None:
        self._schema = schema_of(sweep)
        self.place = f"{url.render_as_string(hide_password=True)} ({self._schema})"
        self._engine = _engine(url, self._schema)
        self._role = role
        self._now = now
        self._leasing = leasing
        self._term = leasing.term
        self._uptime = leasing.uptime
        self._instance = ""
        self._lease: Lease | None = None
        self._trusted_until = float("-inf")
        self._connection: Connection | None = None
        self._renewing = _Renewing(self.renew, leasing.renewal) if leasing.renewal else None

    def open(self) -> None:
        """Take the sweep, making its schema if need be, and bring the tables up to date.

        Raises:
            StoreLockedError: another process holds the lease; the message says which.
            StoreAwayError: the server cannot be reached.
            StoreError: it cannot be used; nothing is left open.
        """
        holder = str(Holder.this_process(self._role, self._now()))
        self._instance = secrets.token_hex(8)
        asked_at = self._uptime()

        def take(connection: Connection) -> Lease:
            prepare(connection, self._schema)
            lease = change_lease(
                connection,
                lambda kept: claimed(
                    kept, self._instance, holder, _server_time(connection), self._term
                ),
            )
            if lease is None:
                raise _held(self.place, connection)
            return lease

        try:
            self._lease = self._transact(take)
        except BaseException:
            self._disconnect()
            raise
        self._trusted_until = self._window(asked_at)
        if self._renewing is not None:
            self._renewing.start()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work`, which writes nothing, returns.

        Raises:
            StoreAwayError: the server cannot be reached for now.
            StoreError: the database failed, or is not open.
        """
        self._require_open()
        return self._transact(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, its writes durable; when it raises, there are none.

        Raises:
            SweepTakenError: another process took the lease.
            StoreAwayError: the server cannot be reached for now; if it went away while it wrote,
                what was written may be there nevertheless.
            StoreError: the database failed, or is not open.
        """
        held = self._require_open()

        def fenced(connection: Connection) -> T:
            check_fence(connection, held)
            return work(connection)

        return self._transact(fenced)

    def renew(self) -> None:
        """Begin a new term, on a connection of its own.

        Raises:
            SweepTakenError: another process took the lease.
            StoreAwayError: the server cannot be reached for now.
        """
        held = self._require_open()
        asked_at = self._uptime()

        def go_on(connection: Connection) -> Lease | None:
            return change_lease(
                connection,
                lambda kept: renewed(kept, held, _server_time(connection), self._term),
            )

        with translated(self.place), self._engine.begin() as connection:
            lease = go_on(connection)
        if lease is None:
            self._trusted_until = float("-inf")
            raise SweepTakenError(f"{self.place}: another daemon took this sweep over")
        self._trusted_until = max(self._trusted_until, self._window(asked_at))

    def check_owned(self) -> None:
        """Return only within the trust window of the newest renewal.

        Raises:
            StoreAwayError: it is over, or the store is not open.
        """
        if self._uptime() >= self._trusted_until:
            raise StoreAwayError(
                f"the lease of {self.place} was not renewed of late: another daemon may hold it"
            )

    def close(self) -> None:
        """Give the lease up; closing what is not open does nothing."""
        if self._renewing is not None:
            self._renewing.stop()
        lease, self._lease = self._lease, None
        self._trusted_until = float("-inf")
        self._disconnect()
        if lease is not None:
            # On a connection of its own: the one before may have been lost. If this one fails as
            # well, the term ends by itself.
            with suppress(StoreError), translated(self.place), self._engine.begin() as connection:
                _release(lease, connection)

    def _window(self, asked_at: float) -> float:
        return trusted_until(asked_at, self._leasing.term, self._leasing.margin)

    def _require_open(self) -> Lease:
        if self._lease is None:
            raise StoreError(f"the store {self.place} is not open")
        return self._lease

    def _transact(self, work: Callable[[Connection], T]) -> T:
        try:
            with translated(self.place):
                if self._connection is None:
                    self._connection = self._engine.connect()
                with self._connection.begin():
                    return work(self._connection)
        except StoreAwayError:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


class _Renewing:
    """The thread that renews a lease; it ends when the lease is lost, and by `stop`."""

    def __init__(self, renew: Callable[[], None], every: timedelta) -> None:
        self._renew = renew
        self._every = every.total_seconds()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._renew()
            except StoreAwayError:
                continue  # the window ends by itself; the next write says why
            except StoreError:
                return


def _engine(url: URL, schema: str) -> Engine:
    if find_spec("psycopg") is None:
        raise MissingExtraError("a store on PostgreSQL", "postgres")
    session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,  # values belong into no traceback
        connect_args=_CONNECTING | {"options": f"{session} -c search_path={schema}"},
    )


def _server_time(connection: Connection) -> datetime:
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found


def _held(place: str, connection: Connection) -> StoreLockedError:
    holder = connection.execute(text("SELECT holder FROM lease")).scalar_one()
    return StoreLockedError(f"the store {place} is held by another process: {holder}")


def _release(held: Lease, connection: Connection) -> None:
    change_lease(connection, lambda kept: released(kept, held, _server_time(connection)))


class PostgresStore(DatabaseStore):
    """Keeps the sweep of that name in a schema of its own on the PostgreSQL server at `url`.

    `role` is what its lease says this process holds it for.
    """

    def __init__(
        self,
        url: URL,
        sweep: str,
        *,
        run: Run | None = None,
        wait_seconds: float = 0.0,
        role: str = "daemon",
        now: Now = utc_now,
    ) -> None:
        super().__init__(
            PostgresDatabase(url, sweep, role, now), run=run, wait_seconds=wait_seconds
        )
