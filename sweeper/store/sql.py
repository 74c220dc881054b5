"""The store that keeps a sweep in an SQL database: an SQLite file, or a schema of PostgreSQL."""

# ruff: noqa: D102 - the docstrings of ports.Store are the contract of these methods

from asyncio import get_running_loop
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Protocol, Self, TypeVar

from sqlalchemy import Connection

from sweeper.clock import pause, utc_now
from sweeper.domain.outbox import Notice
from sweeper.domain.record import (
    Comparison,
    Event,
    Report,
    SlotGuard,
    Standing,
    SweepRecord,
    Totals,
    TrialView,
    Wish,
)
from sweeper.domain.trial import Submission, Trial, TrialState
from sweeper.errors import LimitExceededError, StoreError, StoreLockedError
from sweeper.ports import Now
from sweeper.store import committing, comparing, curves, reading, records
from sweeper.store.database import SqliteDatabase
from sweeper.store.notices import append_notices, open_notices, save_notice
from sweeper.store.standing import standing
from sweeper.store.writing import Run, WriterThread

P = ParamSpec("P")
T = TypeVar("T")

_RETRY_SECONDS = 0.1


def _uncounted(_seconds: float) -> None:
    """Hear nothing of a transaction that wrote."""


def _unmissed() -> None:
    """Hear nothing of a transaction that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Callbacks for metrics, called in the event loop; they must neither raise nor wait.

    `on_commit(seconds)` hears of each transaction that wrote, from asking for it until it was
    durable; `on_error()` of each that the database could not carry out.
    """

    on_commit: Callable[[float], None] = _uncounted
    on_error: Callable[[], None] = _unmissed


