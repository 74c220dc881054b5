"""Speak for a person to a sweep: to its daemon where one runs, else to its store."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.owning import owned
from sweeper.bootstrap.sweeps import find_sweep
from sweeper.clock import pause, utc_now
from sweeper.errors import SettingsError, StoreLockedError
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app

_LOOKS = 50
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbs:
    """A client that answers for one sweep; `has_daemon` tells whether wishes come true now."""

    folder: SweepFolder
    client: VerbsClient
    has_daemon: bool


@asynccontextmanager
async def open_verbs(settings: Settings, sweep: str, verb: str) -> AsyncIterator[Verbs]:
    """Open what answers for the sweep that `sweep` names, for the verb called `verb`.

    Raises:
        SettingsError: there is no such sweep.
        SweepOwnedError: a process holds its store and does not answer.
        StoreError: its store cannot be used.
    """
    folder = find_sweep(settings, sweep)
    async with open_folder(folder, verb) as verbs:
        yield verbs


@asynccontextmanager
async def open_folder(folder: SweepFolder, verb: str) -> AsyncIterator[Verbs]:
    """Open what answers for the sweep in `folder`; raises as `open_verbs` does."""
    async with AsyncExitStack() as stack:
        # A daemon that is starting or ending holds the store without answering for a moment.
        for _ in range(_LOOKS):
            if listens(folder.socket):
                client = await stack.enter_async_context(VerbsClient.at_socket(folder.socket))
                yield Verbs(folder=folder, client=client, has_daemon=True)
                return
            store = await _borrow(stack, folder, verb)
            if store is not None:
                app = verbs_app(store, now=utc_now)
                client = await stack.enter_async_context(VerbsClient.in_process(app))
                yield Verbs(folder=folder, client=client, has_daemon=False)
                return
            await pause(_LOOK_SECONDS)
        raise owned(folder)


def listens(path: Path) -> bool:
    """Return whether a process listens at the socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


async def _borrow(stack: AsyncExitStack, folder: SweepFolder, verb: str) -> SqlStore | None:
    """Return the sweep's store, None while another process holds it."""
    if not folder.store.exists():
        raise SettingsError(
            f"sweep {folder.name} has no store yet: its first start did not get that far; "
            "start it again with `sweeper run`"
        )
    try:
        return await stack.enter_async_context(SqlStore(folder.store, role=verb, now=utc_now))
    except StoreLockedError:
        return None
