"""Reading JSON that someone else wrote, however hostile."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

from sweeper.domain.values import JsonValue

MAX_DEPTH = 100
"""Levels of nesting that are read; what is deeper would break whoever walks it."""

_MAX_DIGITS = 400
_SCALARS = frozenset({str, int, float, bool, type(None)})


class UnreadableError(ValueError):
    """An answer or a request that cannot be used; the message never holds any of its content."""


def read_json(content: bytes) -> JsonValue:
    """Return the JSON value in `content`, UTF-8 text with or without a byte order mark.

    Raises:
        UnreadableError: no JSON, no UTF-8, a key twice in one object, NaN or an infinity, a
            number beyond any use, half a surrogate pair, or more than `MAX_DEPTH` levels.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not UTF-8 at byte {error.start}") from error
    try:
        value: JsonValue = _DECODER.decode(text)
    except RecursionError as error:
        raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableError(f"not JSON at {place}") from error
    if is_too_deep(value):
        raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels")
    if "\\u" in text:
        _hold_unicode(value)
    return value


def is_too_deep(value: JsonValue) -> bool:
    """Return whether `value` is nested deeper than `MAX_DEPTH` levels, without recursion."""
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[JsonValue] = []
        for item in level:
            if type(item) in _SCALARS:
                continue
            if isinstance(item, Mapping):
                deeper.extend(item.values())
            elif isinstance(item, Sequence) and not isinstance(item, str):
                deeper.extend(item)
        if not deeper:
            return False
        level = deeper
    return True


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableError("an object holds a key twice")
    return members


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableError("a number is beyond what a double can hold")
    return number


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise UnreadableError(f"a number has more than {_MAX_DIGITS} digits")
    return int(text)


def _constant(word: str) -> NoReturn:
    raise UnreadableError(f"{word} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
)


def _hold_unicode(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UnreadableError("a text holds half a surrogate pair") from error
