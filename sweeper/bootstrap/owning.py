"""Take a sweep's store as its daemon, for as long as it runs."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from sweeper.bootstrap.folders import SweepFolder
from sweeper.errors import StoreLockedError, SweepOwnedError
from sweeper.ports import Now
from sweeper.store.holding import holder_of
from sweeper.store.sql import SqlStore

_log = logging.getLogger(__name__)

DAEMON = "daemon"
VERB_PATIENCE = 5.0
"""Seconds to wait for a store that only a verb holds: it is done in a moment."""


@asynccontextmanager
async def own_store(
    folder: SweepFolder, now: Now, *, patience: timedelta = timedelta()
) -> AsyncIterator[SqlStore]:
    """Own the sweep's store as its daemon; another daemon gets `patience` to end.

    Raises:
        SweepOwnedError: another daemon does, or whoever holds the store does not let go of it.
        StoreError: the store cannot be used.
    """
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(SqlStore(folder.store, role=DAEMON, now=now))
        except StoreLockedError as error:
            if is_held_by_daemon(folder):
                if not patience:
                    raise owned(folder) from error
                _log.info(
                    "waiting for %s, which owns the sweep %s, to end",
                    holder_of(folder.store) or "another process",
                    folder.name,
                )
            seconds = max(patience.total_seconds(), VERB_PATIENCE)
            store = await _take_later(stack, folder, now, seconds)
        yield store


def is_held_by_daemon(folder: SweepFolder) -> bool:
    """Return whether the store, being locked, is a daemon's.

    A holder that says nothing is about to leave: the note goes before the lock does.
    """
    holder = holder_of(folder.store)
    return holder is not None and holder.role == DAEMON


def owned(folder: SweepFolder) -> SweepOwnedError:
    """Return the error that says who owns the sweep, and what to do."""
    holder = holder_of(folder.store)
    who = str(holder) if holder is not None else "another process"
    return SweepOwnedError(
        f"another daemon owns the sweep {folder.name}: {who}. `sweeper status {folder.name}` "
        "shows how it stands; end that process with SIGTERM to take over"
    )


async def _take_later(
    stack: AsyncExitStack, folder: SweepFolder, now: Now, seconds: float
) -> SqlStore:
    store = SqlStore(folder.store, role=DAEMON, wait_seconds=seconds, now=now)
    try:
        return await stack.enter_async_context(store)
    except StoreLockedError as error:
        raise owned(folder) from error
