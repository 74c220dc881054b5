"""A control plane between us and the true one that says hostile things, and what may be shown."""

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TEXTS: Mapping[str, str] = {
    "clears the screen": "gone\x1b[2J\x1b[Hhere",
    "sets the title": "\x1b]0;pwned\x07",
    "one-byte control": "\x9b31mred",
    "right to left": "safe\u202egpj.exe",
    "isolates": "\u2066a\u2069",
    "forged line": "ok\r\n2026-03-01T12:00:00.000Z ERROR   all trials are lost",
    "line separator": "a\u2028b\u0085c\x0bd",
    "nul": "before\x00after",
    "backspaces": "secret\b\b\b\b\b\bpublic",
    "forged series": 'x"} 1\nforged_total{a="b',
    "label": 'x"} 1 forged_total{a="b\\',
    "markup": "</td><script>alert(1)</script>&amp;",
    "rich": "[red]not red[/red] [link=file:///etc/passwd]here[/link]",
    "format": "%s %(message)s {0} {message}",
    "huge": "A" * 30_000,
}

Rewrite: TypeAlias = Callable[[Any], Any]
"""Returns what is answered instead of a JSON value."""

_SAID = frozenset({"message", "reason", "phaseMessage", "details", "type"})

LONGEST_LINE = 20_000


def has_controls(text: str) -> bool:
    """Return whether a text holds control characters, which no sweep file may."""
    return any(unicodedata.category(c) == "Cc" for c in text)


def raw_controls(text: str) -> set[str]:
    """Return the characters in `text`, line ends apart, that a terminal would obey."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"}} - {"\n"}


def check_shown(text: str) -> None:
    """Check that what a command printed neither controls a terminal nor floods it."""
    assert raw_controls(text) == set()
    assert max(map(len, text.split("\n"))) <= LONGEST_LINE
    assert not any(line.startswith("2026-03-01T12:00:00.000Z ERROR") for line in text.split("\n"))


def saying(texts: Iterator[str]) -> Rewrite:
    """Return a rewriting that puts the next of `texts` wherever a server's own words stand."""

    def rewrite(value: Any) -> Any:
        if isinstance(value, list):
            return [rewrite(item) for item in value]
        if isinstance(value, dict):
            return {key: said(key, rewrite(item)) for key, item in value.items()}
        return value

    def said(key: str, item: Any) -> Any:
        is_said = key in _SAID and isinstance(item, str)
        return next(texts) if is_said else item

    return rewrite


def between(app: ASGIApp, rewrite: Rewrite) -> ASGIApp:
    """Return `app` with every JSON answer rewritten."""

    async def serving(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith("/token"):
            await app(scope, receive, send)
            return
        begun: list[Message] = []
        body = bytearray()

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await _send(send, begun[0], rewrite, bytes(body))

        await app(scope, receive, gather)

    return serving


async def _send(send: Send, start: Message, rewrite: Rewrite, body: bytes) -> None:
    try:
        answer = json.dumps(rewrite(json.loads(body))).encode()
    except ValueError:
        answer = body
    headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    headers.append((b"content-length", str(len(answer)).encode()))
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
