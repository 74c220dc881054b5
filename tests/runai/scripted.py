"""A control plane that answers by script, behind httpx.MockTransport, and calls to make of it."""

import base64
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx

from sweeper.runai.auth import TokenAuth
from sweeper.runai.calls import Calls, Sender
from sweeper.runai.operations import Observer, Operation
from sweeper.runai.tokens import ClientCredentialsSource, Credentials, TokenVersion
from sweeper.runai.transport import BoundedTransport

BASE_URL = "https://runai.example.com"
SECRET = 'canary-client-secret/+"'
TOKEN = "canary.access.token-1"
WORKLOAD_ID = "8f3e4b6a-2c51-4e0b-9a7d-5f1c2d3e4f50"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Step: TypeAlias = httpx.Response | Exception | Callable[[httpx.Request], Any]


@dataclass
class Script:
    """Gives each request the next step of its path (the last one for ever) and notes it down.

    A step is a response, an exception to raise, or a function of the request, which may be async.
    """

    steps: dict[str, list[Step]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, path: str, *steps: Step) -> "Script":
        """Set the steps of a path."""
        self.steps[path] = list(steps)
        return self

    def paths(self) -> list[str]:
        """Return the paths asked so far."""
        return [request.url.path for request in self.requests]

    def count(self, path: str) -> int:
        """Return how often a path was asked."""
        return self.paths().count(path)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        # A replay changes the request in place.
        self.requests.append(
            httpx.Request(
                request.method,
                request.url,
                headers=httpx.Headers(request.headers),
                content=request.content,
            )
        )
        steps = self.steps.get(request.url.path)
        if not steps:
            return httpx.Response(404, json={"code": 404, "message": "Resource id not found."})
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            # A response can be read once only, and the last step is given again and again.
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        made = step(request)
        return made if isinstance(made, httpx.Response) else await made


@dataclass
class Heard:
    """What an observer heard."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    retries: list[tuple[str, str]] = field(default_factory=list)
    breaker: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)

    def observer(self) -> Observer:
        """Return the observer that notes down here."""

        def on_request(operation: Operation, status: str, seconds: float) -> None:
            assert seconds >= 0
            self.requests.append((operation, status))

        def on_retry(operation: Operation, reason: str) -> None:
            self.retries.append((operation, reason))

        return Observer(
            on_request=on_request,
            on_retry=on_retry,
            on_breaker=self.breaker.append,
            on_rate=self.rates.append,
            on_token=self.tokens.append,
        )


@dataclass
class Wired:
    """Calls and their token, ready to be made."""

    calls: Calls
    auth: TokenAuth
    heard: Heard


@asynccontextmanager
async def wired(
    transport: httpx.AsyncBaseTransport | Script,
    *,
    base_url: str = BASE_URL,
    secret: Callable[[], str] = lambda: SECRET,
    version: TokenVersion = TokenVersion.V2,
    deadline_seconds: float = 15.0,
    keep: bool = True,
) -> AsyncIterator[Wired]:
    """Open calls over `transport`."""
    inner = httpx.MockTransport(transport) if isinstance(transport, Script) else transport
    heard = Heard()
    bounded = BoundedTransport(lambda: inner, keep=keep, observer=heard.observer())
    async with httpx.AsyncClient(transport=bounded, base_url=base_url, trust_env=False) as client:
        calls = Calls(
            Sender(client, now=lambda: NOW),
            rng=random.Random(7),
            observer=heard.observer(),
            deadline_seconds=deadline_seconds,
        )
        credentials = Credentials(client_id="sweeper", secret=secret)
        source = ClientCredentialsSource(credentials, calls.grant, version)
        auth = TokenAuth(source, heard.observer())
        yield Wired(calls=calls, auth=auth, heard=heard)


def token_answer(text: str = TOKEN, **fields: Any) -> httpx.Response:
    """Return an answer of the v2 token call."""
    return httpx.Response(200, json={"access_token": text, "token_type": "Bearer", **fields})


def numbered_tokens(life: float = 3600.0) -> Callable[[httpx.Request], httpx.Response]:
    """Return a token call that gives `token-1`, `token-2` and so on."""
    given = iter(range(1, 1_000_000))
    return lambda _request: token_answer(f"token-{next(given)}", expires_in=life)


def jwt(claims: object) -> str:
    """Return an unsigned JWT."""
    parts = [{"alg": "none"}, claims, "signature"]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join(part.decode().rstrip("=") for part in encoded)


def bearers(requests: Sequence[httpx.Request]) -> list[str]:
    """Return the token of each request that carries one."""
    heads = [request.headers.get("authorization", "") for request in requests]
    return [head.removeprefix("Bearer ") for head in heads if head]