class Database(Protocol):
    """One database that holds one sweep; its methods block, and one thread at a time calls them."""

    @property
    def place(self) -> str:
        """Where it is, for people; without secrets."""
        ...

    def open(self) -> None:
        """Take the database, bring its tables up to date, and keep others out."""
        ...

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` reads in a transaction of its own."""
        ...

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, in a transaction that is fenced by the lease."""
        ...

    def check_owned(self) -> None:
        """Do as `ports.Store` says."""
        ...

    def close(self) -> None:
        """Give the database up; closing what is not open does nothing."""
        ...


class DatabaseStore:
    """Keeps one sweep in `database`.

    `run` makes the blocking calls, one at a time (None: a thread of its own). A store held by
    another process is tried again for `wait_seconds`. A store that was left may be entered again.
    `observer` may be exchanged at any time.
    """

    observer: Observer = Observer()

    def __init__(
        self, database: Database, *, run: Run | None = None, wait_seconds: float = 0.0
    ) -> None:
        self._database = database
        self._given_run = run
        self._wait_seconds = wait_seconds
        self._stack = AsyncExitStack()
        self._run: Run | None = None
        self._sweep_id = ""

    async def __aenter__(self) -> Self:
        """Take the store.

        Raises:
            StoreLockedError: another process holds it, still at the end of the wait.
            StoreError: it cannot be used; the message says why, and what to do.
        """
        if self._run is not None:
            raise StoreError(f"the store {self._database.place} is open already")
        async with AsyncExitStack() as stack:
            run = self._given_run
            if run is None:
                run = await stack.enter_async_context(WriterThread())
            # Asked for before opening: whoever is cancelled meanwhile leaves nothing locked.
            stack.push_async_callback(run, self._database.close)
            await self._open(run)
            self._sweep_id, self._run = "", run
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run = None
        await self._stack.aclose()

    async def load_sweep(self) -> SweepRecord | None:
        return await self._transact(records.load_sweep)

    async def save_sweep(
        self,
        sweep: SweepRecord,
        events: Sequence[Event] = (),
        *,
        notices: Sequence[Notice] = (),
    ) -> None:
        def work(connection: Connection) -> None:
            records.save_sweep(connection, sweep, events)
            append_notices(connection, sweep.id, notices)

        await self._transact(work, writes=True)

    async def live_trials(self) -> Sequence[Trial]:
        return await self._ask(reading.live_trials)

    async def totals(self) -> Totals:
        return await self._ask(reading.totals)

    async def standing(self, since: datetime) -> Standing | None:
        return await self._ask(standing, since)

    async def rebase_intents(self, now: datetime) -> None:
        await self._change(committing.rebase_intents, now)

    async def commit(
        self,
        trials: Sequence[Trial],
        events: Sequence[Event] = (),
        *,
        guard: SlotGuard | None = None,
        notices: Sequence[Notice] = (),
    ) -> Sequence[Trial]:
        def work(connection: Connection, sweep_id: str) -> Sequence[Trial]:
            append_notices(connection, sweep_id, notices)
            return committing.commit_trials(connection, sweep_id, trials, events, guard)

        return await self._tell(work)

    async def trial(self, number: int) -> TrialView | None:
        return await self._ask(reading.trial, number)

    async def trials(
        self, *, states: Sequence[TrialState] | None = None, after: int = -1, limit: int = 500
    ) -> Sequence[TrialView]:
        return await self._ask(reading.trials_after, states, after, limit)

    async def submissions(self, number: int) -> Sequence[Submission]:
        return await self._ask(reading.submissions_of, number)

    async def best_trials(self, count: int) -> Sequence[TrialView]:
        return await self._ask(reading.best_trials, count)

    async def comparison(
        self, place: Callable[[int], int | None], bracket: int | None = None
    ) -> Comparison:
        return await self._ask(comparing.comparison, place, bracket)

    async def add_reports(self, reports: Sequence[Report]) -> int:
        return await self._change(curves.add_reports, reports)

    async def curve(self, number: int) -> Sequence[Report]:
        return await self._ask(curves.curve, number)

    async def events(
        self, *, trial: int | None = None, after: int = 0, limit: int = 500
    ) -> Sequence[Event]:
        return await self._ask(records.events_after, trial, after, limit)

    async def add_wish(self, wish: Wish) -> Wish:
        return await self._tell(records.add_wish, wish)

    async def wishes(self) -> Sequence[Wish]:
        return await self._ask(records.open_wishes)

    async def settle_wish(self, number: int) -> None:
        await self._change(records.settle_wish, number)

    async def notices(self, limit: int = 100) -> Sequence[Notice]:
        return await self._ask(open_notices, limit)

    async def save_notice(self, notice: Notice, events: Sequence[Event] = ()) -> None:
        await self._tell(save_notice, notice, events)

    async def _open(self, run: Run) -> None:
        """Open the database, trying again while another process holds it and the wait lasts."""
        left = self._wait_seconds
        while True:
            try:
                return await run(self._database.open)
            except StoreLockedError:
                if left <= 0:
                    raise
            await pause(min(_RETRY_SECONDS, left))
            left -= _RETRY_SECONDS

    def check_owned(self) -> None:
        self._database.check_owned()

    async def rows(self) -> Mapping[str, int]:
        """Return how many rows are kept, by table. Costs O(trials)."""
        return await self._ask(reading.count_rows)

    async def _tell(
        self,
        statement: Callable[Concatenate[Connection, str, P], T],
        *values: P.args,
        **named: P.kwargs,
    ) -> T:
        """Do as `_change` does for what only makes sense where there is a sweep."""

        def checked(
            connection: Connection, sweep_id: str, /, *args: P.args, **kwargs: P.kwargs
        ) -> T:
            if not sweep_id:
                raise StoreError("the store holds no sweep yet")
            return statement(connection, sweep_id, *args, **kwargs)

        return await self._change(checked, *values, **named)

    async def _change(
        self,
        statement: Callable[Concatenate[Connection, str, P], T],
        *values: P.args,
        **named: P.kwargs,
    ) -> T:
        """Write something of this sweep ("" while there is none) in a transaction of its own."""
        return await self._transact(self._about(statement, *values, **named), writes=True)

    async def _ask(
        self,
        question: Callable[Concatenate[Connection, str, P], T],
        *values: P.args,
        **named: P.kwargs,
    ) -> T:
        """Put a question about this sweep ("" while there is none) in a transaction of its own."""
        return await self._transact(self._about(question, *values, **named))

    def _about(
        self,
        question: Callable[Concatenate[Connection, str, P], T],
        *values: P.args,
        **named: P.kwargs,
    ) -> Callable[[Connection], T]:
        def work(connection: Connection) -> T:
            if not self._sweep_id:
                self._sweep_id = records.kept_sweep(connection)
            return question(connection, self._sweep_id, *values, **named)

        return work

    async def _transact(self, work: Callable[[Connection], T], *, writes: bool = False) -> T:
        if self._run is None:
            raise StoreError(f"the store {self._database.place} is not open")
        transact = self._database.write if writes else self._database.read
        began = get_running_loop().time()
        try:
            answer = await self._run(partial(transact, work))
        except LimitExceededError:
            raise
        except StoreError:
            self.observer.on_error()
            raise
        if writes:
            self.observer.on_commit(get_running_loop().time() - began)
        return answer


class SqlStore(DatabaseStore):
    """Keeps one sweep in the SQLite file at `path`.

    `role` is what the note beside the file says this process holds it for.
    """

    def __init__(
        self,
        path: Path,
        *,
        run: Run | None = None,
        wait_seconds: float = 0.0,
        role: str = "daemon",
        now: Now = utc_now,
    ) -> None:
        database = SqliteDatabase(path.absolute(), role, now)
        super().__init__(database, run=run, wait_seconds=wait_seconds)
