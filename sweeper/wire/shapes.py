"""Holding JSON against the models: types, bounds, patterns, words and unknown fields."""

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from sweeper.domain.values import JsonValue
from sweeper.wire.fields import suggestion
from sweeper.wire.issues import Issue, Path, Severity, in_order
from sweeper.wire.rules.view import Terms, shown
from sweeper.wire.versions import KNOWN_UP_TO, LATER_PRIORITIES, came_with, written
from sweeper.wire.wording import Fault, worded

_UNKNOWN = "extra_forbidden"
_MAX_FAULTS = 1000  # of more, unknown fields go first; a body holds some hundred thousand
_MAX_SUGGESTIONS = 20  # each costs a comparison with all fields of its object


def shape_issues(model: type[BaseModel], value: JsonValue, terms: Terms) -> Iterator[Issue]:
    """Yield where `value`, plain JSON, is not what `model` is, ordered by path; 1000 at most.

    A field that came with a later version of the API is an error to who sends, unless the control
    plane is of that version; one that no version has, unless it is newer than the contract. Who
    receives keeps any.
    """
    suggestions = _MAX_SUGGESTIONS
    for fault in _faults(model, value):
        if fault.kind == _UNKNOWN:
            near = suggestion(fault.path, model) if suggestions > 0 else ""
            suggestions -= 1
            yield from _unknown_field(fault.path, near, terms)
        elif not _is_later_word(fault, terms):
            yield Issue(path=fault.path, message=worded(fault))


def _faults(model: type[BaseModel], value: JsonValue) -> list[Fault]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        return []
    details.sort(key=lambda one: one["type"] == _UNKNOWN)
    faults = [
        Fault(
            kind=one["type"],
            path=one["loc"],
            value=one["input"],
            text=one["msg"],
            context=one.get("ctx", {}),
        )
        for one in details[:_MAX_FAULTS]
    ]
    return sorted(faults, key=lambda fault: in_order(fault.path))


def _unknown_field(path: Path, near: str, terms: Terms) -> Iterator[Issue]:
    """Yield what is said of a field that the contract lacks: nothing where it came since."""
    key = shown(path[-1])
    if not terms.is_client:
        message = f"{key} is no field of API 2.21, and is kept as it is"
        yield Issue(path=path, message=message, severity=Severity.WARNING)
        return
    since = came_with(path)
    if since is not None:
        if terms.api_version < since:
            needed = written(since)
            message = f"{key} needs --api-version {needed}: drop it, or give that if yours has it"
            yield Issue(path=path, message=message)
        return
    if terms.is_newer:
        message = (
            f"{key} is no known field of any API up to {written(KNOWN_UP_TO)}, and is sent as it is"
        )
        message = f"{message}: {near}" if near else message
        yield Issue(path=path, message=message, severity=Severity.WARNING)
        return
    remedy = near or "drop it, or give the --api-version that has it, 2.22 or newer"
    yield Issue(path=path, message=f"{key} is no field of API 2.21: {remedy}")


def _is_later_word(fault: Fault, terms: Terms) -> bool:
    """Return whether this is a priority that API versions after the contract's may know."""
    is_word = isinstance(fault.value, str) and bool(fault.value)
    return terms.api_version >= LATER_PRIORITIES and is_word and fault.path == ("priorityClass",)
