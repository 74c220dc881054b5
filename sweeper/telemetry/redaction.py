"""Take secrets out of text that is about to be shown."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

REDACTED = "***"

_SHORTEST_SECRET = 4
"""Anything shorter would take ordinary words out of every line, and hides nothing."""

_CREDENTIALS = r"(?P<scheme>\b(?:bearer|basic)(?:\s|%20|\\[nt])+)[^\s\"'\\,;]{6,}"
_USER_OF_URL = r"(?P<before>://)[^\s/@\"']+(?=@)"
_NAMED = (
    r"(?P<name>(?:client|access|refresh|id|secret|api|private)[_-]?(?:secret|token|key)|passwo?r?d)"
    # A colon counts between quotes only: in prose it comes before words, not before a secret.
    r"(?P<is>\s*(?:=|%3[ad])\s*[\\\"']*|\\?[\"']\s*:\s*\\?[\"'])[^\s\"'\\,;&}\])]+"
)
_SUSPECTS = re.compile("|".join((_CREDENTIALS, _USER_OF_URL, _NAMED)), re.IGNORECASE)

# A whole run at once, so that a long text is read once and not from each of its letters on.
_RUNS = re.compile(r"[\w.-]{16,}")
_JWT_BEGINS = "eyJ"
_JWT_HEADER = 9


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without `secrets`, in whatever common code they stand, and without tokens.

    Codes are base64 (at any offset, both alphabets), percent-encoding, and the escapes of JSON
    and of Python's repr. What looks like a bearer token, a JWT, a URL's password or a value named
    as a secret goes too, known to us or not. Secrets of less than four letters stay.
    """
    for code in _codes(frozenset(secrets)):
        text = text.replace(code, REDACTED)
    return _RUNS.sub(_without_jwt, _SUSPECTS.sub(_without, text))


def _without(match: re.Match[str]) -> str:
    groups = match.groupdict(default="")
    return "".join((groups["scheme"], groups["before"], groups["name"], groups["is"], REDACTED))


def _without_jwt(match: re.Match[str]) -> str:
    run = match[0]
    start = run.find(_JWT_BEGINS)
    is_jwt = start >= 0 and "." in run[start + _JWT_HEADER :]
    return run[:start] + REDACTED if is_jwt else run


@lru_cache(maxsize=8)
def _codes(secrets: frozenset[str]) -> tuple[str, ...]:
    """Return every text that gives a secret away, the longest first."""
    found = {
        code
        for secret in secrets
        if len(secret.strip()) >= _SHORTEST_SECRET
        for code in _codes_of(secret)
    }
    return tuple(sorted(found, key=lambda code: (-len(code), code)))


def _codes_of(secret: str) -> Iterator[str]:
    yield secret
    yield secret.strip()
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    for safe in ("", "/"):
        yield quote(data, safe=safe)
        yield quote_plus(data, safe=safe)
    for code in _base64(data):
        yield code
        yield code.replace("+", "-").replace("/", "_")


def _base64(data: bytes) -> Iterator[str]:
    """Return what base64 shows of `data` wherever it begins within a longer text.

    Only letters that depend on `data` alone: its neighbours share the first and the last ones.
    """
    for offset, shared in ((0, 0), (1, 2), (2, 3)):
        code = base64.b64encode(b"\0" * offset + data).decode("ascii")
        yield code[shared : (offset + len(data)) * 8 // 6]
