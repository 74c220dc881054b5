"""Where servers of the Trainings API differ, or nobody knows what they do: one switch each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sweeper.wire.issues import Side
from sweeper.wire.rules.view import OLDEST_VERSION, Terms, TolerationReading, Version


class TokenEndpoints(StrEnum):
    """Which versions of the token call a control plane has."""

    BOTH = "both"
    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How a control plane behaves where the contract leaves it open, or contradicts itself.

    The defaults are what Run:ai 2.21 does as far as is known, and elsewhere the more tolerant.
    """

    duplicate_status: Literal[400, 409] = 400
    """The status of a create whose name is taken."""
    illegal_status: Literal[400] | None = None
    """The status of a command that makes no sense in the training's phase; None accepts it."""
    has_wider_api: bool = True
    """Whether there is more than tokens and the five operations of the contract."""
    token_endpoints: TokenEndpoints = TokenEndpoints.BOTH
    """Which token calls there are; a missing one is 404."""
    token_seconds: int = 3600
    """How long a token is good for."""
    api_version: Version = OLDEST_VERSION
    """The version of Run:ai whose fields and words are accepted."""
    hold_names: bool = True
    """Whether names are held to the product's own rules, beyond the contract."""
    hold_mandatory: bool = True
    """Whether what only the contract's prose calls mandatory must be given."""
    hold_amounts: bool = True
    """Whether what passes the pattern for amounts and yet is none is refused."""
    tolerations: TolerationReading = TolerationReading.EITHER
    """Which tolerations are accepted."""

    @property
    def terms(self) -> Terms:
        """On what terms a create is checked."""
        return Terms(
            side=Side.SERVER,
            api_version=self.api_version,
            hold_names=self.hold_names,
            hold_mandatory=self.hold_mandatory,
            hold_amounts=self.hold_amounts,
            tolerations=self.tolerations,
        )


STANDARD = Switches()
"""A control plane as it is unless told otherwise."""
