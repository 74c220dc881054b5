"""Ending the processes of a supervisor that is gone, so that nothing of theirs runs twice."""

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping

import psutil

from sweeper.local.identity import ProcessIdentity, start_ticks, this_world
from sweeper.local.runtime import RuntimeUnavailableError

_ROUNDS = 50
_ROUND_SECONDS = 0.1


def end_survivors(identities: Collection[ProcessIdentity]) -> None:
    """Kill what still lives of these processes and of their sessions; return when it is gone.

    A process whose number is another's by now is left alone, and so is every process of another
    start of the machine or of another container.

    Raises:
        RuntimeUnavailableError: some do not end, which those in the middle of a slow read or
            write, or of another user, may not.
    """
    living: list[psutil.Process] = []
    for _ in range(_ROUNDS):
        living = list(_living(identities))
        if not living:
            return
        for process in living:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(living, timeout=_ROUND_SECONDS)
    numbers = ", ".join(str(process.pid) for process in living)
    raise RuntimeUnavailableError(
        f"processes of a supervisor that is gone do not end: {numbers}; end them to go on"
    )


def _living(identities: Collection[ProcessIdentity]) -> Iterator[psutil.Process]:
    world = this_world()
    starts = {
        identity.pid: identity.started
        for identity in identities
        if identity.started is not None and identity.world == world
    }
    if not starts:
        return
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):  # it may be gone at any moment
            if _is_theirs(pid, starts):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def _is_theirs(pid: int, starts: Mapping[int, int]) -> bool:
    """Return whether it is a process that we know, or of the session of one.

    The number of a session is given to no other process while the session has members, so that
    members are theirs unless the number came to lead a younger session.
    """
    if pid in starts:
        return start_ticks(pid) == starts[pid]
    session = os.getsid(pid)
    return session in starts and start_ticks(session) in {None, starts[session]}
