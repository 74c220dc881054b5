"""JSON texts as every store keeps them: exact both ways, in the order given, and finite."""

import json
from typing import cast

from sweeper.domain.values import JsonValue, freeze, plain
from sweeper.errors import StoreError


def to_json(value: JsonValue) -> str:
    """Return `value` as ASCII JSON; unlike canonical JSON, the order of keys is kept.

    Raises:
        StoreError: JSON cannot hold it (NaN and infinity first of all).
    """
    try:
        return json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"a value cannot be kept as JSON: {error}") from error


def from_json(text: str) -> JsonValue:
    """Return the value of a text that `to_json` made, as nobody can change it."""
    return freeze(cast(JsonValue, json.loads(text)))


def legible(text: str) -> str:
    """Return `text` with lone surrogates, which no encoding can hold, written out as escapes.

    The answer of a server or the report of a program may bring them in.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_MARK = "\ue000"  # a character that has no meaning of its own, and so is next to never met
_NUL, _MARK_ITSELF = f"{_MARK}0", f"{_MARK}1"


def without_nul(text: str) -> str:
    """Return `text` as a database can keep it that takes no NUL; `with_nul` turns it back."""
    return text.replace(_MARK, _MARK_ITSELF).replace("\0", _NUL)


def with_nul(text: str) -> str:
    """Return the text that `without_nul` was given."""
    return text.replace(_NUL, "\0").replace(_MARK_ITSELF, _MARK) if _MARK in text else text
