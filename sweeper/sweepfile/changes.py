"""What may change in a sweep file once its sweep has started, and what did."""

from collections.abc import Iterator, Mapping

from sweeper.domain.values import JsonValue, canonical_json, plain
from sweeper.domain.values import digest as digest_of
from sweeper.sweepfile.places import Path, dotted
from sweeper.wire.rules.view import shown

FREE = frozenset({"limits", "retry", "resume", "timeouts", "notify", "cleanup", "description"})
"""The keys at the top that may change at any start."""

_MOST_LINES = 50


def digest(definition: Mapping[str, JsonValue]) -> str:
    """Return a digest of what may not change; equal exactly when `difference` has no lines."""
    return digest_of(_settled(definition))


def difference(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> list[str]:
    """Return one line for each change between two definitions that a started sweep forbids.

    A line reads `parameters.lr.max: 0.1 -> 0.2`. What may change freely is left out. Of very
    many changes the last line says how many more there are.
    """
    lines = list(_changes((), _settled(old), _settled(new)))
    if len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"and {len(lines) - _MOST_LINES} more"]
    return lines


def _settled(definition: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: plain(value) for key, value in definition.items() if key not in FREE}


def _changes(path: Path, old: JsonValue, new: JsonValue) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(key for key in new if key not in old)):
            if key not in new:
                yield f"{dotted((*path, key))}: {shown(old[key])} -> nothing"
            elif key not in old:
                yield f"{dotted((*path, key))}: nothing -> {shown(new[key])}"
            else:
                yield from _changes((*path, key), old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes((*path, place), before, after)
    elif isinstance(old, list) and isinstance(new, list):
        yield f"{dotted(path)}: {len(old)} items -> {len(new)} items"
    elif canonical_json(old) != canonical_json(new):
        yield f"{dotted(path)}: {shown(old)} -> {shown(new)}"
