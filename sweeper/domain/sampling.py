"""Samplers: the params at any place of a search, found without those before it.

Params come with their names sorted at each level of nesting, as W&B walks them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from operator import itemgetter
from typing import Any, Protocol, TypeAlias, cast

from sweeper.domain.axes import Axis, Listed, identity
from sweeper.domain.parameters import (
    Categorical,
    Constant,
    IntUniform,
    Parameter,
    QUniform,
    SearchSpace,
)
from sweeper.domain.permutation import Permutation
from sweeper.domain.sweep import Order
from sweeper.domain.values import JsonValue, Params, canonical_json, freeze

Path: TypeAlias = tuple[str, ...]
"""Where a parameter stands: its name, after the names of the spaces that it is nested in."""

Groups: TypeAlias = Sequence[Sequence[str]]
"""Names, at the top level, of categorical parameters whose values walk together."""


class Sampler(Protocol):
    """Gives params by index, counted from 0."""

    @property
    def size(self) -> int | None:
        """How many params there are, None when they never end; an int of any size."""
        ...

    def params(self, index: int) -> Params:
        """Return the params at `index`, below `size`; the same ones however often it is asked."""
        ...


class RandomSampler:
    """Draws every parameter anew for each index, from a stream that `seed` and index settle.

    Each draw hashes (seed, index, parameter), so that adding a parameter leaves the draws of
    the others as they are. A zipped group shares the draw of its first name.
    """

    size: None = None

    def __init__(self, space: SearchSpace, seed: int, groups: Groups = ()) -> None:
        self._leaves = tuple(leaves(space))
        self._seed = seed
        self._leaders: dict[Path, Path] = {
            (name,): (min(group),) for group in groups for name in group
        }

    def params(self, index: int) -> Params:
        """Return the draws at `index`."""
        return nested(
            (path, parameter.at(self._quantile(index, path))) for path, parameter in self._leaves
        )

    def redrawn(self, index: int, attempt: int) -> Params:
        """Return other draws at `index`, for each `attempt` from 1 on."""
        return nested(
            (path, parameter.at(self._drawn(f"{index:x}/{attempt:x}", path)))
            for path, parameter in self._leaves
        )

    def _quantile(self, index: int, path: Path) -> float:
        return self._drawn(f"{index:x}", path)

    def _drawn(self, place: str, path: Path) -> float:
        leader = self._leaders.get(path, path)
        text = canonical_json([f"{self._seed:x}", place, *leader])
        draw = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        # An odd number over 2**53 is exact, never 0 and never 1.
        return ((draw >> 12) * 2 + 1) / 2**53


class GridSampler:
    """Walks every combination once: the last name varies fastest, values in the file's order.

    A zipped group is one axis at the place of its first name, and a row of it collapses only
    with an equal row. Costs O(parameters) for each index, whatever the size of the grid.

    Raises:
        ValueError: a parameter is none that a grid can walk.
    """

    size: int

    def __init__(
        self, space: SearchSpace, seed: int = 0, groups: Groups = (), order: Order = Order.FILE
    ) -> None:
        self._strands = tuple(_strands(space, groups))
        self.size = prod(strand.axis.size for strand in self._strands)
        shuffled = order is Order.SHUFFLED
        self._shuffle = Permutation(seed=seed, size=self.size) if shuffled else None

    def params(self, index: int) -> Params:
        """Return the combination at `index`."""
        rest = self._shuffle.at(index) if self._shuffle else index
        chosen: list[tuple[Path, JsonValue]] = []
        for strand in reversed(self._strands):
            rest, place = divmod(rest, strand.axis.size)
            chosen.extend(strand.values(place))
        return nested(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strand:
    """One axis of the grid, and the parameters that it moves.

    With a `path` that one; without, those of a zipped group, whose values are rows.
    """

    axis: Axis
    path: Path | None = None
    names: tuple[str, ...] = ()

    def values(self, place: int) -> Iterator[tuple[Path, JsonValue]]:
        value = self.axis.value(place)
        if self.path is not None:
            yield self.path, value
        else:
            for name, item in zip(self.names, cast(Sequence[JsonValue], value), strict=True):
                yield (name,), item


def leaves(space: SearchSpace, outer: Path = ()) -> Iterator[tuple[Path, Parameter]]:
    """Yield every parameter with its path, names in string order at each level."""
    for name, parameter in sorted(space.parameters.items()):
        if isinstance(parameter, SearchSpace):
            yield from leaves(parameter, (*outer, name))
        else:
            yield (*outer, name), parameter


def _strands(space: SearchSpace, groups: Groups) -> Iterator[_Strand]:
    leading = {(min(group),): sorted(group) for group in groups}
    following = {(name,) for group in groups for name in group} - set(leading)
    for path, parameter in leaves(space):
        if path in leading:
            yield _zipped(space, leading[path])
        elif path not in following:
            yield _Strand(axis=_axis(path, parameter), path=path)


def _zipped(space: SearchSpace, names: Sequence[str]) -> _Strand:
    columns = []
    for name in names:
        parameter = space.parameters.get(name)
        if not isinstance(parameter, Categorical):
            raise ValueError(f"zip: {name} has no list of values")  # noqa: TRY004 - a fault of the sweep, not of the caller's types
        columns.append(parameter.values)
    rows = {tuple(map(identity, row)): row for row in zip(*columns, strict=True)}
    return _Strand(axis=Listed(values=tuple(rows.values())), names=tuple(names))


def _axis(path: Path, parameter: Parameter) -> Axis:
    if isinstance(parameter, Constant | Categorical | IntUniform | QUniform):
        return parameter.axis()
    raise ValueError(f"{'.'.join(path)}: a grid cannot walk a {parameter.distribution}")


def nested(values: Iterable[tuple[Path, JsonValue]]) -> Params:
    """Return params from the value at each path."""
    nested: dict[str, Any] = {}
    for (*outer, name), value in sorted(values, key=itemgetter(0)):
        inner = nested
        for key in outer:
            inner = inner.setdefault(key, {})
        inner[name] = value
    return cast(Params, freeze(nested))
