"""Bearer tokens: given for client credentials, and recognised again."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from sweeper.domain.values import JsonValue
from sweeper.ports import Now
from sweeper.wire.reading import UnreadableError, read_json

LIFE_SECONDS = 3600

_ID_KEYS = frozenset({"clientid", "appid", "client_id"})
_SECRET_KEYS = frozenset({"clientsecret", "appsecret", "client_secret"})
_GRANTS = ("client_credentials", "app_token")


class CredentialsError(Exception):
    """No token for these credentials; the message never holds any of them."""


class TokenRequestError(Exception):
    """The token call is malformed, or of a kind that is not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Gives tokens to one client and checks them; they have the shape of a JWT.

    Tokens are signed with a key that is made with the object, so none outlives it.
    """

    client_id: str
    client_secret: str = field(repr=False)
    now: Now
    life_seconds: int = LIFE_SECONDS
    _key: bytes = field(repr=False, default_factory=lambda: secrets.token_bytes(32))

    def grant(self, client_id: str, client_secret: str) -> str:
        """Return a new token.

        Raises:
            CredentialsError: they are wrong.
        """
        id_fits = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        secret_fits = hmac.compare_digest(client_secret.encode(), self.client_secret.encode())
        if not (id_fits and secret_fits):
            raise CredentialsError("the client id or the client secret is wrong")
        issued = int(self.now().timestamp())
        claims = {"sub": self.client_id, "iat": issued, "exp": issued + self.life_seconds}
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def is_good(self, token: str) -> bool:
        """Return whether this is a token of ours that has not expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return False
        claims = json.loads(_decoded(signed.partition(".")[2]))
        return datetime.timestamp(self.now()) < float(claims["exp"])

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return _unpadded(digest)


def credentials_v1(content: bytes) -> tuple[str, str]:
    """Return client id and secret from the JSON of a v1 token call.

    Names are taken in any case, as clients in the wild write clientID, clientId, AppId, appID.

    Raises:
        TokenRequestError: they are missing, or the grant is another one.
    """
    try:
        body = read_json(content)
    except UnreadableError as error:
        raise TokenRequestError(f"the body cannot be read: {error}") from error
    if not isinstance(body, Mapping):
        raise TokenRequestError("the body must be a JSON object")
    members = {key.lower(): value for key, value in body.items()}
    return _credentials(members, members.get("granttype", "client_credentials"))


def credentials_v2(content: bytes) -> tuple[str, str]:
    """Return client id and secret from the form of a v2 token call.

    Raises:
        TokenRequestError: they are missing, or the grant is another one.
    """
    try:
        members: dict[str, JsonValue] = dict(parse_qsl(content.decode(), max_num_fields=50))
    except ValueError as error:
        raise TokenRequestError("the body must be a form") from error
    return _credentials(members, members.get("grant_type"))


def _credentials(members: Mapping[str, JsonValue], grant: JsonValue) -> tuple[str, str]:
    if grant not in _GRANTS:
        raise TokenRequestError("this kind of grant is not offered: use client_credentials")
    found = [
        next((text for key in keys if isinstance(text := members.get(key), str)), None)
        for keys in (_ID_KEYS, _SECRET_KEYS)
    ]
    client_id, client_secret = found
    if client_id is None or client_secret is None:
        raise TokenRequestError("client id and client secret are required")
    return client_id, client_secret


def _encoded(value: object) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
