"""The one place that sends a request: gate, token, deadline, size, classification, repetition."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import TypeAlias, TypeVar
from urllib.parse import urlencode

import httpx

from sweeper.domain.values import JsonValue, plain
from sweeper.errors import AmbiguousError, TrainingGoneError
from sweeper.ports import Now
from sweeper.runai.answers import Answer, read_date, read_retry_after
from sweeper.runai.auth import TokenAuth
from sweeper.runai.classify import Kind, Outcome, classify, error_for
from sweeper.runai.gate import Gate, GatePolicy
from sweeper.runai.operations import Observer, Operation
from sweeper.runai.retrying import repeat
from sweeper.runai.tokens import Granted, TokenRequest, hide
from sweeper.runai.transport import EXTENSION, Bounds

_T = TypeVar("_T")

DEADLINE_SECONDS = 15.0
"""How long one call may take, with its token, its waits and its repeats."""

MAX_BYTES = 1024 * 1024
MAX_LISTING_BYTES = 16 * 1024 * 1024
_URLS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, apart from sending it. `body` is sent as JSON, None sends nothing."""

    operation: Operation
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: JsonValue = field(default=None, repr=False)
    max_bytes: int = MAX_BYTES


MakeCall: TypeAlias = Callable[[Call], Awaitable[JsonValue]]
"""Makes a call with all that belongs to one: token, gate, deadline, repetition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of one request: its outcome, the other side's time, and what broke it off."""

    outcome: Outcome
    date: datetime | None = None
    cause: Exception | None = None


# OSError is for what httpx lets through from the loop and from TLS.
_NO_ANSWER = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
    OSError,
)


class Sender:
    """Sends single requests over a client that its caller opens and closes."""

    def __init__(self, client: httpx.AsyncClient, *, now: Now) -> None:
        self._client = client
        self._now = now
        # The same few are sent over and over, and to parse one costs more than to build a request.
        self._url = lru_cache(maxsize=_URLS)(partial(_url, str(client.base_url).rstrip("/")))

    async def send(
        self,
        request: httpx.Request,
        *,
        auth: httpx.Auth | None = None,
        secrets: Callable[[], Sequence[str]] = tuple,
    ) -> Reply:
        """Return what became of a request that carries `Bounds`.

        `secrets` tells, once the answer is there, what to hide where the server repeats it.

        Raises:
            ControlPlaneError: from `auth`, which had no token to give.
        """
        bounds: Bounds = request.extensions[EXTENSION]
        try:
            response = await self._client.send(request, auth=auth)
        except _NO_ANSWER as error:
            return Reply(outcome=classify(bounds.operation, error), cause=_harmless(error))
        content = response.content
        answer = Answer(
            status=response.status_code,
            content=content if response.is_success else hide(content, secrets()),
            retry_after=read_retry_after(response.headers, self._now()),
        )
        date = read_date(response.headers.get("date"))
        return Reply(outcome=classify(bounds.operation, answer), date=date)

    def request(
        self,
        call: Call,
        deadline: float,
        *,
        content: bytes | None = None,
        content_type: str = "application/json",
    ) -> httpx.Request:
        """Return the request for a call, with `content` as it is in place of the JSON body."""
        if content is None and call.body is not None:
            content = json.dumps(plain(call.body), allow_nan=False).encode()
        headers = self._client.headers.copy()
        if content is not None:
            headers["Content-Type"] = content_type
        return httpx.Request(
            call.method,
            self._url(call.path, tuple(call.params.items())),
            content=content,
            headers=headers,
            extensions={
                EXTENSION: Bounds(
                    operation=call.operation, deadline=deadline, max_bytes=call.max_bytes
                )
            },
        )


def _url(base: str, path: str, params: Sequence[tuple[str, str]]) -> httpx.URL:
    return httpx.URL(f"{base}{path}?{urlencode(params)}" if params else f"{base}{path}")


class Calls:
    """Makes calls with a token, through the gate, repeating what does no harm when repeated."""

    def __init__(
        self,
        sender: Sender,
        *,
        rng: random.Random,
        observer: Observer,
        policy: GatePolicy | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._sender = sender
        self._gate = Gate(policy, rng=rng, observer=observer)
        self._rng = rng
        self._observer = observer
        self._deadline_seconds = deadline_seconds

    async def make(self, call: Call, auth: TokenAuth) -> JsonValue:
        """Return the JSON of a good answer, None where it has none.

        Only a create is never repeated.

        Raises:
            ControlPlaneError: the one that `classify` finds, or what the gate or the token meet.
        """
        deadline = asyncio.get_running_loop().time() + self._deadline_seconds
        attempt = partial(self._attempt, call, auth, deadline)
        if call.operation is Operation.CREATE:
            return await attempt()
        if call.operation is Operation.DELETE:
            attempt = partial(_Deletion().attempt, attempt)
        return await self._repeat(attempt, call.operation, deadline)

    async def grant(self, token_request: TokenRequest, deadline: float) -> Granted:
        """Make a token call; it takes no slot, as the call that needs the token holds one."""
        call = Call(operation=Operation.TOKEN, method="POST", path=token_request.path)

        async def attempt() -> Granted:
            request = self._sender.request(
                call,
                deadline,
                content=token_request.content,
                content_type=token_request.content_type,
            )
            reply = await self._sender.send(request, secrets=lambda: token_request.secrets)
            return Granted(body=self._settle(reply), date=reply.date)

        return await self._repeat(attempt, Operation.TOKEN, deadline)

    async def _attempt(self, call: Call, auth: TokenAuth, deadline: float) -> JsonValue:
        """Make a call once."""
        async with self._gate.slot(call.operation, deadline):
            request = self._sender.request(call, deadline)
            reply = await self._sender.send(request, auth=auth, secrets=auth.secrets)
            # Inside, so that the gate learns from the error how the host is.
            return self._settle(reply)

    def _settle(self, reply: Reply) -> JsonValue:
        """Return what a good reply holds; raise what any other one stands for."""
        outcome = reply.outcome
        if outcome.kind is Kind.OK:
            return outcome.body
        if outcome.retry_after is not None:
            self._gate.hold_back(outcome.retry_after)
        raise error_for(outcome) from reply.cause

    async def _repeat(
        self, attempt: Callable[[], Awaitable[_T]], operation: Operation, deadline: float
    ) -> _T:
        """Return what `attempt` returns, repeated within the deadline."""
        return await repeat(
            attempt,
            operation=operation,
            deadline=deadline,
            rng=self._rng,
            observer=self._observer,
            may_repeat=partial(self._gate.may_repeat, operation),
        )


class _Deletion:
    """Takes what is gone after an attempt that was left open for deleted by that attempt."""

    def __init__(self) -> None:
        self._left_open = False

    async def attempt(self, send: Callable[[], Awaitable[JsonValue]]) -> JsonValue:
        """Make one attempt."""
        try:
            return await send()
        except AmbiguousError:
            self._left_open = True
            raise
        except TrainingGoneError:
            if self._left_open:
                return None
            raise


def _harmless(error: Exception) -> Exception | None:
    """Return an exception fit to be shown as a cause, None for one that may quote a header."""
    return None if isinstance(error, (httpx.ProtocolError, httpx.InvalidURL)) else error
