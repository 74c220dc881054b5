import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.tokens import (
    CredentialsError,
    TokenRequestError,
    Tokens,
    credentials_v1,
    credentials_v2,
)
from tests.local.builders import NOW


def tokens(seconds: float = 0) -> Tokens:
    return Tokens(
        client_id="local",
        client_secret="hunter2",
        now=lambda: NOW + timedelta(seconds=seconds),
        _key=b"key",
    )


def test_a_token_given_is_good_for_an_hour() -> None:
    token = tokens().grant("local", "hunter2")

    assert tokens(3599).is_good(token)
    assert not tokens(3600).is_good(token)


def test_a_token_has_the_shape_that_clients_read_its_life_from() -> None:
    payload = tokens().grant("local", "hunter2").split(".")[1]

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    issued = int(NOW.timestamp())
    assert claims == {"sub": "local", "iat": issued, "exp": issued + 3600}


@pytest.mark.parametrize(
    "credentials", [("local", "wrong"), ("other", "hunter2"), ("", ""), ("löcal", "hünter2")]
)
def test_wrong_credentials_give_no_token(credentials: tuple[str, str]) -> None:
    with pytest.raises(CredentialsError) as refusal:
        tokens().grant(*credentials)

    assert "hunter2" not in str(refusal.value)


def test_a_token_of_another_opening_is_not_good() -> None:
    other = Tokens(client_id="local", client_secret="hunter2", now=lambda: NOW)

    assert not tokens().is_good(other.grant("local", "hunter2"))


@settings(max_examples=50, deadline=None)
@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_no_other_text_is_a_good_token(text: str) -> None:
    assert not tokens().is_good(text)


def test_no_secret_shows_in_a_representation() -> None:
    assert "hunter2" not in repr(tokens())
    assert "key" not in repr(tokens()).replace("_key", "")


@pytest.mark.parametrize("id_key", ["clientID", "clientId", "AppId", "appID", "client_id"])
@pytest.mark.parametrize("secret_key", ["clientSecret", "AppSecret"])
def test_the_v1_call_takes_every_spelling_in_use(id_key: str, secret_key: str) -> None:
    body = {"grantType": "app_token", id_key: "a", secret_key: "b"}

    assert credentials_v1(json.dumps(body).encode()) == ("a", "b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"grantType": "password", "clientId": "a", "clientSecret": "b"}',
        b'{"grantType": ["app_token"], "clientId": "a", "clientSecret": "b"}',
        b'{"clientId": 1, "clientSecret": "b"}',
    ],
)
def test_a_malformed_v1_call_is_refused(body: bytes) -> None:
    with pytest.raises(TokenRequestError):
        credentials_v1(body)


def test_the_v2_call_is_a_form() -> None:
    body = b"grant_type=client_credentials&client_id=a%2Bb&client_secret=c+d"

    assert credentials_v2(body) == ("a+b", "c d")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"grant_type=password&client_id=a&client_secret=b",
        b"client_id=a&client_secret=b",
        b"grant_type=client_credentials&client_id=a",
        b"&".join(b"a=%d" % number for number in range(100)),
    ],
)
def test_a_malformed_v2_call_is_refused(body: bytes) -> None:
    with pytest.raises(TokenRequestError):
        credentials_v2(body)


@settings(max_examples=50, deadline=None)
@given(
    st.binary(max_size=40)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_any_body_has_an_answer(body: bytes) -> None:
    found: list[Any] = []

    for read in (credentials_v1, credentials_v2):
        with pytest.raises(TokenRequestError):
            found.append(read(body))

    assert not found
