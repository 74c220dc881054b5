"""Read and write the sweep itself, the record of acts, and wishes."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, insert, select, update

from sweeper.domain.record import Event, SweepRecord, Wish
from sweeper.errors import StoreError
from sweeper.store.reading import bounded
from sweeper.store.rows import (
    EVENT_COLUMNS,
    SWEEP_COLUMNS,
    WISH_COLUMNS,
    event_of,
    event_values,
    sweep_of,
    sweep_values,
    wish_of,
    wish_values,
)
from sweeper.store.tables import events, lease, sweeps, wishes

_SWEEPS = select(*SWEEP_COLUMNS)
_APPEND = insert(events).values(epoch=select(lease.c.epoch).scalar_subquery())
_SWEEP_WITH_ID = _SWEEPS.where(sweeps.c.id == bindparam("sweep"))
_OPEN_WISHES = (
    select(*WISH_COLUMNS)
    .where(wishes.c.sweep_id == bindparam("sweep"), wishes.c.is_settled.is_(False))
    .order_by(wishes.c.number)
)


def kept_sweep(connection: Connection) -> str:
    """Return the id of the one sweep of this database, "" when it has none yet."""
    return connection.scalars(select(sweeps.c.id)).one_or_none() or ""


def load_sweep(connection: Connection) -> SweepRecord | None:
    """Return the one sweep of this database, None when it has none yet."""
    row = connection.execute(_SWEEPS).one_or_none()
    return None if row is None else sweep_of(row)


def sweep_with_id(connection: Connection, sweep_id: str) -> SweepRecord | None:
    """Return the sweep of that id."""
    row = connection.execute(_SWEEP_WITH_ID, {"sweep": sweep_id}).one_or_none()
    return None if row is None else sweep_of(row)


def save_sweep(connection: Connection, sweep: SweepRecord, happened: Sequence[Event]) -> None:
    """Write the sweep, new or changed, together with events.

    Raises:
        StoreError: the database keeps another sweep.
    """
    kept = kept_sweep(connection)
    if not kept:
        connection.execute(insert(sweeps).values(next_number=0, **sweep_values(sweep)))
    elif kept == sweep.id:
        connection.execute(update(sweeps).where(sweeps.c.id == kept).values(sweep_values(sweep)))
    else:
        raise StoreError(f"this store keeps the sweep {kept}, not {sweep.id}")
    append_events(connection, sweep.id, happened)


def append_events(connection: Connection, sweep_id: str, happened: Sequence[Event]) -> None:
    """Append to the record of acts; the database numbers the entries.

    They carry the epoch of the lease, which the transaction was checked to hold.
    """
    if happened:
        connection.execute(_APPEND, [event_values(sweep_id, event) for event in happened])


def events_after(
    connection: Connection, sweep_id: str, number: int | None, after: int, limit: int
) -> Sequence[Event]:
    """Return a page of events, of one trial or of all, with a number above `after`."""
    query = (
        select(*EVENT_COLUMNS)
        .where(events.c.sweep_id == sweep_id, events.c.number > bounded(after))
        .order_by(events.c.number)
        .limit(max(bounded(limit), 0))
    )
    if number is not None:
        query = query.where(events.c.trial == bounded(number))
    return [event_of(row) for row in connection.execute(query)]


def add_wish(connection: Connection, sweep_id: str, wish: Wish) -> Wish:
    """Record a wish and return it with its number."""
    written = connection.execute(insert(wishes).values(wish_values(sweep_id, wish)))
    (number,) = written.inserted_primary_key or (0,)
    return replace(wish, number=number)


def open_wishes(connection: Connection, sweep_id: str) -> Sequence[Wish]:
    """Return the wishes not settled yet, oldest first."""
    return [wish_of(row) for row in connection.execute(_OPEN_WISHES, {"sweep": sweep_id})]


def settle_wish(connection: Connection, sweep_id: str, number: int) -> None:
    """Mark a wish as done."""
    connection.execute(
        update(wishes)
        .where(wishes.c.sweep_id == sweep_id, wishes.c.number == bounded(number))
        .values(is_settled=True)
    )
