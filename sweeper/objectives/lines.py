"""Values in the lines and files that other people's programs write: text to numbers.

What is no number says nothing: a value that is missing, text, true, NaN or infinite is left
out, and the others of the same line count. A line without any number is no report.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sweeper.domain.sources import VALUE_GROUP
from sweeper.objectives.parsing import NAME_BOUND, VALUES_BOUND

_STEP_BOUND = 2**63


@dataclass(frozen=True, slots=True)
class Values:
    """Finite numbers by name, at least one, and the training's own count."""

    numbers: Mapping[str, float]
    step: int | None


ReadLine: TypeAlias = Callable[[str], Values | None]
"""Returns what a line holds, None for one that holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What is looked for: the objective, and the value that counts steps."""

    objective: str
    step: str


def json_line(names: Names) -> ReadLine:
    """Return the reader of lines of which some are JSON objects."""

    def read(line: str) -> Values | None:
        # Most of what a training prints is no JSON, and none of that is an object.
        found = _json(line) if line.lstrip().startswith("{") else None
        return json_values(found, names)

    return read


def pattern_line(pattern: str, names: Names) -> ReadLine:
    """Return the reader of lines that a pattern with named groups matches anywhere."""
    searched = re.compile(pattern)

    def read(line: str) -> Values | None:
        match = searched.search(line)
        if match is None:
            return None
        groups = match.groupdict()
        objective = groups.pop(VALUE_GROUP, None)
        if objective is not None:
            groups[names.objective] = objective
        return _values({name: _number(text) for name, text in groups.items()}, names)

    return read


def csv_line(header: str, delimiter: str, names: Names) -> ReadLine:
    """Return the reader of the lines below a header."""
    columns = [name.strip() for name in _cells(header, delimiter)]

    def read(line: str) -> Values | None:
        # Whoever opens the file anew in the next attempt writes its header again.
        if line == header:
            return None
        cells = zip(columns, _cells(line, delimiter), strict=False)
        return _values({name: _number(text) for name, text in cells}, names)

    return read


def json_document(text: str, names: Names) -> Sequence[Values]:
    """Return what an object, or a list of them, holds; half of a text holds nothing."""
    found = _json(text)
    entries = found if isinstance(found, list) else [found]
    return [values for entry in entries if (values := json_values(entry, names)) is not None]


def json_values(found: object, names: Names) -> Values | None:
    """Return the numbers at the top of an object, None where it has none or is none."""
    if not isinstance(found, dict):
        return None
    return _values({name: _plain(value) for name, value in found.items()}, names)


def _values(numbers: Mapping[str, float | None], names: Names) -> Values | None:
    step = _step(numbers.get(names.step)) if names.step != names.objective else None
    finite = {
        name: number
        for name, number in _objective_first(numbers, names)
        if number is not None and math.isfinite(number) and 1 <= len(name) <= NAME_BOUND
    }
    if names.step != names.objective:
        finite.pop(names.step, None)
    kept = dict(list(finite.items())[:VALUES_BOUND])
    return Values(kept, step) if kept else None


def _objective_first(
    numbers: Mapping[str, float | None], names: Names
) -> Iterable[tuple[str, float | None]]:
    yield names.objective, numbers.get(names.objective)
    yield from ((name, number) for name, number in numbers.items() if name != names.objective)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _plain(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _step(number: float | None) -> int | None:
    if number is None or not math.isfinite(number) or not number.is_integer():
        return None
    return int(number) if -_STEP_BOUND <= number < _STEP_BOUND else None
