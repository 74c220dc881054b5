"""Reads `points` and `zip`, which speak of the parameters by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias, cast

from sweeper.domain.axes import identity
from sweeper.domain.parameters import (
    Beta,
    Categorical,
    Constant,
    IntUniform,
    InvLogUniformValues,
    LogUniformValues,
    Parameter,
    SearchSpace,
    Uniform,
    WeightedCategorical,
)
from sweeper.domain.rules import Rules
from sweeper.domain.values import JsonValue, Params, freeze
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path, legible
from sweeper.wire.rules.view import shown

_Test: TypeAlias = Callable[[JsonValue], bool]
_MOST_NAMED = 5


def read_points(
    findings: Findings,
    space: SearchSpace,
    given: Sequence[Mapping[str, JsonValue]],
    rules: Rules | None = None,
) -> tuple[Params, ...]:
    """Return the points of the file.

    Parameters of one value, and those that do not exist beside the others, may be left out.
    """
    named = findings.root.members["parameters"]
    reader = _Points(findings, space, rules or Rules())
    for place, point in enumerate(given):
        reader.check(("points", place), space, named, point)
    if findings.has_faults(("points",)):
        return ()
    return tuple(
        cast(Params, freeze(_completed(space, point, reader.absent(point)))) for point in given
    )


class _Points:
    """Checks points one after another; what a parameter allows is worked out once."""

    def __init__(self, findings: Findings, space: SearchSpace, rules: Rules) -> None:
        self._findings = findings
        self._rules = rules
        self._tests: dict[int, _Test] = {}
        self._space = space

    def check(self, path: Path, space: SearchSpace, named: Node, point: Any) -> None:
        """Check a point, or the part of one below a nested parameter named in `named`."""
        if not isinstance(point, Mapping):
            self._findings.fault(path, f"{shown(point)} is no mapping: write {{name: value}}")
            return
        for name, value in point.items():
            self._check_value((*path, name), space, named, name, value)
        absent = self.absent(point) if space is self._space else set()
        missing = [
            name
            for name in named.members
            if name not in point
            and name not in absent
            and not _is_settled(space.parameters.get(name))
        ]
        if missing:
            some = ", ".join(legible(name) for name in missing[:_MOST_NAMED])
            rest = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
            self._findings.fault(path, f"says nothing of {some}{rest}: give each a value")

    def absent(self, point: Mapping[str, JsonValue]) -> set[str]:
        """Return the conditional parameters that do not exist beside a point's values."""
        settled = {
            name: one.value
            for name, one in self._space.parameters.items()
            if isinstance(one, Constant)
        }
        whole = {**settled, **point}
        return {name for name in self._rules.when if not self._rules.exists(name, whole)}

    def _check_value(
        self, path: Path, space: SearchSpace, named: Node, name: str, value: JsonValue
    ) -> None:
        if name not in named.members:
            near = self._findings.nearest(name, named.members)
            remedy = f"did you mean {near}?" if near else "add it to parameters, or remove it"
            self._findings.fault(path, f"is no parameter: {remedy}", key=True)
            return
        parameter = space.parameters.get(name)
        if isinstance(parameter, SearchSpace):
            self.check(path, parameter, named.members[name].members["parameters"], value)
        elif parameter is not None and not self._test(parameter)(value):
            self._findings.warning(
                path, f"{shown(value)} is not among what the parameter allows; it is tried anyway"
            )

    def _test(self, parameter: Parameter) -> _Test:
        key = id(parameter)
        if key not in self._tests:
            self._tests[key] = _allows(parameter)
        return self._tests[key]


def _allows(parameter: Parameter) -> _Test:
    """Return what tells whether a value is one that the parameter may have."""
    match parameter:
        case Constant(value=value):
            return _is_one_of([value])
        case Categorical(values=values) | WeightedCategorical(values=values):
            numbers = [cast(float, value) for value in values if _is_number(value)]
            if len(numbers) == len(values):
                return _is_within(min(numbers), max(numbers))
            return _is_one_of(values)
        case IntUniform(min=low, max=high):
            return lambda value: type(value) is int and low <= value <= high
        case (
            Uniform(min=low, max=high)
            | LogUniformValues(min=low, max=high)
            | InvLogUniformValues(min=low, max=high)
        ):
            return _is_within(low, high)
        case Beta():
            return _is_within(0, 1)
        case _:
            return _is_number


def _is_one_of(values: Sequence[JsonValue]) -> _Test:
    known = {identity(value) for value in values}
    return lambda value: identity(value) in known


def _is_within(low: float, high: float) -> _Test:
    return lambda value: _is_number(value) and low <= cast(float, value) <= high


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_settled(parameter: Parameter | SearchSpace | None) -> bool:
    """Return whether a parameter has one value only."""
    if isinstance(parameter, SearchSpace):
        return all(_is_settled(inner) for inner in parameter.parameters.values())
    return isinstance(parameter, Constant)


def _completed(
    space: SearchSpace, point: Mapping[str, JsonValue], absent: Collection[str] = ()
) -> dict[str, JsonValue]:
    """Return a point with the values of the parameters that have one only, and exist."""
    full: dict[str, JsonValue] = {}
    for name, parameter in sorted(space.parameters.items()):
        if name in absent and name not in point:
            continue
        if isinstance(parameter, SearchSpace):
            inner = point.get(name, {})
            full[name] = _completed(parameter, inner if isinstance(inner, Mapping) else {})
        elif isinstance(parameter, Constant):
            full[name] = point.get(name, parameter.value)
        else:
            full[name] = point[name]
    return full


def read_zip(
    findings: Findings, space: SearchSpace, groups: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of parameters that walk together; each has its lists of equal length."""
    named = findings.root.members["parameters"]
    seen: set[str] = set()
    for place, group in enumerate(groups):
        lengths: dict[str, int] = {}
        for position, name in enumerate(group):
            path: Path = ("zip", place, position)
            if name not in named.members:
                near = findings.nearest(name, named.members)
                remedy = f"did you mean {near}?" if near else "name one at the top of parameters"
                findings.fault(path, f"{shown(name)} is no parameter: {remedy}")
            elif name in seen:
                findings.fault(path, f"{shown(name)} is zipped twice: keep it in one group")
            else:
                seen.add(name)
                _measure(findings, path, space.parameters.get(name), name, lengths)
        if len(set(lengths.values())) > 1:
            some = ", ".join(f"{legible(name)} has {size}" for name, size in lengths.items())
            findings.fault(("zip", place), f"lists walk together only at equal length: {some}")
    return tuple(tuple(group) for group in groups)


def _measure(
    findings: Findings,
    path: Path,
    parameter: Parameter | SearchSpace | None,
    name: str,
    lengths: dict[str, int],
) -> None:
    if isinstance(parameter, Categorical):
        lengths[name] = len(parameter.values)
    elif parameter is not None:
        findings.fault(path, f"{shown(name)} has no list of values: write values, or unzip it")
