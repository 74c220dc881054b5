"""What is done with the bytes that a control plane answers; raises only where we are wrong."""

import asyncio
import atexit
import contextlib
import math
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx
import looptime

from sweeper.errors import AuthError, ControlPlaneError, SettingsError
from sweeper.runai.answers import MAX_RETRY_AFTER_SECONDS, read_date, read_retry_after
from sweeper.runai.client import RunaiControlPlane
from sweeper.runai.directory import Directory
from sweeper.runai.tokens import (
    FixedToken,
    FixedTokenSource,
    Granted,
    SecretFile,
    TokenVersion,
    read_token,
)
from sweeper.wire.reading import UnreadableError, read_json
from tests.runai.scripted import NOW, token_answer, wired
from tests.runai.test_any_answer import CALLS

LONGEST_MESSAGE = 4_000

_SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-"))
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)
_HEADERS = (b"retry-after", b"date", b"content-type", b"location", b"set-cookie")


def answer(data: bytes) -> None:
    """Give one call an answer: its first byte is the call, two are status, headers, then a body."""
    call, hundreds, rest, *_ = [*data[:3], 0, 0, 0]
    ask = list(CALLS.values())[call % len(CALLS)]
    status = 100 + (hundreds % 6) * 100 + rest % 100
    head, _, body = data[3:].partition(b"\n\n")
    given = [line.partition(b":") for line in head.split(b"\n")]
    headers = [(_HEADERS[name[0] % len(_HEADERS)], text) for name, _, text in given if name]

    def anything(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return token_answer()
        return httpx.Response(status, headers=headers, content=body)

    async def made() -> None:
        async with wired(httpx.MockTransport(anything)) as there:

            async def make(one: Any) -> Any:
                return await there.calls.make(one, there.auth)

            with _ours_alone():
                await ask(RunaiControlPlane(make, "7"), Directory(make))

    _in_virtual_time(made())


def token_answer_of_either_call(data: bytes) -> None:
    """Give the token call an answer: version by its first byte, status by the second, then body."""
    version = TokenVersion.V1 if data[:1] < b"a" else TokenVersion.V2
    status = 200 if data[1:2] < b"\x80" else 100 + data[1] * 3
    body = data[2:]

    def anything(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(status, content=body)
        bearer = request.headers["authorization"]
        assert bearer.removeprefix("Bearer ").isascii()
        return httpx.Response(200, json={"workloads": []})

    async def made() -> None:
        async with wired(httpx.MockTransport(anything), version=version) as there:

            async def make(one: Any) -> Any:
                return await there.calls.make(one, there.auth)

            with _ours_alone():
                await RunaiControlPlane(make, "7").observe("swp-")

    _in_virtual_time(made())


def token_life(data: bytes) -> None:
    """Read a token and its life from JSON, or from a JWT that is the whole text."""
    try:
        body = read_json(data)
    except UnreadableError:
        body = {"access_token": data.decode("latin-1")}
    for date in (None, NOW):
        token = read_token(Granted(body=body, date=date), asked_at=100.0)
        if token is not None:
            assert token.text.isascii()
            assert math.isfinite(token.expires_at)
            assert 100.0 < token.renew_at < token.expires_at


def token_file(data: bytes) -> None:
    """Read a token from a file."""
    file = _SCRATCH / "token"
    file.write_bytes(data)
    source = FixedTokenSource(FixedToken(token=SecretFile(file)))
    try:
        token = asyncio.run(source.fetch(0.0))
    except AuthError as error:
        _legible(error)
        return
    assert token.text.isascii()
    assert token.text.isprintable()


def retry_after(data: bytes) -> None:
    """Read a Retry-After, beside a Date where there is a second line."""
    wait, _, date = data.decode("latin-1").partition("\n")
    headers = {"retry-after": wait} | ({"date": date} if date else {})
    seconds = read_retry_after(headers, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
    read_date(date)


@contextlib.contextmanager
def _ours_alone() -> Any:
    """Let our own errors pass, when a person can be told what they say."""
    try:
        yield
    except (ControlPlaneError, SettingsError) as error:
        _legible(error)


def _legible(error: Exception) -> None:
    text = str(error)
    assert len(text) <= LONGEST_MESSAGE, len(text)
    assert text.isprintable(), text


def _in_virtual_time(made: Coroutine[Any, Any, None]) -> None:
    loop = looptime.new_event_loop(end=10_000)
    try:
        loop.run_until_complete(made)
    finally:
        loop.close()
