import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.values import JsonValue
from sweeper.errors import AuthError, TransientError, UnsupportedError
from sweeper.runai.tokens import (
    DEFAULT_LIFE_SECONDS,
    ClientCredentialsSource,
    Credentials,
    FixedToken,
    FixedTokenSource,
    Granted,
    SecretFile,
    TokenRequest,
    TokenVersion,
    hide,
    read_token,
    token_request,
    usable_token,
)
from tests.runai.scripted import SECRET, jwt

DATE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD: JsonValue = {"access_token": "abc", "expires_in": 3600}


class Endpoint:
    """Token calls that exist only in some versions."""

    def __init__(self, *versions: str, body: JsonValue = GOOD) -> None:
        self.versions = set(versions)
        self.body = body
        self.asked: list[TokenRequest] = []

    async def __call__(self, request: TokenRequest, deadline: float) -> Granted:
        self.asked.append(request)
        if request.path.split("/")[2] not in self.versions:
            raise UnsupportedError("404")
        return Granted(body=self.body, date=DATE)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


def source(
    endpoint: Endpoint, version: TokenVersion = TokenVersion.AUTO, secret: str = SECRET
) -> ClientCredentialsSource:
    credentials = Credentials(client_id="sweeper", secret=lambda: secret)
    return ClientCredentialsSource(credentials, endpoint, version)


def life_of(body: JsonValue, date: datetime | None = DATE) -> float | None:
    token = read_token(Granted(body=body, date=date), 1000.0)
    return None if token is None else token.expires_at - 1000.0


def test_v1_sends_json_with_camel_case_keys() -> None:
    request = token_request(TokenVersion.V1, "sweeper", SECRET)

    assert (request.path, request.content_type) == ("/api/v1/token", "application/json")
    assert json.loads(request.content) == {
        "grantType": "client_credentials",
        "clientID": "sweeper",
        "clientSecret": SECRET,
    }


def test_v2_sends_a_form() -> None:
    request = token_request(TokenVersion.V2, "sweeper", SECRET)

    assert request.path == "/api/v2/token"
    assert request.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["sweeper"],
        "client_secret": [SECRET],
    }


async def test_auto_takes_v2_where_it_exists() -> None:
    endpoint = Endpoint("v1", "v2")

    token = await source(endpoint).fetch(15.0)

    assert token.text == "abc"
    assert endpoint.paths() == ["/api/v2/token"]


async def test_auto_falls_back_to_v1_and_remembers() -> None:
    endpoint = Endpoint("v1")
    found = source(endpoint)

    await found.fetch(15.0)
    await found.fetch(15.0)

    assert endpoint.paths() == ["/api/v2/token", "/api/v1/token", "/api/v1/token"]


async def test_auto_looks_again_when_the_call_it_found_is_gone() -> None:
    endpoint = Endpoint("v1")
    found = source(endpoint)
    await found.fetch(15.0)
    endpoint.versions = {"v2"}

    token = await found.fetch(15.0)

    assert token.text == "abc"
    assert endpoint.paths()[-2:] == ["/api/v1/token", "/api/v2/token"]


@pytest.mark.parametrize(
    ("version", "other"), [(TokenVersion.V1, "v2"), (TokenVersion.V2, "v1")], ids=["v1", "v2"]
)
async def test_a_chosen_version_is_the_only_one_tried(version: TokenVersion, other: str) -> None:
    endpoint = Endpoint(other)
    chosen = source(endpoint, version)

    for _ in range(2):
        with pytest.raises(AuthError, match="is the base URL right"):
            await chosen.fetch(15.0)

    assert endpoint.paths() == [f"/api/{version}/token"] * 2


async def test_a_control_plane_without_any_token_call_is_said_to_have_none() -> None:
    with pytest.raises(AuthError, match="no token call at /api/v2/token or /api/v1/token"):
        await source(Endpoint()).fetch(15.0)


async def test_an_answer_with_a_token_no_header_may_hold_is_refused() -> None:
    endpoint = Endpoint("v2", body={"access_token": "canary\nX-Evil: 1"})

    with pytest.raises(AuthError) as caught:
        await source(endpoint).fetch(15.0)

    assert "canary" not in str(caught.value)


