"""Ending what a process left behind in its session: standard library only.

Where the system lets a process adopt the orphans of its descendants (Linux), they come to us
and their numbers stay theirs until we reap them.
"""

import contextlib
import ctypes
import os
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, where the system can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans(session: int, known: Collection[int]) -> bool:
    """Kill our orphans of a session whose leader was reaped; return whether any of it is left.

    `known` are the children that are no orphans. What is left comes to us, or ends, in a moment.
    """
    is_left = _group_exists(session)
    for pid in _children():
        with contextlib.suppress(OSError):
            if pid not in known and os.getsid(pid) == session:
                is_left = True
                os.kill(pid, signal.SIGKILL)
                os.killpg(os.getpgid(pid), signal.SIGKILL)
    return is_left


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _children() -> Iterator[int]:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        yield from map(int, text.split())
