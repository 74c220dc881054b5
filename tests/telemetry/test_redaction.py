import base64
import json
import math
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.telemetry.redaction import redact

_SECRET = "s3cret/käse+value'x\\y"  # a letter of every kind that some code rewrites
_JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl-_x"


def test_a_secret_is_taken_out_wherever_it_stands() -> None:
    text = redact(f"a {_SECRET} b{_SECRET}c", [_SECRET])

    assert text == "a *** b***c"


@pytest.mark.parametrize(
    "code",
    [
        json.dumps(_SECRET),
        json.dumps(_SECRET, ensure_ascii=False),
        repr(_SECRET),
        quote(_SECRET),
        quote(_SECRET, safe=""),
        quote_plus(_SECRET),
        base64.b64encode(_SECRET.encode()).decode(),
        base64.urlsafe_b64encode(_SECRET.encode()).decode(),
    ],
    ids=["json", "json-utf8", "repr", "url", "url-all", "form", "base64", "base64-url"],
)
def test_a_secret_is_found_in_common_codes(code: str) -> None:
    shown = redact(f"<{code}>", [_SECRET])

    assert "***" in shown
    assert len(shown) < 12


@given(
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    secret=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=6),
)
def test_a_secret_is_found_in_base64_at_any_offset(
    before: bytes, after: bytes, secret: str
) -> None:
    data = secret.encode()
    code = base64.b64encode(before + data + after).decode()
    begin, end = math.ceil(len(before) * 8 / 6), (len(before) + len(data)) * 8 // 6

    shown = redact(code, [secret])

    assert code[begin:end] not in shown


def test_a_short_secret_would_blank_out_everything() -> None:
    assert redact("a cat sat", ["at", "", "   "]) == "a cat sat"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert redact("secret-longer", ["secret", "secret-longer"]) == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization: bearer  abcdef", "authorization: bearer  ***"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        (f"got {_JWT}, sorry", "got ***, sorry"),
        (f"token_{_JWT}", "token_***"),
        ("https://me:pass@host/x", "https://***@host/x"),
        ("client_secret=hunter22&x=1", "client_secret=***&x=1"),
        ('{"clientSecret": "hunter22", "a": 1}', '{"clientSecret": "***", "a": 1}'),
        (r'"{\"access_token\": \"hunter22\"}"', r'"{\"access_token\": \"***\"}"'),
        ("WANDB_API_KEY=hunter22 python", "WANDB_API_KEY=*** python"),
        ("password=hunter22", "password=***"),
    ],
)
def test_what_looks_like_a_secret_goes_too(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "RUNAI_CLIENT_SECRET: not set",
        "put it into RUNAI_CLIENT_SECRET, or a file",
        "the token was refused",
        "demo-abcdefghij-3-1 is Running",
        "https://cluster.run.ai/api/v1/workloads",
        "eyJ is how a token begins",
        "basic: a plain word",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("part", ["eyJ", "eyJ-", "://", "://x:", "bearer ", "secret_key =", "a.b-"])
def test_a_long_hostile_text_is_read_in_one_pass(part: str) -> None:
    """Takes minutes when a pattern begins anew at each letter."""
    text = part * (400_000 // len(part))

    assert len(redact(text)) <= len(text)
