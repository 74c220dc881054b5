"""The ways in which a connection is broken, or an answer is not what it should be."""

import gzip
import json
from collections.abc import Mapping
from types import MappingProxyType

from sweeper.clock import pause
from tests.runai.wire_server import Wire, head
from tests.support.fault_proxy import Breaking

OTHER_ID = "0a7d21c4-6f5e-4a55-93c7-2f0f6f2b9d11"
HTML = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
RETRY_AFTER = 6
_DRIPS = 2000


async def reset(wire: Wire) -> None:
    """Break off, with a reset."""
    wire.reset()


async def close(wire: Wire) -> None:
    """End the connection properly, without a word."""
    wire.writer.close()


async def say_nothing(wire: Wire) -> None:
    """Swallow everything."""
    await wire.hang()


async def cut_head(wire: Wire) -> None:
    """Stop in the middle of the head."""
    await wire.send(b"HTTP/1.1 202 Accepted\r\nContent-Le")
    wire.writer.close()


async def cut_body(wire: Wire) -> None:
    """Stop in the middle of the body."""
    await wire.send(head(100, status="202 Accepted") + b'{"workloadId"')
    wire.writer.close()


async def garbage(wire: Wire) -> None:
    """Send the request back, as a service that echoes does, with its secret first.

    What reads the answer as HTTP complains of its first line, and may quote it.
    """
    lines = wire.request.split(b"\r\n")
    lines.sort(key=lambda line: b"Bearer" not in line and b"client_secret" not in line)
    await wire.send(b"\r\n".join(lines) + b"\r\n\r\n")
    wire.writer.close()


async def drip(wire: Wire) -> None:
    """Send a body byte by byte, each one in time for a timeout of its own."""
    await wire.send(head(_DRIPS))
    for _ in range(_DRIPS):
        if wire.writer.is_closing():
            return
        await pause(4.0)
        await wire.send(b" ")


async def oversize(wire: Wire) -> None:
    """Send a body without end."""
    await wire.send(head(None, headers="Transfer-Encoding: chunked\r\n"))
    part = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    while not wire.writer.is_closing():
        await wire.send(part)


async def bomb(wire: Wire) -> None:
    """Send a small body that unpacks to a large one, though nobody asked for that."""
    packed = gzip.compress(b" " * 10_000_000)
    await wire.answer(packed, headers="Content-Encoding: gzip\r\n")


async def inform(wire: Wire) -> None:
    """Send interim answers on and on."""
    while not wire.writer.is_closing():
        await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
        await pause(0.5)


async def redirect(wire: Wire) -> None:
    """Send the caller elsewhere, with its token if it goes."""
    await wire.answer(b"", status="307 Temporary Redirect", headers="Location: /elsewhere\r\n")


async def another(wire: Wire) -> None:
    """Answer about somebody else's training, in whatever shape was asked for."""
    training = {
        "workloadId": OTHER_ID,
        "id": OTHER_ID,
        "name": "somebody-elses",
        "type": "Training",
        "phase": "Completed",
        "actualPhase": "Completed",
    }
    await wire.answer(json.dumps({**training, "workloads": [training]}).encode())


def body(content: bytes) -> Breaking:
    """Return what answers 200 with this content."""

    async def breaking(wire: Wire) -> None:
        await wire.answer(content, headers="Content-Type: application/json\r\n")

    return breaking


def status(code: int, headers: str = "") -> Breaking:
    """Return what answers with this status, and quotes the request as some gateways do."""

    async def breaking(wire: Wire) -> None:
        said = {"message": wire.request.decode("latin-1"), "code": code}
        await wire.answer(json.dumps(said).encode(), status=f"{code} So", headers=headers)

    return breaking


BREAKINGS: Mapping[str, Breaking] = MappingProxyType(
    {
        "connection reset": reset,
        "connection closed": close,
        "no answer": say_nothing,
        "cut in the head": cut_head,
        "cut in the body": cut_body,
        "not HTTP": garbage,
        "one byte every 4 s": drip,
        "body without end": oversize,
        "compressed 10 MB": bomb,
        "103 for ever": inform,
        "307": redirect,
        "2xx, HTML": body(HTML),
        "2xx, empty": body(b""),
        "2xx, a list": body(b"[7]"),
        "2xx, no id": body(b"{}"),
        "2xx, another's": another,
        "999": status(999),
        "500": status(500),
        "502": status(502),
        "503": status(503),
        "504": status(504),
        f"503, Retry-After {RETRY_AFTER}": status(503, f"Retry-After: {RETRY_AFTER}\r\n"),
        f"429, Retry-After {RETRY_AFTER}": status(429, f"Retry-After: {RETRY_AFTER}\r\n"),
        "401": status(401),
        "403": status(403),
        "404": status(404),
    }
)
"""The faults of a connection that stands, by the name that they have in the table."""
