"""A log file of sweeper's own, which is turned over before it grows too large."""

import io
import os
import sys
from logging import Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sweeper.errors import SettingsError

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes after which a log file is turned over."""

FORMER_LOGS = 5
"""So many former log files are kept beside it, as `NAME.1` (the newest) and so on."""


class LogFile(RotatingFileHandler):
    """Appends finished lines to a file that only this user can read.

    A line that cannot be written is lost, which is said once on stderr: a full disk must not end
    a sweep by way of its log.
    """

    def __init__(self, path: Path, formatter: Formatter) -> None:
        self._has_complained = False
        try:
            super().__init__(path, maxBytes=LARGEST_LOG, backupCount=FORMER_LOGS, encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"log_file: {path} cannot be written: {error.strerror or error}"
            ) from error
        self.setFormatter(formatter)

    def handleError(self, record: LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once, without what the line held, that lines are lost."""
        del record
        if not self._has_complained:
            self._has_complained = True
            kind = type(sys.exception()).__name__
            sys.stderr.write(f"sweeper: the log file {self.baseFilename} loses lines ({kind})\n")

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(
            self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        return io.open(descriptor, "a", encoding="utf-8", errors="backslashreplace")  # noqa: UP020
