"""The values that a grid walks through, one parameter at a time, without holding a range."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from sweeper.domain.values import JsonValue, canonical_json


class Axis(Protocol):
    """An ordered set of values, each found by its index in O(1)."""

    @property
    def size(self) -> int:
        """How many values there are, at least one; an int of any size."""
        ...

    def value(self, index: int) -> JsonValue:
        """Return the value at `index`, which counts from 0 and is below `size`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Values that were written out."""

    values: tuple[JsonValue, ...]

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def value(self, index: int) -> JsonValue:
        """Return the value at `index`."""
        return self.values[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Integers from `first`, `step` apart."""

    first: int
    size: int
    step: int = 1

    def value(self, index: int) -> int:
        """Return the integer at `index`."""
        return self.first + index * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Floats from `first`, `step` apart, as numpy.arange(first, end, step) has them."""

    first: float
    size: int
    step: float

    def value(self, index: int) -> float:
        """Return the float at `index`, equal to numpy's to the last bit."""
        second = self.first + self.step
        # numpy writes the first two and goes on with the distance that they have.
        if index < 2:
            return second if index else self.first
        return self.first + index * (second - self.first)


def arange(first: int | float, end: int | float, step: int | float) -> Axis:
    """Return the axis of numpy.arange: `end` is excluded; only three ints give ints."""
    if isinstance(first, int) and isinstance(end, int) and isinstance(step, int):
        return Counted(first=first, size=-(-(end - first) // step), step=step)
    try:
        size = math.ceil((end - first) / step)
    except OverflowError:
        size = math.ceil((Fraction(end) - Fraction(first)) / Fraction(step))
    return Stepped(first=float(first), size=size, step=float(step))


def collapse(values: Sequence[JsonValue]) -> tuple[JsonValue, ...]:
    """Return `values` with equal ones collapsed, as W&B's grid does.

    The last of equal values stands at the place of the first.
    """
    return tuple({identity(value): value for value in values}.values())


def identity(value: JsonValue) -> Hashable:
    """Return what two values share when W&B's grid takes them for the same.

    An integral float equals the int, but not inside a list or mapping; True is not 1, and "3"
    is not 3.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return "json", canonical_json(value)
