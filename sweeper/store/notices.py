"""Write and read the outbox: notices, and what became of them."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from sweeper.domain.outbox import Notice
from sweeper.domain.record import Event
from sweeper.store.reading import bounded
from sweeper.store.records import append_events
from sweeper.store.rows import NOTICE_COLUMNS, notice_of, notice_values
from sweeper.store.tables import notices


def append_notices(connection: Connection, sweep_id: str, given: Sequence[Notice]) -> None:
    """Put notices into the outbox; the database numbers them."""
    if given:
        rows = [notice_values(sweep_id, notice) for notice in given]
        connection.execute(insert(notices), rows)


def open_notices(connection: Connection, sweep_id: str, limit: int) -> Sequence[Notice]:
    """Return the notices not settled yet, those due first first."""
    rows = connection.execute(
        select(*NOTICE_COLUMNS)
        .where(notices.c.sweep_id == sweep_id, notices.c.settled_at.is_(None))
        .order_by(notices.c.due_at, notices.c.number)
        .limit(max(bounded(limit), 0))
    )
    return [notice_of(row) for row in rows]


def save_notice(
    connection: Connection, sweep_id: str, notice: Notice, happened: Sequence[Event]
) -> None:
    """Write a notice that is not settled yet over its row, together with events."""
    written = connection.execute(
        update(notices)
        .where(notices.c.sweep_id == sweep_id, notices.c.number == bounded(notice.number))
        .where(notices.c.settled_at.is_(None))
        .values(notice_values(sweep_id, notice))
    )
    if written.rowcount:
        append_events(connection, sweep_id, happened)
