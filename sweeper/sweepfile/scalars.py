"""What a plain word of a sweep file means.

Floats are YAML 1.2's, so that `1e-4` is a number, and so is W&B's cloud. Everything else is what
PyYAML makes of it, with which W&B reads: yes, no, on and off are booleans, 017 is the octal 15,
1_000 is a thousand. There are no dates and no sexagesimals, which nobody means: both are text.
"""

import math
import re
from dataclasses import dataclass
from typing import TypeAlias

from sweeper.sweepfile.places import legible

Scalar: TypeAlias = bool | int | float | str | None

MAX_DIGITS = 100
"""The most characters of a whole number; no parameter needs more."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word stands for; `remark` says so where it is not what most people expect."""

    value: Scalar
    remark: str = ""


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_OLD_TRUE = frozenset({"yes", "Yes", "YES", "on", "On", "ON"})
_OLD_FALSE = frozenset({"no", "No", "NO", "off", "Off", "OFF"})
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_OCTAL = re.compile(r"([-+]?)0([0-7_]*[0-7])_*")
_BASED = re.compile(r"([-+]?)0(?:(b)_*[01][01_]*|(o)_*[0-7][0-7_]*|(x)_*[0-9a-fA-F][0-9a-fA-F_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)"
)
_NOT_A_FLOAT = re.compile(r"[-+]?[0-9_]+")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_SEXAGESIMAL = re.compile(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


def resolve(word: str) -> Meaning:
    """Return what a plain (unquoted) word means.

    Numbers that are not finite come back as such floats.

    Raises:
        ValueError: it is a whole number of more than `MAX_DIGITS` characters.
    """
    named = _named(word)
    if named is not None:
        return named
    if word[0] in "-+.0123456789":
        return _number(word)
    return Meaning(word)


def resolve_as(kind: str, text: str) -> Scalar:
    """Return what `text` means where the file says its kind: float, int, str, bool or null.

    Raises:
        ValueError: it is none of that kind, or a number that is not finite.
    """
    if kind == "str":
        return text
    value = resolve(text).value
    if kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        value = float(value)
    wanted: dict[str, type] = {"float": float, "int": int, "bool": bool, "null": type(None)}
    if type(value) is not wanted[kind] or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(text)
    return value


def _named(word: str) -> Meaning | None:
    if word in _NULL:
        return Meaning(None)
    if word in _TRUE or word in _FALSE:
        return Meaning(word in _TRUE)
    if word in _OLD_TRUE or word in _OLD_FALSE:
        truth = "true" if word in _OLD_TRUE else "false"
        return Meaning(
            word in _OLD_TRUE,
            f"{word} is read as {truth}, as W&B does; write {truth}, or quote it for the text",
        )
    return None


def _number(word: str) -> Meaning:
    if word in _NAN:
        return Meaning(float("nan"))
    if infinite := _INFINITE.fullmatch(word):
        return Meaning(float("-inf" if infinite[1] == "-" else "inf"))
    if whole := _whole(word):
        return whole
    if _FLOAT.fullmatch(word) and not _NOT_A_FLOAT.fullmatch(word):
        return Meaning(float(word.replace("_", "")))
    if _SEXAGESIMAL.fullmatch(word):
        return Meaning(
            word,
            f"{legible(word)} is read as text; W&B reads a number of base 60: quote it",
        )
    return Meaning(word)


def _whole(word: str) -> Meaning | None:
    decimal, octal, based = (p.fullmatch(word) for p in (_DECIMAL, _OCTAL, _BASED))
    if (decimal or octal or based) and len(word) > MAX_DIGITS:
        raise ValueError(f"a whole number of more than {MAX_DIGITS} digits: quote it if it is text")
    digits = word.replace("_", "")
    if decimal:
        return Meaning(int(digits))
    if octal:
        value = int(digits, 8)
        return Meaning(
            value,
            f"{legible(word)} is read as the octal number {value}, as W&B does; "
            f"write {value}, or quote it for the text",
        )
    if based:
        return Meaning(int(digits, 0))
    return None
