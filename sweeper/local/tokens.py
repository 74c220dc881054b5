"""Bearer tokens: given to the one client, and recognised again."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sweeper.local.credentials import PlaneCredentials
from sweeper.local.token_requests import ClientGrant, Grant
from sweeper.ports import Now

LIFE_SECONDS = 3600
REFRESH_LIFE_SECONDS = 24 * 3600


class CredentialsError(Exception):
    """No token for these credentials; the message never holds any of them."""


class _Kind(StrEnum):
    """What a token is good for."""

    BEARER = "Bearer"
    REFRESH = "Refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A new token, for how many seconds it is good, and one to get the next with."""

    token: str = field(repr=False)
    seconds: int
    refresh_token: str = field(repr=False)


class Tokens:
    """Gives tokens to one client and checks them; they have the shape of a JWT.

    They are signed with the credentials' key: as long as that is kept, so are they.
    `life_seconds` may be changed at any time, for the tokens given from then on.
    """

    def __init__(
        self, credentials: PlaneCredentials, *, now: Now, life_seconds: int = LIFE_SECONDS
    ) -> None:
        self.life_seconds = life_seconds
        self._credentials = credentials
        self._now = now
        self._generation = 0

    @property
    def client_id(self) -> str:
        """Whose tokens these are."""
        return self._credentials.client_id

    def grant(self, grant: Grant) -> Granted:
        """Return a new token.

        Raises:
            CredentialsError: the credentials are wrong, or the refresh token is not good.
        """
        if isinstance(grant, ClientGrant):
            known = self._credentials
            id_fits = _is_same(grant.client_id, known.client_id)
            secret_fits = _is_same(grant.client_secret, known.client_secret)
            if not (id_fits and secret_fits):
                raise CredentialsError("the client id or the client secret is wrong")
        elif not self._is_of(grant.refresh_token, _Kind.REFRESH):
            raise CredentialsError("the refresh token is wrong or expired")
        return Granted(
            token=self._signed(_Kind.BEARER, self.life_seconds),
            seconds=self.life_seconds,
            refresh_token=self._signed(_Kind.REFRESH, REFRESH_LIFE_SECONDS),
        )

    def is_good(self, token: str) -> bool:
        """Return whether this is a bearer token of ours that has not expired."""
        static = self._credentials.token
        if static is not None and _is_same(token, static):
            return True
        return self._is_of(token, _Kind.BEARER)

    def revoke_all(self) -> None:
        """Let no token given so far be good any more, until this control plane is opened anew."""
        self._generation += 1

    def _signed(self, kind: _Kind, seconds: int) -> str:
        issued = int(self._now().timestamp())
        claims: Mapping[str, str | int] = {
            "sub": self.client_id,
            "iat": issued,
            "exp": issued + seconds,
            "typ": kind.value,
            "gen": self._generation,
        }
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def _is_of(self, token: str, kind: _Kind) -> bool:
        signed, _, signature = token.rpartition(".")
        if not _is_same(signature, self._signature(signed)):
            return False
        claims = json.loads(_decoded(signed.partition(".")[2]))
        is_current = claims["gen"] >= self._generation and claims["typ"] == kind
        return is_current and datetime.timestamp(self._now()) < float(claims["exp"])

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._credentials.key, signed.encode(), hashlib.sha256).digest()
        return _unpadded(digest)


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _encoded(value: object) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
