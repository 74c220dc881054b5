"""The lease beside the tables: claimed, checked in every transaction that writes, renewed."""

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from sweeper.domain.leasing import Lease, is_same
from sweeper.errors import SweepTakenError
from sweeper.store.rows import LEASE_COLUMNS, lease_of, lease_values
from sweeper.store.tables import lease

_LEASE = select(*LEASE_COLUMNS).with_for_update()
"""Held until the transaction ends, so nobody can take over between the check and the commit."""


def change_lease(
    connection: Connection, change: Callable[[Lease | None], Lease | None]
) -> Lease | None:
    """Write what `change` makes of the lease and return it; None writes nothing."""
    row = connection.execute(_LEASE).one_or_none()
    after = change(None if row is None else lease_of(row))
    if after is not None:
        statement = insert(lease) if row is None else update(lease)
        connection.execute(statement.values(lease_values(after)))
    return after


def check_fence(connection: Connection, held: Lease) -> None:
    """Let a transaction go on only while the lease is `held`.

    Raises:
        SweepTakenError: another process took it.
    """
    row = connection.execute(_LEASE).one_or_none()
    found = None if row is None else lease_of(row)
    if found is None or not is_same(found, held):
        raise taken_over(found)


def taken_over(found: Lease | None) -> SweepTakenError:
    """Return the error that says who took the sweep over."""
    who = "somebody" if found is None else f"{found.holder}, since {found.since:%Y-%m-%d %H:%M:%S}"
    return SweepTakenError(
        f"another daemon took this sweep over: {who}; nothing more is written here"
    )
