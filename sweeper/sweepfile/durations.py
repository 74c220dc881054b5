"""Lengths of time as a sweep file writes them: seconds, or a number with a unit."""

import math
import re
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from sweeper.wire.rules.view import shown

_WRITTEN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)
_BEYOND = 10**9


def parse_duration(value: object) -> timedelta:
    """Return the time that a number of seconds, or a text such as `90s`, `10m`, `7h`, `2d`, is.

    Raises:
        ValueError: it is neither, or negative, or more than ten years; the message says so.
    """
    if isinstance(value, float) and not math.isfinite(value):
        seconds = -1.0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # Cut before it becomes a float, which not every whole number can.
        seconds = float(max(-1, min(value, _BEYOND)))
    elif isinstance(value, str) and (written := _WRITTEN.fullmatch(value.strip())):
        seconds = float(written[1]) * _SECONDS[written[2]]
    else:
        raise ValueError("is no length of time: write seconds, or 90s, 10m, 7h, 2d")
    if seconds < 0:
        raise ValueError("is no length of time that can pass: write 0 or more")
    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than ten years: write less, or leave it out")
    return timedelta(seconds=seconds)


def _read(value: Any) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError(
            "duration", "{said}", {"said": f"{shown(value)} {error}"}
        ) from error


def _read_positive(value: Any) -> timedelta:
    duration = _read(value)
    if not duration:
        raise PydanticCustomError(
            "duration", "{said}", {"said": f"{shown(value)} is no time at all: write more than 0"}
        )
    return duration


_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^\s*[0-9]{1,12}(\.[0-9]{1,12})?\s*[smhd]\s*$"},
        ],
        "examples": [90, "90s", "10m", "7h", "2d"],
    }
)

Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_read), _SCHEMA]
"""A length of time, 0 allowed."""

PositiveDuration: TypeAlias = Annotated[timedelta, BeforeValidator(_read_positive), _SCHEMA]
"""A length of time above 0."""
