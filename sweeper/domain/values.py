"""JSON values as the domain holds them, and one canonical text for comparing them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
)
Params: TypeAlias = Mapping[str, JsonValue]


def plain(value: JsonValue) -> JsonValue:
    """Return `value` with every mapping a dict and every sequence a list, ready for json."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def freeze(value: JsonValue) -> JsonValue:
    """Return a copy of `value` that nobody can change: read-only mappings, tuples for lists."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: freeze(item) for key, item in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(freeze(item) for item in value)
    return value


def canonical_json(value: JsonValue) -> str:
    """Return the one JSON text of `value`: keys sorted, no spaces, ASCII only."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"))


def digest(value: JsonValue) -> str:
    """Return 16 hexadecimal digits (64 bits) that differ when `value` does."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
