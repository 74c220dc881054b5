"""Log lines and the live display of a daemon, and what is said of an internal fault."""

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sweeper.domain.trial import TrialState
from sweeper.ports import Now, Telemetry
from sweeper.settings import LogFormat, Settings
from sweeper.telemetry.logs import LineHandler, log_lines
from sweeper.telemetry.terminal import Display, can_display, stderr_console
from sweeper.telemetry.transitions import TransitionLog

_log = logging.getLogger(__name__)

_WORTH_A_LINE = (TrialState.FAILED, TrialState.HELD)


@contextmanager
def console_lines(settings: Settings) -> Iterator[LineHandler]:
    """Set up log lines as the settings ask for, with the secrets of this process hidden."""
    as_json = settings.log_format is LogFormat.JSON
    secrets = known_secrets(settings)
    with log_lines(as_json=as_json, level=settings.log_level, secrets=lambda: secrets) as lines:
        yield lines


@contextmanager
def watching(settings: Settings, lines: LineHandler, now: Now) -> Iterator[Sequence[Telemetry]]:
    """Show progress: a live display on a terminal, one line for each transition otherwise."""
    console = stderr_console()
    if settings.log_format is LogFormat.JSON or not can_display(console):
        yield (TransitionLog(),)
        return
    with ExitStack() as stack:
        display = stack.enter_context(Display(console, now=now, lines=lines))
        yield (display, TransitionLog(_WORTH_A_LINE))


def known_secrets(settings: Settings) -> Sequence[str]:
    """Return the secrets that no line may hold; tokens are known by their shape."""
    found = []
    if settings.client_secret is not None:
        found.append(settings.client_secret.get_secret_value())
    if settings.client_secret_file is not None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found.append(settings.client_secret_file.read_text(encoding="utf-8").strip())
    return [secret for secret in found if secret]


def log_fault(error: Exception) -> None:
    """Say that something failed which should not: the whole story, without secrets."""
    secret = os.environ.get("RUNAI_CLIENT_SECRET", "")
    with log_lines(secrets=lambda: (secret,) if secret else ()):
        _log.error("internal fault, please report it (exit 70)", exc_info=error)
