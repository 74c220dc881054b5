"""What every face of the daemon has in common: bounded bodies, JSON answers, errors as words."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from sweeper.errors import StoreError

_log = logging.getLogger(__name__)

BODY_SECONDS = 10.0
"""How long a client may take to send the body of a request."""


class JsonAnswer(JSONResponse):
    """An answer in JSON on which nothing of a number or a text is lost."""

    def render(self, content: Any) -> bytes:
        """Return the bytes; ASCII only, so that even a lone surrogate can be sent."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


async def bounded_body(request: Request, bound: int) -> bytes:
    """Return the body of a request, which may hold `bound` bytes.

    Raises:
        HTTPException: 413 when it is larger, 408 when it does not come in time, 400 when the
            client goes away.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > bound:
        raise HTTPException(413, f"the body may have {bound} bytes")
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                parts += part
                if len(parts) > bound:
                    raise HTTPException(413, f"the body may have {bound} bytes")
    except TimeoutError as error:
        raise HTTPException(408, "the body did not come in time") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the body was cut") from error
    return bytes(parts)


def refused(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that says, in words, why a request is not served."""
    return JsonAnswer({"error": message}, status_code=status, headers=headers)


async def _on_http_exception(_: Request, error: HTTPException) -> Response:
    return refused(error.status_code, error.detail, error.headers)


async def _on_store_error(_: Request, error: StoreError) -> Response:
    _log.warning("a request cannot be served: %s", error)
    message = "the store cannot be used for now; the daemon's log says why"
    return refused(503, message, {"Retry-After": "5"})


EXCEPTION_HANDLERS: Mapping[Any, Any] = {
    HTTPException: _on_http_exception,
    StoreError: _on_store_error,
}
"""For an app of ours: what becomes of the exceptions that its endpoints may raise."""
