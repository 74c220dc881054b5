"""Log lines on stderr, plain or as JSON, from which no secret can be read."""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeAlias

from sweeper.domain.wording import printable
from sweeper.telemetry.logfields import EXTRA_FIELDS
from sweeper.telemetry.redaction import redact

Secrets: TypeAlias = Callable[[], Iterable[str]]
"""Returns the secrets that are live now; called for every line, in any thread."""

Write: TypeAlias = Callable[[str], None]
"""Writes one finished line (it may hold line ends of a traceback) and ends it."""

_QUIET = (
    "alembic",
    "asyncio",
    "httpcore",
    "httpx",
    "opentelemetry",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
    "uvicorn.access",
    "uvicorn.error",
)

_LONGEST_MESSAGE = 8_000
_LONGEST_READ = 100_000
_LONGEST_SECRET = 8_000
_LONGEST_TRACE = 200
"""Lines of a traceback that are shown: its end, where the cause is."""


class LineFormatter(logging.Formatter):
    """Formats a record as one plain line: time, level, message.

    A traceback follows on lines of its own, all of them indented, so that no text in it can
    pass for a log line.
    """

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets
        self._about: Mapping[str, str | int] = {}

    def about(self, **fields: str | int | None) -> None:
        """Let every line from now on be about this, where it does not say otherwise."""
        known = {name: value for name, value in fields.items() if value is not None}
        # A mapping of its own: another thread may be reading the one before.
        self._about = {**self._about, **known}

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished text of a record, without any secret."""
        head = f"{_time(record)} {record.levelname:<7} {self.message(record)}"
        return "\n    ".join((head, *self.trace(record)))

    def message(self, record: logging.LogRecord) -> str:
        """Return the message on one line."""
        return self.clean(record.getMessage())

    def trace(self, record: logging.LogRecord) -> list[str]:
        """Return the traceback of a record, if it has one, as clean lines."""
        if not record.exc_info:
            return []
        text = self._redacted(self.formatException(record.exc_info))
        lines = text.splitlines()[-_LONGEST_TRACE:]
        return [printable(line, _LONGEST_MESSAGE) for line in lines]

    def clean(self, text: str) -> str:
        """Return `text` redacted, on one line, and not too long."""
        # Redacted before it is escaped or cut: either could leave part of a secret unknown.
        return printable(self._redacted(text), _LONGEST_MESSAGE)

    def _redacted(self, text: str) -> str:
        shown = redact(text[:_LONGEST_READ], self._secrets())
        # Where the text was cut, part of a secret may stand that nothing can recognise.
        return shown if len(text) <= _LONGEST_READ else shown[:-_LONGEST_SECRET] + "…"


class JsonFormatter(LineFormatter):
    """Formats a record as one JSON object on one line, with the fields of `LOG_FIELDS`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished text of a record, without any secret."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
        }
        for field in EXTRA_FIELDS:
            value = record.__dict__.get(field.name)
            if value is None:
                value = self._about.get(field.name)
            if field.is_number:
                # What is no whole number says nothing that a reader could use.
                if type(value) is int:
                    line[field.name] = value
            elif value is not None:
                line[field.name] = self.clean(str(value))
        trace = self.trace(record)
        if trace:
            line["exception"] = "\n".join(trace)
        return json.dumps(line)


def line_formatter(secrets: Secrets, *, as_json: bool) -> LineFormatter:
    """Return what makes lines of records, for people or for machines."""
    return JsonFormatter(secrets) if as_json else LineFormatter(secrets)


class LineHandler(logging.Handler):
    """Writes finished lines, at first to `write`."""

    def __init__(self, write: Write, formatter: LineFormatter) -> None:
        super().__init__()
        self._write = write
        self.about = formatter.about
        """Says what every line from now on is about, where it does not say otherwise."""
        self.clean = formatter.clean
        """Makes a text safe to show beside the lines: on one line, and without secrets."""
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises, whatever the record holds."""
        try:
            self._write(self.format(record))
        except Exception:  # noqa: BLE001 - a line that cannot be written must end nothing
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line is lost, without what it held: the original shows all arguments."""
        kind = type(sys.exception()).__name__
        place = f"{record.pathname}:{record.lineno}"
        words = f"A log line is lost ({kind} at {place})"
        lost = logging.LogRecord(
            record.name, logging.ERROR, record.pathname, record.lineno, words, None, exc_info=None
        )
        try:
            self._write(self.format(lost))
        except Exception:  # noqa: BLE001 - stderr is gone: nobody is left to be told
            return

    @contextmanager
    def routed(self, write: Write) -> Iterator[None]:
        """Send lines to `write` instead for the length of the block."""
        before, self._write = self._write, write
        try:
            yield
        finally:
            self._write = before


@contextmanager
def log_lines(
    *,
    as_json: bool = False,
    level: str = "INFO",
    secrets: Secrets,
    write: Write | None = None,
    least: str = "DEBUG",
    more: Callable[[logging.Formatter], Sequence[logging.Handler]] | None = None,
) -> Iterator[LineHandler]:
    """Set up logging for the length of the block, and put back what was there before.

    Lines go to `write`, by default to what stderr is at that time, from the level `least` on, and
    to the handlers that `more` makes for their format, which are closed at the end. Libraries
    (httpx, uvicorn and their like) are heard from WARNING on, at any `level`.
    """
    formatter = line_formatter(secrets, as_json=as_json)
    handler = LineHandler(write or to_stderr, formatter)
    handler.setLevel(least)
    others = more(formatter) if more else ()
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in _QUIET}
    before, root_level = root.handlers[:], root.level
    root.handlers[:] = [handler, *others]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    try:
        yield handler
    finally:
        logging.captureWarnings(capture=False)
        for name, former in levels.items():
            logging.getLogger(name).setLevel(former)
        root.setLevel(root_level)
        for ours in (handler, *others):
            root.removeHandler(ours)
            ours.close()
        for former_handler in before:
            root.addHandler(former_handler)


def to_stderr(line: str) -> None:
    """Write one finished line to what stderr is now."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
