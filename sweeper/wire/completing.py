"""Saying in a spec what the contract leaves open."""

from collections.abc import Mapping

from sweeper.domain.values import JsonValue


def completed(spec: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return `spec` with `readOnly: true` in each host path that leaves it out or null.

    The contract gives two defaults for it, so what is sent says it; the rules warn of it. The
    rest is as it was, malformed parts included, and completing twice changes nothing.
    """
    storage = spec.get("storage")
    if not isinstance(storage, Mapping):
        return spec
    items = storage.get("hostPath")
    if not isinstance(items, list | tuple):
        return spec
    stated = [_with_read_only(item) for item in items]
    return {**spec, "storage": {**storage, "hostPath": stated}}


def _with_read_only(item: JsonValue) -> JsonValue:
    if not isinstance(item, Mapping) or item.get("exclude") is True:
        return item
    return item if item.get("readOnly") is not None else {**item, "readOnly": True}
