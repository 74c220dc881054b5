"""Exit codes, and which of them an error or an ended sweep leads to."""

from enum import IntEnum

from sweeper.errors import StuckTickError, SweeperError, SweepOwnedError, SweepTakenError, UserError


class Exit(IntEnum):
    """What the process tells its caller (DESIGN: README, Exit codes)."""

    OK = 0  # every trial completed or was pruned
    UNFINISHED = 1  # a trial failed or is held, or the sweep was cancelled or stopped
    USAGE = 2  # usage, file or settings error
    OUT_OF_TIME = 3  # --max-runtime passed with work left: start again to go on
    OWNED = 4  # another daemon owns the sweep, or took it over
    INTERNAL = 70  # internal fault or broken store
    STUCK = 71  # a tick did not end
    SIGINT = 130
    SIGTERM = 143


def exit_of(error: SweeperError) -> Exit:
    """Return the exit code that an error of ours leads to."""
    if isinstance(error, UserError):
        return Exit.USAGE
    if isinstance(error, SweepOwnedError | SweepTakenError):
        return Exit.OWNED
    if isinstance(error, StuckTickError):
        return Exit.STUCK
    return Exit.INTERNAL
