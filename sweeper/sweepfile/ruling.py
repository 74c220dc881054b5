"""Reads `when` and `constraints`: which points of the search space there are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweeper.domain.axes import identity
from sweeper.domain.constraints import Constraint, parse
from sweeper.domain.parameters import Categorical, Constant, SearchSpace, WeightedCategorical
from sweeper.domain.rules import Condition, Rules
from sweeper.domain.values import JsonValue, Params, freeze
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path, legible
from sweeper.wire.rules.view import shown

_MOST_NAMED = 5
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def read_rules(
    findings: Findings,
    space: SearchSpace,
    when: Mapping[str, Mapping[str, Any]] | None,
    constraints: Sequence[str] | None,
) -> Rules:
    """Return what `when` and `constraints` say; what cannot be kept to is among the faults."""
    conditions = {
        name: _condition(findings, space, name, one) for name, one in (when or {}).items()
    }
    for name in conditions:
        if name in _behind(conditions, name, ()):
            findings.fault(("when", name), "depends on itself: leave a condition out", key=True)
            return Rules()
    _check_placeholders(findings, conditions)
    known = [
        found
        for place, text in enumerate(constraints or ())
        if (found := _constraint(findings, space, place, text)) is not None
    ]
    return Rules(when=conditions, constraints=tuple(known))


def check_points(findings: Findings, rules: Rules, points: Sequence[Params]) -> None:
    """Say which of the file's own points do not keep to the rules."""
    for place, point in enumerate(points):
        for name in point:
            if not rules.exists(name, point):
                findings.fault(
                    ("points", place, name),
                    "does not exist beside these values: remove it",
                    key=True,
                )
        for constraint in rules.constraints:
            if not constraint.holds(rules.existing(point)):
                findings.fault(("points", place), f"does not meet {constraint.text}: change it")


def _condition(
    findings: Findings, space: SearchSpace, name: str, given: Mapping[str, Any]
) -> Condition:
    path: Path = ("when", name)
    _known(findings, space, path, name)
    if not given:
        findings.fault(path, "depends on nothing: write {other: value}, or remove it")
    found: dict[str, tuple[JsonValue, ...]] = {}
    for other, value in given.items():
        if not _known(findings, space, (*path, other), other):
            continue
        values = value if isinstance(value, list) else [value]
        found[other] = tuple(freeze(each) for each in values)
        possible = _possible(space, other)
        for each in values:
            if possible is not None and identity(each) not in map(identity, possible):
                some = ", ".join(shown(one) for one in possible[:_MOST_NAMED])
                findings.fault(
                    (*path, other), f"{legible(other)} is never {shown(each)}: it is {some}"
                )
    return found


def _known(findings: Findings, space: SearchSpace, path: Path, name: str) -> bool:
    named = findings.root.members["parameters"].members
    if name not in named:
        near = findings.nearest(name, named)
        remedy = f"did you mean {near}?" if near else "name one at the top of parameters"
        findings.fault(path, f"is no parameter: {remedy}", key=True)
    return name in space.parameters


def _possible(space: SearchSpace, name: str) -> Sequence[JsonValue] | None:
    """Return the values that a parameter may have, None where it has a range."""
    match space.parameters.get(name):
        case Constant(value=value):
            return [value]
        case Categorical(values=values) | WeightedCategorical(values=values):
            return values
        case _:
            return None


def _behind(conditions: Mapping[str, Condition], name: str, seen: tuple[str, ...]) -> Iterator[str]:
    """Yield every parameter that one depends on, however far behind."""
    for other in conditions.get(name, {}):
        yield other
        if other not in seen:
            yield from _behind(conditions, other, (*seen, other))


def _constraint(findings: Findings, space: SearchSpace, place: int, text: str) -> Constraint | None:
    path: Path = ("constraints", place)
    try:
        found = parse(text)
        names = found.names
    except ValueError as error:
        findings.fault(path, f"{shown(text)} {error}")
        return None
    known = _names(space)
    for name in sorted(names - known):
        near = findings.nearest(name, known)
        remedy = (
            f"did you mean {near}?" if near else f"parameters are {', '.join(sorted(known)[:9])}"
        )
        findings.fault(path, f"{legible(name)} is no parameter: {remedy}")
    return found if names <= known else None


def _names(space: SearchSpace) -> frozenset[str]:
    found: set[str] = set()
    for name, parameter in space.parameters.items():
        found.add(name)
        if isinstance(parameter, SearchSpace):
            found |= {f"{name}.{inner}" for inner in _names(parameter)}
    return frozenset(found)


def _check_placeholders(findings: Findings, conditions: Mapping[str, Condition]) -> None:
    """Refuse placeholders that would stand for nothing in some trials."""
    for key in ("command", "training"):
        for path, text in _texts(findings.root.members.get(key), (key,)):
            for name in _PLACEHOLDER.findall(text):
                if name.partition(".")[0] in conditions:
                    remedy = "write ${args}, or read SWEEPER_PARAMS"
                    said = f"{legible(name)} does not exist in every trial (when): {remedy}"
                    findings.fault(path, said)


def _texts(node: Node | None, path: Path) -> Iterator[tuple[Path, str]]:
    if node is None:
        return
    if isinstance(node.value, str):
        yield path, node.value
    for place, item in enumerate(node.items):
        yield from _texts(item, (*path, place))
    for name, member in node.members.items():
        yield from _texts(member, (*path, name))
