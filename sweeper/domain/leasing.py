"""Who may act for a sweep: one holder at a time, each with an epoch above all before it.

Two things keep two holders apart. The *fence*: whoever writes must hold the newest epoch, checked
in the transaction that writes, so a holder that was overtaken changes nothing. The *trust window*:
a holder acts outside the store only while nobody else can have taken over, by its own clock, which
runs on while the machine sleeps. The window begins when a renewal is asked for, not when its answer
comes, so an answer that took long buys no time.

Terms end by the store's clock alone. The window is shorter by `MARGIN`, which covers a call that
was begun at its very end, and clocks that run at different speeds. A store whose clock jumps ahead
by more than that can end a term early; the fence holds all the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

TERM = timedelta(seconds=60)
"""How long a lease is good for without being renewed."""

RENEWAL = timedelta(seconds=10)
"""How often a lease is renewed."""

MARGIN = timedelta(seconds=25)
"""How long before the end of a term nothing new is begun: above the deadline of any call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds a sweep, as the store keeps it.

    `epoch` counts the holders; `instance` is random and tells one from all others, also from
    another process with the same pid. `holder` says for people which process it is.
    `expires_at` is by the store's clock; None where the holder keeps others out by other means.
    """

    epoch: int
    instance: str
    holder: str
    since: datetime
    expires_at: datetime | None


def claimed(
    lease: Lease | None, instance: str, holder: str, now: datetime, term: timedelta | None
) -> Lease | None:
    """Return the lease as its next holder takes it, None while another one holds it.

    `now` is by the store's clock. `term` None takes it in any case, and for good: for those who
    keep others out by other means. Asking again with the same instance, after an answer that was
    lost, gives a further epoch and does no harm.
    """
    if lease is not None and term is not None and not is_free(lease, instance, now):
        return None
    return Lease(
        epoch=(lease.epoch if lease is not None else 0) + 1,
        instance=instance,
        holder=holder,
        since=now,
        expires_at=None if term is None else now + term,
    )


def is_free(lease: Lease, instance: str, now: datetime) -> bool:
    """Return whether `instance` may take the lease: it is its own, or its term is over."""
    over = lease.expires_at is not None and lease.expires_at <= now
    return over or lease.instance == instance


def renewed(lease: Lease | None, held: Lease, now: datetime, term: timedelta) -> Lease | None:
    """Return the stored lease with a term from `now` on, None where it is not `held` any more.

    A term that is over is renewed as well while nobody took the lease. It never ends earlier than
    it did before.
    """
    if lease is None or not is_same(lease, held):
        return None
    ends = now + term
    return replace(
        lease, expires_at=ends if lease.expires_at is None else max(ends, lease.expires_at)
    )


def released(lease: Lease | None, held: Lease, now: datetime) -> Lease | None:
    """Return the stored lease as one whose holder left, None where it is not `held` any more."""
    if lease is None or not is_same(lease, held):
        return None
    return replace(lease, expires_at=now)


def is_same(lease: Lease, held: Lease) -> bool:
    """Return whether the stored lease is the one that is held: the fence."""
    return (lease.epoch, lease.instance) == (held.epoch, held.instance)


def trusted_until(asked_at: float, term: timedelta, margin: timedelta = MARGIN) -> float:
    """Return when the trust in a claim or renewal ends, in seconds of the holder's own clock.

    `asked_at` is when it was asked for, by the same clock.
    """
    return asked_at + (term - margin).total_seconds()
