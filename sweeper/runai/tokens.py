"""Where bearer tokens come from: a fixed one, or client credentials by the v1 or v2 token call."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from sweeper.domain.values import JsonValue
from sweeper.errors import AuthError, UnsupportedError
from sweeper.runai.answers import finite
from sweeper.wire.reading import read_json

DEFAULT_LIFE_SECONDS = 300.0
"""How long a token is taken to live when nothing says it."""

_MAX_LIFE_SECONDS = 30 * 86_400.0
_MIN_LIFE_SECONDS = 1.0
_RENEW_AT = 0.8
_MAX_LENGTH = 16_384
# Hiding every "a" would hide nothing and leave no message readable.
_MIN_HIDDEN = 4
# A token with a newline makes httpx raise an error that quotes the whole header.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


class TokenVersion(StrEnum):
    """Which token call is made; `AUTO` tries v2 and falls back to v1 where v2 is missing."""

    AUTO = "auto"
    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A service account or a user's access key.

    `secret` is called for each new token, so that a rotated secret is found: pass the
    `get_secret_value` of a pydantic secret, or a `SecretFile`.
    """

    client_id: str
    secret: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedToken:
    """A bearer token that someone else renews; `token` is called again when it is refused."""

    token: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """Reads a secret from a file whenever it is asked for, as mounted secrets are rotated."""

    path: Path

    def __call__(self) -> str:
        """Return the file's content without the space around it."""
        return self.path.read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Token:
    """A token and when to renew it, in the event loop's time; each one is itself only."""

    text: str = field(repr=False)
    renew_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One token call: where to, in which form, and what to send.

    `secrets` are the texts in it that must be hidden wherever the server repeats them.
    """

    path: str
    content_type: str
    content: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a token call gave: the JSON of the answer, and when the other side sent it."""

    body: JsonValue
    date: datetime | None


SendTokenRequest = Callable[[TokenRequest, float], Awaitable[Granted]]
"""Sends a token call, repeating it until the deadline given in the loop's time.

Raises the errors of `sweeper.errors`; `UnsupportedError` where there is no such call.
"""


class TokenSource(Protocol):
    """Gives new tokens; knows nothing of who shares them."""

    @property
    def version(self) -> TokenVersion | None:
        """Which token call gave the newest token, None where none was made."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must be hidden wherever a server repeats them."""
        ...

    async def fetch(self, deadline: float) -> Token:
        """Return a new token.

        Raises:
            AuthError: the credentials were refused, or cannot be used.
            TransientError: not now.
        """
        ...


class FixedTokenSource:
    """Hands out the one token, read anew each time."""

    version: TokenVersion | None = None

    def __init__(self, fixed: FixedToken) -> None:
        self._fixed = fixed

    def secrets(self) -> tuple[str, ...]:
        """Return nothing: what is sent is the token itself, and that is known to its holder."""
        return ()

    async def fetch(self, deadline: float) -> Token:  # noqa: ARG002 # there is nothing to wait for
        """Return the token as it is given now; it never needs renewing before it is refused."""
        text = usable_token(_secret(self._fixed.token, "the bearer token"))
        if text is None:
            raise AuthError("the bearer token given is empty or no bearer token")
        never = float("inf")
        return Token(text=text, renew_at=never, expires_at=never)


class ClientCredentialsSource:
    """Trades client id and secret for tokens; with `AUTO`, the `likely` version is tried first."""

    def __init__(
        self,
        credentials: Credentials,
        send: SendTokenRequest,
        version: TokenVersion = TokenVersion.AUTO,
        likely: TokenVersion | None = None,
    ) -> None:
        self._credentials = credentials
        self._send = send
        # The likelier call comes first.
        self._versions = tuple(sorted(_TRIED[version], key=lambda one: one is not likely))
        self._secret = ""
        self._found: TokenVersion | None = None

    @property
    def version(self) -> TokenVersion | None:
        """Which token call gave the newest token, None before the first."""
        return self._found

    def secrets(self) -> tuple[str, ...]:
        """Return the client secret that was used last."""
        return (self._secret,)

    async def fetch(self, deadline: float) -> Token:
        """Return a new token, by whichever call this control plane has."""
        # A few bytes of a local file, once per life of a token: not worth a thread.
        self._secret = _secret(self._credentials.secret, "the client secret")
        asked_at = asyncio.get_running_loop().time()
        granted = await self._ask(deadline)
        token = read_token(granted, asked_at)
        if token is None:
            raise AuthError("the token call gave something that is no bearer token")
        return token

    async def _ask(self, deadline: float) -> Granted:
        """Make the token call that this control plane has, finding out which one if need be."""
        for version in self._versions:
            request = token_request(version, self._credentials.client_id, self._secret)
            try:
                granted = await self._send(request, deadline)
            except UnsupportedError:
                continue
            self._versions = (version, *(it for it in self._versions if it is not version))
            self._found = version
            return granted
        paths = " or ".join(_PATHS[version] for version in self._versions)
        raise AuthError(f"the control plane has no token call at {paths}; is the base URL right?")


