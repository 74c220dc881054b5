"""Constraints between parameters: arithmetic and comparisons, parsed and never evaluated by Python.

`a * b <= 64`, `0 < lr < 0.1 and not (depth > 4 and width == "large")`. Names are those of
parameters, with dots where they have any, or where they are nested. What is written is parsed by
the standard library's `ast`, of whose nodes only these few are known here.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sweeper.domain.values import JsonValue, Params

LONGEST = 500
"""So many characters may a constraint have."""

_NO_COMPARISON = "compares nothing: write such as a * b <= 64"
_LARGEST_POWER = 64
_LARGEST = 10**300


class _UncomputableError(Exception):
    """A value that no arithmetic can have: the constraint does not hold."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint, as it was written."""

    text: str

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it speaks of, dots between those of a nested one."""
        return frozenset(_names(_parsed(self.text)))

    def holds(self, params: Params) -> bool:
        """Return whether params meet it.

        One about a parameter that a trial does not have says nothing about that trial. What
        cannot be computed (a division by zero, a text times a number) is not met.
        """
        try:
            for name in self.names:
                value_of(params, name)
        except LookupError:
            return True
        try:
            return bool(_value(_parsed(self.text), params))
        except (_UncomputableError, ArithmeticError, TypeError, ValueError):
            return False


def parse(text: str) -> Constraint:
    """Return the constraint that a text means.

    Raises:
        ValueError: it means none; the message says why, without the text.
    """
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text)} characters: write {LONGEST} or fewer")
    for node in ast.walk(_parsed(text)):
        _check(node)
    if not frozenset(_names(_parsed(text))):
        raise ValueError("speaks of no parameter: write such as a * b <= 64")
    if not isinstance(_parsed(text), ast.Compare | ast.BoolOp | ast.UnaryOp):
        raise ValueError(_NO_COMPARISON)  # noqa: TRY004 - a fault of the text
    return Constraint(text)


@lru_cache(maxsize=1000)
def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ValueError(f"cannot be read ({reason}): write such as a * b <= 64") from error


def _check(node: ast.AST) -> None:
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str | None):
            raise ValueError("holds a value that no parameter can have")  # noqa: TRY004 - as above
        return
    if not isinstance(node, _KNOWN):
        word = type(node).__name__.lower()
        message = f"holds a {word}: only arithmetic and comparisons are known"
        raise ValueError(message)  # noqa: TRY004 - as above


def _names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Attribute):
        yield _name(node)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _names(child)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    raise ValueError("holds a dot that stands in no name")


def value_of(params: Params, name: str) -> JsonValue:
    """Return the value of a parameter, dots in whose name may lead into nested ones.

    Raises:
        LookupError: the params have none.
    """
    if name in params:
        return params[name]
    for place, letter in enumerate(name):
        inner = params.get(name[:place]) if letter == "." else None
        if isinstance(inner, Mapping):
            return value_of(inner, name[place + 1 :])
    raise LookupError(name)


def _value(node: ast.expr, params: Params) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return value_of(params, _name(node))
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, params)
            return not value if isinstance(op, ast.Not) else _SIGNS[type(op)](value)
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(op, _value(left, params), _value(right, params))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(each, params) for each in values)
        case ast.BoolOp(values=values):
            return any(_value(each, params) for each in values)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _compared([left, *comparators], ops, params)
        case _:
            raise _UncomputableError


def _compared(sides: Sequence[ast.expr], ops: Sequence[ast.cmpop], params: Params) -> bool:
    values = [_value(side, params) for side in sides]
    pairs = zip(ops, values, values[1:], strict=False)
    return all(_ORDERS[type(op)](first, second) for op, first, second in pairs)


def _computed(op: ast.operator, first: Any, second: Any) -> int | float:
    if not all(isinstance(each, int | float) for each in (first, second)):
        raise _UncomputableError
    if isinstance(op, ast.Pow) and abs(second) > _LARGEST_POWER:
        raise _UncomputableError
    found: int | float = _ARITHMETIC[type(op)](first, second)
    if isinstance(found, complex) or not abs(found) <= _LARGEST:
        raise _UncomputableError
    return found


_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_KNOWN: tuple[type[ast.AST], ...] = (
    *(ast.Name, ast.Attribute, ast.Load, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare),
    *(ast.And, ast.Or, ast.Not),
    *_SIGNS.keys(),
    *_ARITHMETIC.keys(),
    *_ORDERS.keys(),
)
