"""One answer of a control plane as bytes and a few headers, and how its words may be shown."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sweeper.domain.wording import printable

MAX_RETRY_AFTER_SECONDS = 900.0
"""No server makes us wait longer, whatever it asks for."""

MAX_TEXT = 512
"""How many characters of a server's own words are shown at most."""

_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from one exchange; `retry_after` is in seconds and already clamped."""

    status: int
    content: bytes = b""
    retry_after: float | None = None


def read_date(text: str | None) -> datetime | None:
    """Return the time that an HTTP date means, None when it cannot be read."""
    if text is None:
        return None
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def read_retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the wait in seconds that Retry-After asks for, None when it asks for none.

    A date is compared with the answer's own Date where there is one, as our clocks may differ.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        until = read_date(text)
        if until is None:
            return None
        seconds = (until - (read_date(headers.get("date")) or now)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def show(text: str) -> str:
    """Return a server's words fit for a log or a terminal: short, and nothing that controls it."""
    return printable(text, MAX_TEXT)


def finite(number: object) -> float | None:
    """Return a number, or a text that holds one, as a finite float; None for all else."""
    if isinstance(number, bool) or not isinstance(number, (int, float, str)):
        return None
    try:
        value = float(number)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
