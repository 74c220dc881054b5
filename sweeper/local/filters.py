"""The grammar of `filterBy`: what a listing is narrowed down to, and sorted by.

One parameter holds items joined by commas, all of which must hold: a field, an operator, a
value, with no space between, such as `name=^abc,projectId==1`.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, case, func, literal

from sweeper.local.listed import NUMBERS, TEXTS, TIMES
from sweeper.local.tables import trainings

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_OFFSET = 2**53
_MAX_ITEMS = 50

_ITEM = re.compile(
    r"(?P<field>[A-Za-z]+)(?P<operator>==|!=|<=|>=|=@|!@|=\^|=\$)(?P<value>.*)", re.S
)


class QueryError(ValueError):
    """A listing cannot be asked for like that; the message is fit for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One item of a filter."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One page of a listing: which trainings, in which order, from where on."""

    terms: Sequence[Term] = ()
    search: str = ""
    deleted: bool = False
    sort_by: str = "createdAt"
    descending: bool = False
    offset: int = 0
    limit: int = DEFAULT_LIMIT


_COLUMNS: Mapping[str, ColumnElement[Any]] = MappingProxyType({**TEXTS, **TIMES, **NUMBERS})

_TEXT_TESTS: Mapping[str, Callable[[ColumnElement[str], str], ColumnElement[bool]]] = (
    MappingProxyType(
        {
            "==": lambda column, value: column == value,
            "!=": lambda column, value: column != value,
            "<=": lambda column, value: column <= value,
            ">=": lambda column, value: column >= value,
            "=@": lambda column, value: func.instr(column, value) > 0,
            "!@": lambda column, value: func.instr(column, value) == 0,
            "=^": lambda column, value: func.substr(column, 1, len(value)) == value,
            "=$": lambda column, value: (
                (func.substr(column, -len(value)) == value) if value else column.is_not(None)
            ),
        }
    )
)
_RANK_TESTS: Mapping[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = (
    MappingProxyType({operator: _TEXT_TESTS[operator] for operator in ("==", "!=", "<=", ">=")})
)
"""For times and numbers."""


def read_filter(parts: Iterable[str]) -> Sequence[Term]:
    """Return the items of all `filterBy` parameters.

    Raises:
        QueryError: an item is malformed.
    """
    items = [item for part in parts for item in part.split(",") if item]
    if len(items) > _MAX_ITEMS:
        raise QueryError(f"filterBy holds more than {_MAX_ITEMS} items")
    return [_term(item) for item in items]


Constants: TypeAlias = Mapping[str, str | Mapping[str, str]]
"""Fields that stand in no column: one value for all trainings, or one for each project's id."""


def condition(term: Term, constants: Constants) -> ColumnElement[bool]:
    """Return the test of one item.

    Raises:
        QueryError: the field is unknown, or the operator or value does not fit it.
    """
    if term.field in constants:
        return _TEXT_TESTS[term.operator](_constant(constants[term.field]), term.value)
    if term.field in TEXTS:
        return _TEXT_TESTS[term.operator](TEXTS[term.field], term.value)
    if term.field in TIMES:
        return _rank_test(term, "time")(TIMES[term.field], _time(term))
    if term.field in NUMBERS:
        return _rank_test(term, "number")(NUMBERS[term.field], _number(term))
    raise QueryError(f"filterBy: {_unknown(term.field, constants)}")


def _rank_test(
    term: Term, kind: str
) -> Callable[[ColumnElement[Any], datetime | float], ColumnElement[bool]]:
    test = _RANK_TESTS.get(term.operator)
    if test is None:
        raise QueryError(f"filterBy: {term.field} is a {kind}: use ==, !=, <= or >=")
    return test


def _unknown(field: str, constants: Constants) -> str:
    known = ", ".join(sorted([*_COLUMNS, *constants]))
    return f"unknown field {field[:40]!r}; known are {known}"


_WORD_TESTS: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "==": lambda text, value: text == value,
        "!=": lambda text, value: text != value,
        "<=": lambda text, value: text <= value,
        ">=": lambda text, value: text >= value,
        "=@": lambda text, value: value in text,
        "!@": lambda text, value: value not in text,
        "=^": str.startswith,
        "=$": str.endswith,
    }
)


def has_text(text: str, term: Term) -> bool:
    """Return whether a text is as an item wants it, for what stands in no column."""
    return _WORD_TESTS[term.operator](text, term.value)


def _constant(value: str | Mapping[str, str]) -> ColumnElement[str]:
    if isinstance(value, str):
        return literal(value)
    return case(dict(value), value=trainings.c.project_id, else_="")


def _term(item: str) -> Term:
    match = _ITEM.fullmatch(item)
    if match is None:
        operators = "==, !=, <=, >=, =@, !@, =^, =$"
        raise QueryError(
            f"filterBy: {item[:80]!r} is not a field, an operator ({operators}) and a value"
        )
    return Term(field=match["field"], operator=match["operator"], value=match["value"])


def _time(term: Term) -> datetime:
    try:
        at = datetime.fromisoformat(term.value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"filterBy: {term.field}: {term.value[:40]!r} is no time such as 2026-01-31T12:00:00Z"
        ) from error


def _number(term: Term) -> float:
    try:
        number = float(term.value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise QueryError(f"filterBy: {term.field}: {term.value[:40]!r} is no number")
    return number


def ordering(query: Query, constants: Constants) -> Sequence[ColumnElement[object]]:
    """Return what the listing is sorted by, trainings of equal rank by age.

    Raises:
        QueryError: the field is unknown.
    """
    field = query.sort_by
    column: ColumnElement[Any]
    if field in constants:
        column = _constant(constants[field])
    elif field in _COLUMNS:
        column = _COLUMNS[field]
    else:
        raise QueryError(f"sortBy: {_unknown(field, constants)}")
    columns: tuple[ColumnElement[Any], ...] = (column, trainings.c.number)
    return [column.desc() if query.descending else column.asc() for column in columns]


def conditions(query: Query, constants: Constants) -> Sequence[ColumnElement[bool]]:
    """Return all tests of a query.

    Raises:
        QueryError: a term does not make sense.
    """
    gone = trainings.c.deleted_at
    tests: list[ColumnElement[bool]] = [gone.is_not(None) if query.deleted else gone.is_(None)]
    tests += [condition(term, constants) for term in query.terms]
    if query.search:
        tests.append(func.instr(func.lower(trainings.c.name), query.search.lower()) > 0)
    return tests