async def test_the_secret_is_read_anew_for_each_token(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" first\n")
    endpoint = Endpoint("v2")
    credentials = Credentials(client_id="sweeper", secret=SecretFile(file))
    rotating = ClientCredentialsSource(credentials, endpoint)

    await rotating.fetch(15.0)
    file.write_text("second\n")
    await rotating.fetch(15.0)

    secrets = [parse_qs(request.content.decode())["client_secret"] for request in endpoint.asked]
    assert secrets == [["first"], ["second"]]
    assert rotating.secrets() == ("second",)


async def test_a_secret_that_cannot_be_read_stops_before_anything_is_sent(tmp_path: Path) -> None:
    endpoint = Endpoint("v2")
    credentials = Credentials(client_id="sweeper", secret=SecretFile(tmp_path / "none"))

    with pytest.raises(AuthError, match=r"client secret cannot be read \(FileNotFoundError\)"):
        await ClientCredentialsSource(credentials, endpoint).fetch(15.0)

    assert endpoint.asked == []


async def test_a_binary_secret_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"canary\xff")
    credentials = Credentials(client_id="sweeper", secret=SecretFile(file))

    with pytest.raises(AuthError) as caught:
        await ClientCredentialsSource(credentials, Endpoint("v2")).fetch(15.0)

    assert "canary" not in f"{caught.value!r} {caught.value.__cause__}"


async def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(AuthError, match="client secret is empty"):
        await source(Endpoint("v2"), secret=" \n").fetch(15.0)


async def test_a_failure_of_the_token_call_is_passed_on() -> None:
    async def failing(request: TokenRequest, deadline: float) -> Granted:
        raise TransientError("503", retry_after=3.0)

    credentials = Credentials(client_id="sweeper", secret=lambda: SECRET)

    with pytest.raises(TransientError, match="503"):
        await ClientCredentialsSource(credentials, failing).fetch(15.0)


async def test_a_fixed_token_is_stripped_and_read_each_time() -> None:
    texts = iter([" one\n", "two"])
    fixed = FixedTokenSource(FixedToken(token=lambda: next(texts)))

    tokens = [await fixed.fetch(15.0), await fixed.fetch(15.0)]

    assert [token.text for token in tokens] == ["one", "two"]
    assert tokens[0].renew_at == float("inf")
    assert fixed.secrets() == ()


@pytest.mark.parametrize("text", ["a b", "a\nb", "ä", "x" * 20_000, "a;b"], ids=repr)
async def test_a_fixed_token_that_fits_no_header_is_refused(text: str) -> None:
    with pytest.raises(AuthError, match="no bearer token"):
        await FixedTokenSource(FixedToken(token=lambda: text)).fetch(15.0)


@pytest.mark.parametrize(
    ("body", "life"),
    [
        pytest.param({"access_token": "a", "expires_in": 3600}, 3600.0, id="expires_in"),
        pytest.param({"accessToken": "a", "expiresIn": 600}, 600.0, id="expiresIn"),
        pytest.param({"access_token": "a", "expires_in": "60"}, 60.0, id="text"),
        pytest.param({"access_token": "a", "expires_in": 0.01}, 1.0, id="too short"),
        pytest.param({"access_token": "a", "expires_in": 1e12}, 30 * 86_400.0, id="too long"),
        pytest.param({"access_token": "a"}, DEFAULT_LIFE_SECONDS, id="unsaid"),
        pytest.param({"access_token": "a", "expires_in": 0}, DEFAULT_LIFE_SECONDS, id="zero"),
        pytest.param({"access_token": "a", "expires_in": -1}, DEFAULT_LIFE_SECONDS, id="negative"),
        pytest.param({"access_token": "a", "expires_in": None}, DEFAULT_LIFE_SECONDS, id="null"),
        pytest.param({"access_token": "a", "expires_in": [1]}, DEFAULT_LIFE_SECONDS, id="list"),
        pytest.param({"access_token": "a", "expires_in": True}, DEFAULT_LIFE_SECONDS, id="truth"),
    ],
)
def test_the_life_of_a_token_is_what_the_answer_says(body: JsonValue, life: float) -> None:
    assert life_of(body) == life


