import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.credentials import PlaneCredentials, fresh_credentials
from sweeper.local.token_requests import ClientGrant, RefreshGrant
from sweeper.local.tokens import CredentialsError, Tokens
from tests.local.builders import NOW

CREDENTIALS = PlaneCredentials(client_id="local", client_secret="hunter2", key=b"k3y")
GRANT = ClientGrant(client_id="local", client_secret="hunter2")


def tokens(seconds: float = 0, credentials: PlaneCredentials = CREDENTIALS) -> Tokens:
    return Tokens(credentials, now=lambda: NOW + timedelta(seconds=seconds))


def test_a_token_given_is_good_for_an_hour() -> None:
    granted = tokens().grant(GRANT)

    assert granted.seconds == 3600
    assert tokens(3599).is_good(granted.token)
    assert not tokens(3600).is_good(granted.token)


def test_tokens_may_live_shorter() -> None:
    giver = tokens()
    giver.life_seconds = 5

    granted = giver.grant(GRANT)

    assert granted.seconds == 5
    assert not tokens(5).is_good(granted.token)


def test_a_token_has_the_shape_that_clients_read_its_life_from() -> None:
    payload = tokens().grant(GRANT).token.split(".")[1]

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    issued = int(NOW.timestamp())
    assert claims == {"sub": "local", "iat": issued, "exp": issued + 3600, "typ": "Bearer"} | {
        "gen": 0
    }


@pytest.mark.parametrize(
    "credentials", [("local", "wrong"), ("other", "hunter2"), ("", ""), ("löcal", "hünter2")]
)
def test_wrong_credentials_give_no_token(credentials: tuple[str, str]) -> None:
    client_id, client_secret = credentials

    with pytest.raises(CredentialsError) as refusal:
        tokens().grant(ClientGrant(client_id=client_id, client_secret=client_secret))

    assert "hunter2" not in str(refusal.value)


def test_a_refresh_token_gets_the_next_token_and_is_no_bearer_token() -> None:
    granted = tokens().grant(GRANT)

    following = tokens(7200).grant(RefreshGrant(refresh_token=granted.refresh_token))

    assert tokens(7201).is_good(following.token)
    assert not tokens().is_good(granted.refresh_token)


@pytest.mark.parametrize("seconds", [0, 24 * 3600], ids=["a bearer token", "expired"])
def test_a_refresh_token_that_is_none_gets_nothing(seconds: float) -> None:
    granted = tokens().grant(GRANT)
    shown = granted.refresh_token if seconds else granted.token

    with pytest.raises(CredentialsError):
        tokens(seconds).grant(RefreshGrant(refresh_token=shown))


def test_a_token_outlives_its_opening_only_while_the_key_is_kept() -> None:
    token = tokens().grant(GRANT).token

    assert tokens().is_good(token)
    assert not tokens(credentials=fresh_credentials()).is_good(token)


def test_tokens_can_be_revoked_all_at_once() -> None:
    giver = tokens()
    granted = giver.grant(GRANT)

    giver.revoke_all()

    assert not giver.is_good(granted.token)
    with pytest.raises(CredentialsError):
        giver.grant(RefreshGrant(refresh_token=granted.refresh_token))
    assert giver.is_good(giver.grant(GRANT).token)


def test_a_token_that_was_declared_is_good_for_ever() -> None:
    declared = PlaneCredentials(client_id="a", client_secret="b", key=b"c", token="open sesame")

    assert tokens(10**9, declared).is_good("open sesame")
    assert not tokens(credentials=declared).is_good("open")


@settings(max_examples=50, deadline=None)
@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_no_other_text_is_a_good_token(text: str) -> None:
    assert not tokens().is_good(text)


def test_no_secret_shows_in_a_representation() -> None:
    granted = tokens().grant(GRANT)
    shown = (
        f"{CREDENTIALS!r}{GRANT!r}{granted!r}{RefreshGrant(refresh_token='hunter2')!r}{tokens()!r}"
    )

    assert not any(secret in shown for secret in ("hunter2", "k3y", granted.token))
