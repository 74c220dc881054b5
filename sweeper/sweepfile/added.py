"""Reads points that a person adds to a sweep that has started, by the rules of `points`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from sweeper.domain.values import JsonValue, Params, plain
from sweeper.errors import Fault, SettingsError, SweepFileError, describe_fault
from sweeper.sweepfile.places import Notice
from sweeper.sweepfile.reading import ReadingContext, parse_sweep

_KEYS = ("parameters", "zip", "when", "constraints")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPoint:
    """The text of one point, a JSON object on one line; `line` of `source`, 0 if that has none."""

    text: str
    source: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedPoints:
    """Points with their one-valued parameters filled in, and what there is to say of them."""

    points: tuple[Params, ...]
    warnings: tuple[str, ...]


def read_added(definition: Mapping[str, JsonValue], given: Sequence[GivenPoint]) -> AddedPoints:
    """Return the points of `given`, checked against the search space of a sweep's definition.

    Raises:
        SettingsError: some cannot be tried; the message has all faults, each with its place.
    """
    unreadable = [described for one in given if (described := _unreadable(one))]
    if unreadable:
        raise SettingsError("\n".join(unreadable))
    kept = {key: plain(definition[key]) for key in _KEYS if key in definition}
    head = json.dumps({"method": "random", **kept}, ensure_ascii=False)[:-1]
    # Each point is a line of its own, so that what is found has the column that it has there.
    lines = ",\n".join(_one_line(one.text) for one in given)
    context = ReadingContext(today=date.min, default_active_local=1, name="added", local=True)
    try:
        file = parse_sweep(f'{head}, "points": [\n{lines}\n]}}\n', "points", context)
    except SweepFileError as error:
        raise SettingsError("\n".join(_described(given, error.faults))) from error
    about = [one for one in (*file.violations, *file.warnings) if one.path.startswith("points[")]
    return AddedPoints(points=file.spec.points, warnings=tuple(_described(given, about)))


def _unreadable(given: GivenPoint) -> str:
    """Return why a text is no JSON object, with its place; "" if it is one."""
    try:
        found = json.loads(given.text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return _at(given, error.colno, "", f"is no JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        return _at(given, 1, "", str(error))
    if isinstance(found, dict):
        return ""
    return _at(given, 1, "", f'{given.text[:40]} is no point: write {{"name": value}}')


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no finite number: write one")


def _one_line(text: str) -> str:
    # JSON writes a character beyond 16 bits as two escapes, which YAML takes for two characters.
    return json.dumps(json.loads(text), ensure_ascii=False) if "\\u" in text else text.strip()


def _described(given: Sequence[GivenPoint], found: Iterable[Fault | Notice]) -> Sequence[str]:
    lines = []
    for one in found:
        # The first line holds the definition; the points follow, one a line.
        place = min(max(one.line - 2, 0), len(given) - 1)
        path = one.path.removeprefix(f"points[{place}]").removeprefix(".")
        lines.append(_at(given[place], one.column, path, one.message))
    return lines


def _at(given: GivenPoint, column: int, path: str, message: str) -> str:
    fault = Fault(line=given.line, column=column, path=path, message=message)
    return describe_fault(given.source, fault)
