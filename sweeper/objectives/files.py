"""Report files: what local trainings wrote down while, perhaps, no daemon listened.

A training may write anything there, and may be killed in the middle of a line. So only whole
lines are read, a line that makes no sense costs itself only, and sizes are bounded. Reading a
file again from its beginning does no harm: the store knows the keys.
"""

import logging
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from sweeper.domain.record import Report
from sweeper.errors import ReportError
from sweeper.objectives.parsing import parse_line

_log = logging.getLogger(__name__)

READ_BOUND = 1024 * 1024
"""Bytes that one call reads at most."""

FILE_BOUND = 64 * READ_BOUND
"""Bytes at the beginning of a file that are read in all; a training that writes more is loud."""

_REMEMBERED = 1024


def read_report_lines(
    trial: int, path: Path, offset: int, *, bound: int = READ_BOUND
) -> tuple[Sequence[Report], int]:
    """Return the reports in the whole lines after `offset`, and the offset that follows them.

    Reads `bound` bytes at most; the offset given back equals `offset` once nothing is left. A
    file that is not there, or is no ordinary file, or cannot be read, holds nothing.
    """
    chunk = read_bytes(path, offset, bound)
    whole = chunk.rfind(b"\n") + 1
    if not whole and len(chunk) == bound:
        # No line of ours is that long: what is left of it will not make sense either.
        return (), offset + len(chunk)
    lines = chunk[:whole].split(b"\n")
    reports = [report for line in lines if line.strip() and (report := _readable(trial, line))]
    return reports, offset + whole


class ReportFiles:
    """Reads the report files of many trials, each from where it left off.

    `path_of` names the file of a trial. Where reading left off is kept in memory, for the trials
    read last; forgetting it costs another reading, nothing else. Threads may share one.
    """

    def __init__(self, path_of: Callable[[int], Path], *, bound: int = READ_BOUND) -> None:
        self._path_of = path_of
        self._bound = bound
        self._offsets: OrderedDict[int, int] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, trial: int) -> Sequence[Report]:
        """Return the next reports of a trial, none once all that is there was read.

        Call it until it returns none. Each call returns what about `bound` bytes hold.
        """
        while True:
            with self._lock:
                offset = self._offsets.get(trial, 0)
            if offset >= FILE_BOUND:
                return ()
            reports, after = read_report_lines(
                trial, self._path_of(trial), offset, bound=self._bound
            )
            self._remember(trial, after)
            if after >= FILE_BOUND:
                _log.warning(
                    "trial %d wrote too many reports: the rest is not read",
                    trial,
                    extra={"trial": trial},
                )
            if reports or after == offset:
                return reports

    def _remember(self, trial: int, offset: int) -> None:
        with self._lock:
            self._offsets[trial] = offset
            self._offsets.move_to_end(trial)
            if len(self._offsets) > _REMEMBERED:
                self._offsets.popitem(last=False)


def read_bytes(path: Path, offset: int, bound: int) -> bytes:
    """Return up to `bound` bytes of an ordinary file, none of one that cannot be read."""
    # A training could put a pipe or a link in place of its file: neither blocks us nor is followed.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError):
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return os.pread(descriptor, bound, offset)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _readable(trial: int, line: bytes) -> Report | None:
    try:
        return parse_line(trial, line)
    except ReportError as error:
        _log.debug(
            "a line in the report file of trial %d is left out: %s",
            trial,
            error,
            extra={"trial": trial},
        )
        return None
