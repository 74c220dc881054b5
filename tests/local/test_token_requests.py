import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.token_requests import (
    ClientGrant,
    RefreshGrant,
    TokenRequestError,
    read_v1,
    read_v2,
)

A_AND_B = ClientGrant(client_id="a", client_secret="b")
USER = ClientGrant(client_id="a", client_secret="b", is_user=True)


@pytest.mark.parametrize("id_key", ["clientID", "clientId", "AppId", "appID", "client_id"])
@pytest.mark.parametrize("secret_key", ["clientSecret", "AppSecret"])
@pytest.mark.parametrize("grant", ["app_token", "client_credentials", None])
def test_the_v1_call_takes_every_spelling_in_use(
    id_key: str, secret_key: str, grant: str | None
) -> None:
    body = {id_key: "a", secret_key: "b"} | ({"grantType": grant} if grant else {})

    assert read_v1(json.dumps(body).encode()) == A_AND_B


@pytest.mark.parametrize(
    ("body", "grant"),
    [
        ({"grantType": "password", "username": "a", "password": "b"}, USER),
        ({"grantType": "refresh_token", "refreshToken": "c"}, RefreshGrant(refresh_token="c")),
    ],
)
def test_the_v1_call_takes_the_other_grants(body: Any, grant: object) -> None:
    assert read_v1(json.dumps(body).encode()) == grant


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"grantType": "password", "clientId": "a", "clientSecret": "b"}',
        b'{"grantType": "exchange_token", "clientId": "a", "clientSecret": "b"}',
        b'{"grantType": "refresh_token", "clientId": "a", "clientSecret": "b"}',
        b'{"grantType": ["app_token"], "clientId": "a", "clientSecret": "b"}',
        b'{"clientId": 1, "clientSecret": "b"}',
    ],
)
def test_a_malformed_v1_call_is_refused(body: bytes) -> None:
    with pytest.raises(TokenRequestError):
        read_v1(body)


@pytest.mark.parametrize(
    ("body", "grant"),
    [
        (b"grant_type=client_credentials&client_id=a&client_secret=b", A_AND_B),
        (b"grant_type=password&username=a&password=b&client_id=cli", USER),
        (b"grant_type=refresh_token&refresh_token=c", RefreshGrant(refresh_token="c")),
    ],
)
def test_the_v2_call_is_a_form(body: bytes, grant: object) -> None:
    assert read_v2(body) == grant


def test_a_form_is_decoded() -> None:
    body = b"grant_type=client_credentials&client_id=a%2Bb&client_secret=c+d"

    assert read_v2(body) == ClientGrant(client_id="a+b", client_secret="c d")


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
        read_v2(body)


@settings(max_examples=50, deadline=None)
@given(
    st.binary(max_size=40)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())
)
def test_any_body_has_an_answer(body: bytes) -> None:
    found: list[Any] = []

    for read in (read_v1, read_v2):
        with pytest.raises(TokenRequestError):
            found.append(read(body))

    assert not found
