"""Being process 1 of a container: standard library only, for it runs before anything is imported.

The kernel drops signals that process 1 has no handler for, and gives it the orphans of all others
to reap. So the first process does nothing else: it makes a second one, in which the command runs
as it would anywhere, passes signals on to it, and ends as it ends. What is left ends with it.
"""

import os
import signal
import sys

_PASSED_ON = frozenset(
    {
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
    }
)


def is_first_process() -> bool:
    """Return whether this is process 1: of a container, for a machine starts with another."""
    return os.getpid() == 1


def stand_aside() -> None:
    """Return in a new process; this one looks after it, ends as it does, and never returns."""
    # What is held back is not dropped, not even for process 1, so no signal comes too early.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [*_PASSED_ON, signal.SIGCHLD])
    main = os.fork()
    if main == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    sys.exit(look_after(main))


def look_after(main: int) -> int:
    """Pass signals on to `main` and reap all that ends; return the exit code of `main`.

    The signals must be held back. A command that a signal ended has the code of a shell, 128 more.
    """
    while True:
        number = signal.sigwait([*_PASSED_ON, signal.SIGCHLD])
        if number != signal.SIGCHLD:
            os.kill(main, number)
            continue
        status = _reap().get(main)
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _reap() -> dict[int, int]:
    """Take note of every child that has ended: one signal may stand for several."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status
