"""Whole answers, and the ways in which they reach the one who asked, or do not.

Over a socket a connection that ends early is closed by the server; in one process, behind
httpx's ASGI transport, it is the error of httpx's that a closed connection would be there.
"""

import json
from dataclasses import dataclass, replace
from typing import Final, Self

import httpx
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sweeper.clock import pause
from sweeper.local.faults.plan import Status
from sweeper.wire.answers import Error

_PIECES: Final = 10
_TAKEN: Final = b"already exists"
_HTML: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
_CLOSED: Final = "the fault plan ends the connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as a whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    @property
    def is_good(self) -> bool:
        """Whether the request has had its effect."""
        return 200 <= self.status < 300

    def with_body(self, body: bytes, kind: str = "application/json") -> Self:
        """Return the same answer with another body."""
        message: Message = {"headers": list(self.headers)}
        headers = MutableHeaders(scope=message)
        headers["content-length"] = str(len(body))
        headers["content-type"] = kind
        return replace(self, headers=tuple(headers.raw), body=body)


async def held(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Return the whole answer of an application, which nobody has seen yet."""
    start: Message = {}
    parts: list[bytes] = []

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, hold)
    headers = tuple((bytes(name), bytes(value)) for name, value in start["headers"])
    return Answer(status=start["status"], headers=headers, body=b"".join(parts))


class Line:
    """The connection that a request came by."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        # Servers tell the version of the protocol's description; httpx's transport does not.
        self._is_socket = "spec_version" in scope["asgi"]

    async def answer(self, answer: Answer, *, seconds: float = 0.0) -> object:
        """Send a whole answer; its body takes that long. Returns None, as all went well."""
        await self._begin(answer)
        if seconds:
            size = -(-len(answer.body) // _PIECES) or 1
            for at in range(0, len(answer.body), size):
                piece = answer.body[at : at + size]
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                await pause(seconds / _PIECES)
            await self._send({"type": "http.response.body", "body": b""})
            return None
        await self._send({"type": "http.response.body", "body": answer.body})
        return None

    def drop(self) -> object:
        """End the connection without an answer."""
        if self._is_socket:
            return _CLOSED
        raise httpx.ReadError(_CLOSED)

    async def cut(self, answer: Answer) -> object:
        """End the connection after half of the body."""
        if not self._is_socket:
            raise httpx.RemoteProtocolError(_CLOSED)
        await self._begin(answer.with_body(answer.body or b"{}"))
        half = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        return _CLOSED

    async def _begin(self, answer: Answer) -> None:
        await self._send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": list(answer.headers),
            }
        )


def error_answer(status: int, message: str) -> Answer:
    """Return an error in the API's own form."""
    body = json.dumps(Error(code=status, message=message).answer()).encode()
    return Answer(status=status).with_body(body)


def refused(fault: Status) -> Answer:
    """Return the answer that a fault puts in the place of any other."""
    message = "Please try again in few minutes." if fault.status == 503 else "Something went wrong."
    answer = error_answer(fault.status, message)
    if fault.body != "json":
        page = _HTML.format(f"{fault.status} from the fault plan") if fault.body == "html" else ""
        answer = answer.with_body(page.encode(), "text/html")
    if fault.retry_after is None:
        return answer
    wait = (b"retry-after", str(fault.retry_after).encode())
    return replace(answer, headers=(*answer.headers, wait))


def restated(answer: Answer, status: int) -> Answer:
    """Return the refusal of a name that is taken with that status."""
    if answer.status not in {400, 409} or _TAKEN not in answer.body:
        return answer
    body = {**json.loads(answer.body), "code": status}
    return replace(answer, status=status).with_body(json.dumps(body).encode())
