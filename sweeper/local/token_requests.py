"""Reading calls for a token, in both versions and all spellings in use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

from sweeper.domain.values import JsonValue
from sweeper.wire.reading import UnreadableError, read_json


class TokenRequestError(Exception):
    """The token call is malformed, or of a kind that is not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGrant:
    """A call with a client's id and secret; `is_user` where they came as a user's."""

    client_id: str
    client_secret: str = field(repr=False)
    is_user: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """A call with a refresh token."""

    refresh_token: str = field(repr=False)


Grant: TypeAlias = ClientGrant | RefreshGrant

_ID_KEYS = ("clientid", "appid", "client_id")
_SECRET_KEYS = ("clientsecret", "appsecret", "client_secret")
_REFRESH_KEYS = ("refreshtoken", "refresh_token")
_OFFERED = "client_credentials, app_token, password, refresh_token"


def read_v1(content: bytes) -> Grant:
    """Return what the JSON of a v1 token call asks for.

    Names are taken in any case, as clients in the wild write clientID, clientId, AppId, appID.

    Raises:
        TokenRequestError: something is missing, or the grant is another one.
    """
    try:
        body = read_json(content)
    except UnreadableError as error:
        raise TokenRequestError(f"the body cannot be read: {error}") from error
    if not isinstance(body, Mapping):
        raise TokenRequestError("the body must be a JSON object")
    members = {key.lower(): value for key, value in body.items()}
    return _grant(members, members.get("granttype", "client_credentials"))


def read_v2(content: bytes) -> Grant:
    """Return what the form of a v2 token call asks for.

    Raises:
        TokenRequestError: something is missing, or the grant is another one.
    """
    try:
        members: dict[str, JsonValue] = dict(parse_qsl(content.decode(), max_num_fields=50))
    except ValueError as error:
        raise TokenRequestError("the body must be a form") from error
    return _grant(members, members.get("grant_type"))


def _grant(members: Mapping[str, JsonValue], kind: JsonValue) -> Grant:
    match kind:
        case "client_credentials" | "app_token":
            client_id = _text(members, _ID_KEYS, "client id")
            return ClientGrant(
                client_id=client_id, client_secret=_text(members, _SECRET_KEYS, "client secret")
            )
        case "password":
            return ClientGrant(
                client_id=_text(members, ("username",), "username"),
                client_secret=_text(members, ("password",), "password"),
                is_user=True,
            )
        case "refresh_token":
            return RefreshGrant(refresh_token=_text(members, _REFRESH_KEYS, "refresh token"))
        case _:
            raise TokenRequestError(f"this kind of grant is not offered: use one of {_OFFERED}")


def _text(members: Mapping[str, JsonValue], keys: tuple[str, ...], words: str) -> str:
    for key in keys:
        if isinstance(text := members.get(key), str):
            return text
    raise TokenRequestError(f"the {words} is missing")