_TRIED = {
    TokenVersion.AUTO: (TokenVersion.V2, TokenVersion.V1),
    TokenVersion.V1: (TokenVersion.V1,),
    TokenVersion.V2: (TokenVersion.V2,),
}
_PATHS = {TokenVersion.V1: "/api/v1/token", TokenVersion.V2: "/api/v2/token"}


def token_request(version: TokenVersion, client_id: str, secret: str) -> TokenRequest:
    """Return the token call of that version (v1 or v2) for these credentials."""
    if version is TokenVersion.V1:
        body = {
            "grantType": "client_credentials",
            "clientID": client_id,
            "clientSecret": secret,
        }
        content = json.dumps(body).encode()
        return TokenRequest(
            path=_PATHS[version],
            content_type="application/json",
            content=content,
            secrets=(secret,),
        )
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
    }
    return TokenRequest(
        path=_PATHS[TokenVersion.V2],
        content_type="application/x-www-form-urlencoded",
        content=urlencode(form).encode(),
        secrets=(secret,),
    )


def read_token(granted: Granted, asked_at: float) -> Token | None:
    """Return the token in the answer to a call made at `asked_at`, None when it holds none.

    Its life is counted from before the call, so that we never hold it for longer than it lives.
    """
    body = granted.body if isinstance(granted.body, Mapping) else {}
    text = usable_token(body.get("access_token") or body.get("accessToken"))
    if text is None:
        return None
    life = (
        _life(finite(body.get("expires_in")))
        or _life(finite(body.get("expiresIn")))
        or _life_in_jwt(text, granted.date)
        or DEFAULT_LIFE_SECONDS
    )
    return Token(text=text, renew_at=asked_at + _RENEW_AT * life, expires_at=asked_at + life)


def usable_token(text: object) -> str | None:
    """Return a token fit for a header, None for anything else."""
    if not isinstance(text, str) or len(text) > _MAX_LENGTH:
        return None
    stripped = text.strip()
    return stripped if _TOKEN.fullmatch(stripped) else None


def hide(content: bytes, secrets: Sequence[str]) -> bytes:
    """Return `content` without the secrets, also where they are spelled for JSON or a form."""
    for secret in secrets:
        for spelling in {secret, json.dumps(secret)[1:-1], quote_plus(secret)}:
            if len(spelling) >= _MIN_HIDDEN:
                content = content.replace(spelling.encode(), b"***")
    return content


def _life_in_jwt(text: str, date: datetime | None) -> float | None:
    """Return how long a JWT lives by its own word, None where that cannot be told.

    Nothing is verified: whoever sent the token could as well have sent its life. The other
    side's clocks are compared with each other only, never with ours.
    """
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = read_json(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
    if not isinstance(claims, Mapping):
        return None
    expires, issued = finite(claims.get("exp")), finite(claims.get("iat"))
    if expires is None:
        return None
    by_header = _life(expires - date.timestamp()) if date else None
    return by_header or (_life(expires - issued) if issued is not None else None)


def _life(seconds: float | None) -> float | None:
    """Return a life that makes sense, None for one that does not."""
    if seconds is None or not seconds > 0:
        return None
    return min(max(seconds, _MIN_LIFE_SECONDS), _MAX_LIFE_SECONDS)


def _secret(read: Callable[[], str], name: str) -> str:
    """Return a secret without the space around it."""
    try:
        text = read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AuthError(f"{name} cannot be read ({type(error).__name__})") from error
    if not text:
        raise AuthError(f"{name} is empty")
    return text