@pytest.mark.parametrize(
    ("claims", "date", "life"),
    [
        pytest.param({"exp": DATE.timestamp() + 900}, DATE, 900.0, id="exp and Date"),
        pytest.param({"exp": DATE.timestamp() - 5, "iat": 0}, None, DATE.timestamp(), id="capped"),
        pytest.param({"exp": 5000, "iat": 4000}, None, 1000.0, id="exp and iat"),
        pytest.param({"exp": 5000, "iat": 4000}, DATE, 1000.0, id="Date makes no sense"),
        pytest.param({"exp": 5000}, None, DEFAULT_LIFE_SECONDS, id="exp alone"),
        pytest.param({"exp": 5000, "iat": 6000}, None, DEFAULT_LIFE_SECONDS, id="backwards"),
        pytest.param({"exp": "x"}, DATE, DEFAULT_LIFE_SECONDS, id="exp no number"),
        pytest.param({"exp": 10**300}, DATE, 30 * 86_400.0, id="exp absurd"),
        pytest.param({}, DATE, DEFAULT_LIFE_SECONDS, id="no exp"),
        pytest.param([1], DATE, DEFAULT_LIFE_SECONDS, id="no object"),
        pytest.param({"exp": 5000, "iat": 4000, "x": "??>>~~"}, None, 1000.0, id="url-safe"),
    ],
)
def test_without_a_word_of_the_answer_the_jwt_tells(
    claims: object, date: datetime | None, life: float
) -> None:
    assert life_of({"accessToken": jwt(claims)}, date) == min(life, 30 * 86_400.0)


@pytest.mark.parametrize("text", ["a.b", "a.b.c.d", "a.!.c", "..", "a.____.c", "a.e30.c", "a.W1.c"])
def test_a_text_that_only_looks_like_a_jwt_lives_for_the_default(text: str) -> None:
    assert life_of({"access_token": text.replace("!", "~")}) == DEFAULT_LIFE_SECONDS


def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    token = read_token(Granted(body=GOOD, date=None), 1000.0)

    assert token is not None
    assert (token.renew_at, token.expires_at) == (1000 + 2880, 1000 + 3600)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"access_token": 7}, {"access_token": ""}])
def test_an_answer_without_a_token_has_none(body: JsonValue) -> None:
    assert read_token(Granted(body=body, date=None), 0.0) is None


@given(st.text())
def test_no_text_with_anything_but_token_characters_is_usable(text: str) -> None:
    token = usable_token(text)

    assert token is None or (token.isascii() and token.isprintable() and " " not in token)


@given(st.text(alphabet="abc.-_=~+/", max_size=60))
def test_any_token_has_a_sensible_life(text: str) -> None:
    life = life_of({"access_token": text})

    assert life is None or 1 <= life <= 30 * 86_400


def test_secrets_are_not_in_the_representation_of_anything() -> None:
    token = read_token(Granted(body={"access_token": "canary"}, date=None), 0.0)
    values = [
        Credentials(client_id="sweeper", secret=lambda: "canary"),
        FixedToken(token=lambda: "canary"),
        token_request(TokenVersion.V1, "sweeper", "canary"),
        token_request(TokenVersion.V2, "sweeper", "canary"),
        token,
    ]

    assert "canary" not in repr(values)


@pytest.mark.parametrize(
    "echo",
    [SECRET, json.dumps({"you sent": SECRET}), "client_secret=canary-client-secret%2F%2B%22"],
    ids=["plain", "json", "form"],
)
def test_an_echoed_secret_is_hidden_in_every_spelling(echo: str) -> None:
    assert b"canary-client-secret" not in hide(echo.encode(), (SECRET,))


def test_a_secret_too_short_to_be_one_hides_nothing() -> None:
    assert hide(b'{"message": "abc"}', ("a", "")) == b'{"message": "abc"}'
