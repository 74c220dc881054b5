"""What a model says about a value, in words for people: what is there and what to do.

Of a value of an environment variable only the kind is told.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from sweeper.wire.amounts import parse_amount
from sweeper.wire.fields import nearest
from sweeper.wire.issues import Path
from sweeper.wire.rules.view import shown
from sweeper.wire.scalars import AMOUNT_PATTERN

_MAX_LISTED = 12
_NAMED_LISTS = frozenset({"environmentVariables", "labels", "annotations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error of a model: pydantic's kind and text, the place, and the value there."""

    kind: str
    path: Path
    value: Any = field(repr=False)
    text: str
    context: Mapping[str, Any]

    @property
    def what(self) -> str:
        """The value in short, or its kind where it may be a secret."""
        is_secret = self.path[:1] == ("environmentVariables",) and self.path[-1] != "name"
        return _kind(self.value) if is_secret else shown(self.value)


def worded(fault: Fault) -> str:
    """Return the message about `fault`, to be read after its path."""
    if fault.value is None and fault.kind != "missing":
        return "is null, and must not be: leave it out, or give a value"
    words = _WORDS.get(fault.kind)
    return words(fault) if words else f"{fault.what}: {fault.text}"


def _missing(_fault: Fault) -> str:
    return "is missing: give it"


def _no_object(fault: Fault) -> str:
    return f"{fault.what} is no object: write names and values"


def _no_list(fault: Fault) -> str:
    if isinstance(fault.value, Mapping) and fault.path[-1] in _NAMED_LISTS:
        return "an object is no list: write a list of objects with name and value"
    return f"{fault.what} is no list: write one, even of a single item"


def _no_text(fault: Fault) -> str:
    if isinstance(fault.value, list):
        return "a list is no text: write one text, with spaces between its parts"
    if isinstance(fault.value, Mapping):
        return "an object is no text: write a text"
    return f"{fault.what} is no text: put it in quotes"


def _no_whole_number(fault: Fault) -> str:
    value = fault.value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return f"{fault.what} is no whole number: write it without a point"
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return f"{fault.what} is text: write the number without quotes"
    return f"{fault.what} is no whole number: write one"


def _no_number(fault: Fault) -> str:
    if isinstance(fault.value, str):
        return f"{fault.what} is text: write a number without quotes"
    return f"{fault.what} is no number: write one"


def _no_bool(fault: Fault) -> str:
    return f"{fault.what} is neither true nor false: write one of them, without quotes"


def _empty(_fault: Fault) -> str:
    return '"" is empty: give it content, or leave it out'


def _too_long(fault: Fault) -> str:
    most = fault.context["max_length"]
    return f"{fault.what} has {len(fault.value)} characters: shorten it to {most}"


def _below(fault: Fault) -> str:
    least = fault.context["ge"]
    return f"{fault.what} is below {least}: give at least {least}"


def _above(fault: Fault) -> str:
    most = fault.context["le"]
    return f"{fault.what} is above {most}: give at most {most}"


def _off_pattern(fault: Fault) -> str:
    if fault.context["pattern"] != AMOUNT_PATTERN:
        return f"{fault.what} is no path: start with / and use letters, digits, - _ . / alone"
    try:
        parse_amount(fault.value)
    except ValueError as error:
        return str(error)
    return f"{fault.what} is no amount for this API: write it as in 10Gi"


def _no_such_word(fault: Fault) -> str:
    words = re.findall(r"'([^']*)'", fault.context["expected"])
    near = _meant(fault.value, words) if isinstance(fault.value, str) else ""
    if near:
        return f"{fault.what} is unknown here: write {near}"
    listed = ", ".join(words[:_MAX_LISTED]) + (", …" if len(words) > _MAX_LISTED else "")
    later = "; API 2.22 and newer take other words: see --api-version"
    return f"{fault.what} is none of {listed}" + (
        later if fault.path[-1] == "priorityClass" else ""
    )


def _meant(word: str, words: list[str]) -> str:
    # The contract's own prose says idpToken, and Linux writes capabilities with CAP_ in front.
    if word == "idpToken" and "fromIdpToken" in words:
        return "fromIdpToken"
    return nearest(word[:100].removeprefix("CAP_"), words)


def _as_told(fault: Fault) -> str:
    return f"{fault.what} {fault.text}"


def _no_unicode(_fault: Fault) -> str:
    return "holds half a surrogate pair: write whole characters"


_Words: TypeAlias = Callable[[Fault], str]
_WORDS: Mapping[str, _Words] = MappingProxyType(
    {
        "missing": _missing,
        "model_type": _no_object,
        "list_type": _no_list,
        "string_type": _no_text,
        "string_unicode": _no_unicode,
        "string_too_short": _empty,
        "string_too_long": _too_long,
        "string_pattern_mismatch": _off_pattern,
        "int_type": _no_whole_number,
        "bool_type": _no_bool,
        "greater_than_equal": _below,
        "less_than_equal": _above,
        "literal_error": _no_such_word,
        "number_type": _no_number,
        "number_range": _as_told,
        "uuid": _as_told,
        "hostname": _as_told,
    }
)


def _kind(value: Any) -> str:
    """Return what kind of JSON value this is."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    return "a text" if isinstance(value, str) else shown(value)
