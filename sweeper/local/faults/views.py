"""Bodies of answers as they look with a fault: pure functions over the JSON that was answered."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]

_ITEMS = "workloads"


def with_phase(body: Body, word: str | None) -> Body:
    """Return a training, an item or a page whose actual phases are this word, or left out."""
    if _ITEMS in body:
        return {**body, _ITEMS: [with_phase(item, word) for item in body[_ITEMS]]}
    key = "actualPhase" if "desiredPhase" in body else "phase"
    rest = {name: value for name, value in body.items() if name != key}
    return rest if word is None else {**rest, key: word}


def without_new(body: Body, lag: timedelta, now: datetime) -> Body:
    """Return a page without what was created less than `lag` ago; `next` stays as it is."""

    def is_old(item: Body) -> bool:
        return datetime.fromisoformat(str(item["createdAt"])) + lag <= now

    return _only(body, is_old)


def without_forgotten(body: Body, is_forgotten: Callable[[str], bool]) -> Body:
    """Return a page without the trainings that are forgotten."""
    return _only(body, lambda item: not is_forgotten(str(item["id"])))


def _only(body: Body, holds: Callable[[Body], bool]) -> Body:
    return {**body, _ITEMS: [item for item in body.get(_ITEMS, ()) if holds(item)]}
