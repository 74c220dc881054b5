import json
from pathlib import Path

from sweeper.wire.tokens import OAuthError, OAuthTokenReply, TokenReply

RECORDED = Path(__file__).parents[1] / "data" / "runai"


def test_version_1_has_names_in_camel_case() -> None:
    content = (RECORDED / "token_v1.json").read_text()

    assert TokenReply.model_validate_json(content).answer() == json.loads(content)
    assert TokenReply(access_token="a", expires_in=60).answer()["expiresIn"] == 60


def test_version_2_has_names_with_underscores() -> None:
    content = (RECORDED / "token_v2.json").read_text()

    assert OAuthTokenReply.model_validate_json(content).answer() == json.loads(content)


def test_version_2_refuses_in_oauths_words() -> None:
    content = (RECORDED / "error_invalid_client.json").read_text()

    assert OAuthError.model_validate_json(content).answer() == json.loads(content)


def test_a_reply_shows_no_token() -> None:
    replies = [
        TokenReply(access_token="hidden", id_token="hidden", refresh_token="hidden"),
        OAuthTokenReply(access_token="hidden", expires_in=60),
    ]

    assert "hidden" not in repr(replies)
