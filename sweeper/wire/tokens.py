"""What a control plane answers to requests for tokens, in both versions of that call."""

from typing import Literal

from pydantic import ConfigDict, Field

from sweeper.wire.answers import AnswerModel
from sweeper.wire.scalars import Text1


class TokenReply(AnswerModel):
    """The answer to a request for a token, version 1."""

    access_token: Text1 = Field(repr=False)
    """What goes behind `Bearer`."""
    expires_in: int | None = None
    """Seconds that it holds; only newer control planes say it."""
    id_token: str = Field(default="", repr=False)
    """Not used by services."""
    refresh_token: str = Field(default="", repr=False)
    """Not used by services."""


class OAuthTokenReply(AnswerModel):
    """The answer to a request for a token, version 2: OAuth's names, with underscores."""

    model_config = ConfigDict(alias_generator=None)

    access_token: Text1 = Field(repr=False)
    """What goes behind `Bearer`."""
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    """The kind of token."""
    expires_in: int
    """Seconds that it holds."""
    refresh_token: Text1 | None = Field(default=None, repr=False)
    """What gets a user the next token."""


class OAuthError(AnswerModel):
    """The answer to a request for a token, version 2, that is refused."""

    model_config = ConfigDict(alias_generator=None)

    error: Text1
    """OAuth's word, such as invalid_client."""
    error_description: str | None = None
    """Words for people."""
