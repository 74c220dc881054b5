"""A search space as Optuna sees it: one dimension for each parameter, or for a zipped group.

Optuna's own distributions stand for what they can hold to the letter: ranges of floats, of floats
by their logarithm, and of integers, and lists of values by their places. Everything else (normal,
beta, weighted, rounded to steps) is searched by its quantile, from which its value follows. Params
that did not come from Optuna (points of the file, other sweeps) find their way back.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeGuard

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from sweeper.domain.axes import collapse, identity
from sweeper.domain.parameters import (
    Categorical,
    Constant,
    IntUniform,
    InvLogUniformValues,
    LogUniform,
    LogUniformValues,
    Parameter,
    SearchSpace,
    Uniform,
    WeightedCategorical,
)
from sweeper.domain.sampling import Groups, Path, leaves
from sweeper.domain.values import JsonValue

Coordinate: TypeAlias = int | float

_EXACT = 2**53
_EDGE = 1e-9
_HALVINGS = 64


class Dimension(Protocol):
    """One axis of the search: what Optuna draws, and which params that means."""

    @property
    def paths(self) -> Sequence[Path]:
        """The parameters that it sets."""
        ...

    @property
    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        ...

    def values(self, coordinate: Coordinate) -> Sequence[JsonValue]:
        """Return the value of each of `paths`."""
        ...

    def coordinate(self, values: Sequence[JsonValue]) -> Coordinate | None:
        """Return what Optuna would have drawn for these values, None where it never would."""
        ...


@dataclass(frozen=True, slots=True)
class _Ranged:
    """A range that Optuna has, too."""

    paths: Sequence[Path]
    distribution: FloatDistribution | IntDistribution

    def values(self, coordinate: Coordinate) -> Sequence[JsonValue]:
        return (coordinate,)

    def coordinate(self, values: Sequence[JsonValue]) -> Coordinate | None:
        (value,) = values
        if not _is_number(value):
            return None
        is_whole = isinstance(self.distribution, IntDistribution)
        if is_whole and not float(value).is_integer():
            return None
        low, high = self.distribution.low, self.distribution.high
        if not low <= value <= high:
            return None
        return int(value) if is_whole else float(value)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Rows of values, found by their place; zipped parameters share one."""

    paths: Sequence[Path]
    rows: Sequence[Sequence[JsonValue]]

    @property
    def distribution(self) -> CategoricalDistribution:
        return CategoricalDistribution(range(len(self.rows)))

    def values(self, coordinate: Coordinate) -> Sequence[JsonValue]:
        return self.rows[int(coordinate)]

    def coordinate(self, values: Sequence[JsonValue]) -> Coordinate | None:
        wanted = tuple(map(identity, values))
        places = (
            place for place, row in enumerate(self.rows) if tuple(map(identity, row)) == wanted
        )
        return next(places, None)


@dataclass(frozen=True, slots=True)
class _Quantile:
    """Anything else, by its quantile; what rises with it is found again by halving."""

    paths: Sequence[Path]
    parameter: Parameter

    @property
    def distribution(self) -> FloatDistribution:
        return FloatDistribution(_EDGE, 1 - _EDGE)

    def values(self, coordinate: Coordinate) -> Sequence[JsonValue]:
        return (self.parameter.at(coordinate),)

    def coordinate(self, values: Sequence[JsonValue]) -> Coordinate | None:
        (value,) = values
        if isinstance(self.parameter, WeightedCategorical):
            return _weighted(self.parameter, value)
        if not _is_number(value):
            return None
        # A value that many quantiles have stands for the middle of them.
        first, last = self._edge(value, is_past=False), self._edge(value, is_past=True)
        middle = (first + last) / 2
        found = self.parameter.at(middle)
        return middle if _is_number(found) and _near(found, value) else None

    def _edge(self, value: int | float, *, is_past: bool) -> float:
        """Return the smallest quantile with `value` or more, or with more than that."""
        low, high = _EDGE, 1 - _EDGE
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            found = self.parameter.at(middle)
            if _is_number(found) and (found > value or (found == value and not is_past)):
                high = middle
            else:
                low = middle
        return high


def dimensions(space: SearchSpace, groups: Groups = ()) -> Mapping[str, Dimension]:
    """Return the dimensions of a space by name, in the order of its parameters' names.

    What has one value only is none. A name is that of the parameter, with dots between those of
    the spaces that it is nested in.
    """
    found = list(_dimensions(space, groups))
    names = [".".join(one.paths[0]) for one in found]
    # A dot may be part of a name, so two names can come out the same.
    unique = [
        name if names.count(name) == 1 else repr(one.paths[0])
        for name, one in zip(names, found, strict=True)
    ]
    return dict(zip(unique, found, strict=True))


def constants(space: SearchSpace) -> Iterator[tuple[Path, JsonValue]]:
    """Yield what is the same for every trial."""
    for path, parameter in leaves(space):
        if isinstance(parameter, Constant):
            yield path, parameter.value
        elif isinstance(parameter, Categorical) and len(collapse(parameter.values)) == 1:
            yield path, collapse(parameter.values)[0]


def _dimensions(space: SearchSpace, groups: Groups) -> Iterator[Dimension]:
    leading = {(min(group),): sorted(group) for group in groups}
    following = {(name,) for group in groups for name in group} - set(leading)
    fixed = {path for path, _ in constants(space)}
    for path, parameter in leaves(space):
        if path in leading:
            yield _zipped(space, leading[path])
        elif path not in following and path not in fixed:
            yield _dimension(path, parameter)


def _zipped(space: SearchSpace, names: Sequence[str]) -> Dimension:
    columns = [
        one.values for name in names if isinstance(one := space.parameters[name], Categorical)
    ]
    rows = {tuple(map(identity, row)): row for row in zip(*columns, strict=True)}
    return _Listed([(name,) for name in names], tuple(rows.values()))


def _dimension(path: Path, parameter: Parameter) -> Dimension:
    match parameter:
        case Categorical():
            return _Listed([path], [(value,) for value in collapse(parameter.values)])
        case IntUniform(min=low, max=high) if -_EXACT < low <= high < _EXACT:
            return _Ranged([path], IntDistribution(low, high))
        case Uniform(min=low, max=high) if math.isfinite(float(high) - float(low)):
            return _Ranged([path], FloatDistribution(float(low), float(high)))
        case LogUniformValues(min=low, max=high) | InvLogUniformValues(min=low, max=high):
            return _Ranged([path], FloatDistribution(float(low), float(high), log=True))
        case LogUniform(min=low, max=high) if -700 < low <= high < 700:
            bounds = math.exp(low), math.exp(high)
            return _Ranged([path], FloatDistribution(*bounds, log=True))
        case _:
            return _Quantile([path], parameter)


def _weighted(parameter: WeightedCategorical, value: JsonValue) -> float | None:
    """Return the middle of a value's share."""
    before = 0.0
    for one, share in zip(parameter.values, parameter.probabilities, strict=True):
        if identity(one) == identity(value) and share > 0:
            return min(max(before + float(share) / 2, _EDGE), 1 - _EDGE)
        before += float(share)
    return None


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(found: int | float, value: int | float) -> bool:
    return math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-12)
