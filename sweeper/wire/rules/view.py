"""Looking into a spec that may be malformed, and saying what is wrong where.

The rules read a spec through views: what has the wrong type reads as not given, since the models
complain about it already, and null reads as not given everywhere.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from sweeper.domain.values import JsonValue
from sweeper.wire.issues import Issue, Path, Severity, Side

Version: TypeAlias = tuple[int, int]

OLDEST_VERSION: Version = (2, 21)
"""The version of the API that the contract is of."""


class TolerationReading(StrEnum):
    """How a control plane reads a toleration's value, on which the contract contradicts itself."""

    EITHER = "either"
    KUBERNETES = "kubernetes"  # Equal has a value, Exists has none
    PROSE = "prose"  # Exists has a value, Equal has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a create is checked."""

    side: Side
    api_version: Version = OLDEST_VERSION
    allow_privileged: bool = False
    """Whether who sends may ask for powers over the node."""
    needs_image: bool = True
    """Whether who sends must name an image; the local control plane runs without one."""
    hold_names: bool = True
    """Whether a control plane holds the product's own rules for names, beyond the contract."""
    hold_mandatory: bool = True
    """Whether a control plane demands what only the contract's prose calls mandatory."""
    hold_amounts: bool = True
    """Whether a control plane refuses what passes the pattern for amounts and yet is none."""
    tolerations: TolerationReading = TolerationReading.EITHER
    """Which tolerations a control plane takes. Who sends keeps to Kubernetes' reading."""

    @property
    def is_client(self) -> bool:
        """Whether the one who sends checks."""
        return self.side is Side.CLIENT

    @property
    def is_newer(self) -> bool:
        """Whether the control plane knows fields and words that the contract does not."""
        return self.api_version > OLDEST_VERSION

    @property
    def wants_names(self) -> bool:
        """Whether names are held to the product's rules; who sends always does that."""
        return self.is_client or self.hold_names

    @property
    def wants_mandatory(self) -> bool:
        """Whether what prose calls mandatory must be there; who sends always gives it."""
        return self.is_client or self.hold_mandatory

    @property
    def inferred(self) -> Severity:
        """How much it weighs to break a rule that the contract does not state in so many words.

        Who sends keeps to it; who receives has no ground to refuse.
        """
        return Severity.ERROR if self.is_client else Severity.WARNING


@dataclass(frozen=True, slots=True)
class View:
    """One JSON object of a spec and the path that leads to it."""

    members: Mapping[str, JsonValue] = field(repr=False)
    path: Path = ()

    def has(self, key: str) -> bool:
        """Return whether `key` is given and not null, whatever its type."""
        return self.members.get(key) is not None

    def text(self, key: str) -> str | None:
        """Return the text under `key`."""
        value = self.members.get(key)
        return value if isinstance(value, str) else None

    def whole(self, key: str) -> int | None:
        """Return the whole number under `key`."""
        value = self.members.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, key: str) -> int | float | None:
        """Return the number under `key`."""
        value = self.members.get(key)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def is_on(self, key: str) -> bool:
        """Return whether `key` is given and true."""
        return self.members.get(key) is True

    def is_off(self, key: str) -> bool:
        """Return whether `key` is given and false."""
        return self.members.get(key) is False

    def child(self, key: str) -> "View | None":
        """Return the object under `key`."""
        value = self.members.get(key)
        return View(value, (*self.path, key)) if isinstance(value, Mapping) else None

    def items(self, key: str) -> "list[View]":
        """Return the objects in the list under `key`, excluded ones too."""
        value = self.members.get(key)
        if not isinstance(value, list):
            return []
        return [
            View(item, (*self.path, key, place))
            for place, item in enumerate(value)
            if isinstance(item, Mapping)
        ]

    def issue(self, key: str, message: str, severity: Severity) -> Issue:
        """Return an issue about the value under `key`."""
        return Issue(path=(*self.path, key), message=message, severity=severity)

    def error(self, key: str, message: str) -> Issue:
        """Return an error about the value under `key`."""
        return self.issue(key, message, Severity.ERROR)

    def warning(self, key: str, message: str, *, shared: bool = False) -> Issue:
        """Return a warning about the value under `key`."""
        return Issue(
            path=(*self.path, key), message=message, severity=Severity.WARNING, shared=shared
        )


Rule: TypeAlias = Callable[[View, Terms], Iterator[Issue]]
"""Yields what one rule finds wrong with a spec."""


def standing(view: View, place: str) -> Iterator[View]:
    """Yield the objects at `place`, such as `storage.pvc[].claimInfo`, that are not excluded.

    Nothing below an excluded item is yielded either.
    """
    step, _, rest = place.partition(".")
    if step.endswith("[]"):
        found = [item for item in view.items(step[:-2]) if not item.is_on("exclude")]
    else:
        child = view.child(step)
        found = [] if child is None else [child]
    for each in found:
        if rest:
            yield from standing(each, rest)
        else:
            yield each


def shown(value: JsonValue) -> str:
    """Return a short form of `value` for a message; of a list or an object only its kind."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"
