"""What a probe found out about one control plane, kept for the sweeps that run on it later."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sweeper.domain.values import JsonValue
from sweeper.runai.answers import finite
from sweeper.runai.tokens import TokenVersion

OPEN_CREATE_SECONDS = 180.0
"""How long a create may still take effect, where a second one would not be refused."""

_VERSIONS = {"v1": TokenVersion.V1, "v2": TokenVersion.V2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """How one control plane behaves where its API leaves that open; None is not found out.

    `lag_seconds` is how long a new training was missing from the listing. `phase_field` is the
    name under which the answer about one training holds its phase, "" when it holds none.
    """

    probed_at: datetime | None = None
    token_version: TokenVersion | None = None
    listing: bool | None = None
    lag_seconds: float | None = None
    names_unique: bool | None = None
    duplicate_status: int | None = None
    name_freed: bool | None = None
    phase_field: str | None = None
    labels_returned: bool | None = None
    events: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `read_capabilities` reads."""
        found = dict(_members(self))
        found["probed_at"] = self.probed_at.isoformat() if self.probed_at else None
        return found

    def updated(self, newer: "Capabilities") -> "Capabilities":
        """Return what is known after a newer probe, which may have found out less."""
        found = {key: value for key, value in _members(newer) if value is not None}
        return replace(self, **found)

    def quarantine(self, seconds: float) -> float:
        """Return how long to look a create up that was left open, before it is sent again.

        `seconds` is what suffices where the control plane refuses a name that is taken. Where
        it does not, nothing but time keeps a late create from becoming a second training.
        """
        lag = self.lag_seconds or 0.0
        return (
            seconds if self.names_unique is not False else max(seconds, OPEN_CREATE_SECONDS + lag)
        )


def read_capabilities(value: JsonValue) -> Capabilities:
    """Return the capabilities in a JSON value; what is odd there counts as not found out."""
    members = value if isinstance(value, Mapping) else {}
    status, lag = members.get("duplicate_status"), finite(members.get("lag_seconds"))
    version = _text(members, "token_version")
    return Capabilities(
        probed_at=_time(members),
        token_version=_VERSIONS.get(version) if version is not None else None,
        listing=_flag(members, "listing"),
        lag_seconds=lag if lag is not None and 0 <= lag <= OPEN_CREATE_SECONDS else None,
        names_unique=_flag(members, "names_unique"),
        duplicate_status=status if type(status) is int else None,
        name_freed=_flag(members, "name_freed"),
        phase_field=_text(members, "phase_field"),
        labels_returned=_flag(members, "labels_returned"),
        events=_flag(members, "events"),
    )


def _members(found: Capabilities) -> Iterator[tuple[str, Any]]:
    for one in fields(found):
        yield one.name, getattr(found, one.name)


def _flag(members: Mapping[str, JsonValue], key: str) -> bool | None:
    value = members.get(key)
    return value if isinstance(value, bool) else None


def _text(members: Mapping[str, JsonValue], key: str) -> str | None:
    value = members.get(key)
    return value if isinstance(value, str) else None


def _time(members: Mapping[str, JsonValue]) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(members, "probed_at") or "")
    except ValueError:
        return None
    return at if at.tzinfo else None
