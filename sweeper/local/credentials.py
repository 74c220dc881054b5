"""Who may come in: one client, made anew or kept with the state."""

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import SettingsError

CLIENT_ID = "local"

FILE = "credentials.json"
"""The name of the file in which a state folder keeps them."""

_LONGEST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneCredentials:
    """What the one client shows, and the key that tokens are signed with.

    `token` is a bearer token that is good for ever, None where there is none.
    """

    client_id: str
    client_secret: str = field(repr=False)
    key: bytes = field(repr=False)
    token: str | None = field(default=None, repr=False)


def fresh_credentials() -> PlaneCredentials:
    """Return credentials that nobody has seen: no token outlives them."""
    return PlaneCredentials(
        client_id=CLIENT_ID,
        client_secret=secrets.token_urlsafe(32),
        key=secrets.token_bytes(32),
    )


def kept_credentials(directory: Path) -> PlaneCredentials:
    """Return the credentials of a state folder, made the first time, for its owner's eyes only.

    Raises:
        SettingsError: they can be neither read nor made.
    """
    file = directory / FILE
    try:
        return _read(file)
    except FileNotFoundError:
        return _keep(file, fresh_credentials())
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        remedy = "move it away, and new credentials are made"
        raise SettingsError(f"{file}: holds no credentials: {remedy}") from error


def _read(file: Path) -> PlaneCredentials:
    with file.open("rb") as opened:
        found = json.loads(opened.read(_LONGEST))
    client_id, client_secret, key = (found[name] for name in ("clientId", "clientSecret", "key"))
    if not (client_id and client_secret and key):
        raise ValueError("empty")
    try:
        return PlaneCredentials(
            client_id=client_id + "",
            client_secret=client_secret + "",
            key=base64.b64decode(key, validate=True),
        )
    except binascii.Error as error:
        raise ValueError("no key") from error


def _keep(file: Path, made: PlaneCredentials) -> PlaneCredentials:
    """Write them so that of two control planes starting at once both have the same."""
    part = file.with_name(f"{FILE}.{secrets.token_hex(4)}.part")
    value = {
        "clientId": made.client_id,
        "clientSecret": made.client_secret,
        "key": base64.b64encode(made.key).decode("ascii"),
    }
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            json.dump(value, opened)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            # A link, unlike a rename, leaves a file alone that is there by now.
            file.hardlink_to(part)
        finally:
            part.unlink()
    except FileExistsError:
        return kept_credentials(file.parent)
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be written: {error.strerror}; name another folder with --state-dir"
        ) from error
    return made
