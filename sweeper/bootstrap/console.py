"""Log lines and the live display of a daemon, and what is said of an internal fault."""

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sweeper.domain.trial import TrialState
from sweeper.errors import SettingsError
from sweeper.ports import Now, Telemetry
from sweeper.settings import LogFormat, Settings, load_settings
from sweeper.telemetry.holding import HeldLines
from sweeper.telemetry.logfile import LogFile
from sweeper.telemetry.logs import LineHandler, Secrets, line_formatter, log_lines
from sweeper.telemetry.terminal import Display, can_display, stderr_console
from sweeper.telemetry.transitions import TransitionLog

_log = logging.getLogger(__name__)

_LOGGING_VERBS = frozenset({"run", "probe", "local"})

_WORTH_A_LINE = (TrialState.FAILED, TrialState.HELD)


def held_lines(settings: Settings) -> HeldLines:
    """Return what keeps lines back, to be given to `console_lines`."""
    as_json = settings.log_format is LogFormat.JSON
    return HeldLines(line_formatter(KnownSecrets(settings), as_json=as_json))


@contextmanager
def console_lines(settings: Settings, held: HeldLines | None = None) -> Iterator[LineHandler]:
    """Set up log lines as the settings ask for, with the secrets of this process hidden.

    With `held`, only what is worth a person's time is meant for stderr, and kept back there.

    Raises:
        SettingsError: the log file cannot be written.
    """
    file = settings.log_file

    def log_files(formatter: logging.Formatter) -> Sequence[logging.Handler]:
        return () if file is None else (LogFile(file, formatter),)

    with log_lines(
        as_json=settings.log_format is LogFormat.JSON,
        level=settings.log_level,
        secrets=KnownSecrets(settings),
        write=held,
        least="DEBUG" if held is None else "WARNING",
        more=log_files,
    ) as lines:
        yield lines


@contextmanager
def watching(
    settings: Settings, lines: LineHandler, now: Now, *, quiet: bool = False
) -> Iterator[Sequence[Telemetry]]:
    """Show progress: a live display on a terminal, one line for each transition otherwise."""
    console = stderr_console()
    if quiet or settings.log_format is LogFormat.JSON or not can_display(console):
        yield (TransitionLog(),)
        return
    with ExitStack() as stack:
        display = stack.enter_context(Display(console, now=now, lines=lines))
        yield (display, TransitionLog(_WORTH_A_LINE))


class KnownSecrets:
    """The secrets that no line may hold; tokens are known by their shape.

    Every call looks whether the secret's file was changed since, as Kubernetes rotates it, and
    what was known before stays known.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = settings.client_secret_file
        self._read: tuple[int, ...] | None = None
        given = settings.client_secret
        self._known = {given.get_secret_value()} if given is not None else set[str]()

    def __call__(self) -> Sequence[str]:
        """Return all of them."""
        if self._file is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._learn(self._file)
        return [secret for secret in self._known if secret]

    def _learn(self, file: Path) -> None:
        found = file.stat()
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        if version != self._read:
            # A set of its own: another thread may be going through the one before.
            self._known = {*self._known, file.read_text(encoding="utf-8").strip()}
            self._read = version


def log_fault(error: Exception, arguments: Sequence[str] = ()) -> None:
    """Say that something failed which should not: the whole story, without secrets."""
    with log_lines(secrets=_secrets_of_environment(), as_json=asks_for_json(arguments)):
        _log.error("internal fault, please report it (exit 70)", exc_info=error)


def log_end(text: str) -> None:
    """Say as a JSON line why a command came to its end."""
    with log_lines(secrets=_secrets_of_environment(), as_json=True):
        _log.error("%s", text)


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON lines; those of a verb that logs can."""
    if not arguments or arguments[0] not in _LOGGING_VERBS:
        return False
    for argument, value in zip(arguments, (*arguments[1:], ""), strict=True):
        flag, _, joined = argument.partition("=")
        if flag == "--log-format":
            return (joined or value).lower() == LogFormat.JSON
    try:
        return load_settings().log_format is LogFormat.JSON
    except SettingsError:
        return os.environ.get("SWEEPER_LOG_FORMAT", "").lower() == LogFormat.JSON


def _secrets_of_environment() -> Secrets:
    """Return the secrets of a process whose settings may be what is at fault."""
    try:
        return KnownSecrets(load_settings())
    except SettingsError:
        return lambda: (os.environ.get("RUNAI_CLIENT_SECRET", ""),)
