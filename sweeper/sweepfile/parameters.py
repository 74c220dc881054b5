"""Reads `parameters`: which distribution each one is, and what W&B would say about it."""

import math
import re
from collections.abc import Mapping
from typing import Any

from sweeper.domain.parameters import (
    Categorical,
    Constant,
    IntUniform,
    Parameter,
    QUniform,
    SearchSpace,
)
from sweeper.errors import MissingExtraError
from sweeper.sweepfile.distributions import DEPRECATED, SHAPES, Shape
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path, legible
from sweeper.sweepfile.shapes import read_section
from sweeper.wire.rules.view import shown

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_KEYS = ("distribution", "value", "values", "probabilities", "min", "max", "parameters")
_HINTS = {
    "q": "q rounds the distributions whose names begin with q_: write distribution: q_uniform",
    "mu": "mu belongs to normal distributions: write distribution: normal",
    "sigma": "sigma belongs to normal distributions: write distribution: normal",
    "a": "a belongs to beta distributions: write distribution: beta",
    "b": "b belongs to beta distributions: write distribution: beta",
    "probabilities": "probabilities need distribution: categorical_w_probabilities",
    "values": "values are not for this kind of parameter: keep either values or the rest",
    "value": "value is not for this kind of parameter: keep either value or the rest",
}


def read_space(findings: Findings, path: Path, node: Node) -> SearchSpace:
    """Return the parameters in `node`, which stands at `path`, as far as they can be read."""
    if not isinstance(node.value, Mapping):
        findings.fault(
            path, f"{_said(node)} is no mapping: write each parameter as name: {{value: ...}}"
        )
    elif not node.members:
        findings.fault(path, "there are no parameters: write at least one")
    read: dict[str, Parameter | SearchSpace] = {}
    for name, inner in node.members.items():
        _check_name(findings, (*path, name), name)
        parameter = _read_parameter(findings, (*path, name), inner)
        if parameter is not None:
            read[name] = parameter
    return SearchSpace(parameters=read)


def check_grid(findings: Findings, path: Path, space: SearchSpace) -> None:
    """Make a fault of each parameter that a grid cannot walk."""
    for name, parameter in space.parameters.items():
        here = (*path, name)
        if isinstance(parameter, SearchSpace):
            check_grid(findings, (*here, "parameters"), parameter)
        elif not isinstance(parameter, Constant | Categorical | IntUniform | QUniform):
            findings.fault(
                here,
                f"a grid cannot walk {parameter.distribution}: write values, or distribution: "
                "q_uniform with a step q, or method: random",
                key=True,
            )


def _check_name(findings: Findings, path: Path, name: str) -> None:
    if not name:
        findings.fault(path, "a parameter without a name: write one", key=True)
    elif not _NAME.fullmatch(name):
        findings.violation(
            path,
            "W&B wants names of letters, digits, _ . and -, the first a letter or _: rename it",
            key=True,
        )


def _read_parameter(findings: Findings, path: Path, node: Node) -> Parameter | SearchSpace | None:
    if not isinstance(node.value, Mapping):
        key = "values" if isinstance(node.value, tuple) else "value"
        findings.fault(path, f"{_said(node)} is no mapping: write {{{key}: {_written(node)}}}")
        return None
    if "parameters" in node.members:
        return _read_nested(findings, path, node)
    shape = _shape(findings, path, node)
    if shape is None:
        return None
    for key in node.members:
        if key in _HINTS and key not in shape.model_fields:
            findings.fault((*path, key), _HINTS[key], key=True)
    read = read_section(shape, findings, path)
    if read is None:
        return None
    parameter = read.parameter()
    _remark(findings, path, node, parameter)
    return parameter


def _read_nested(findings: Findings, path: Path, node: Node) -> SearchSpace | None:
    for key in node.members:
        if key != "parameters":
            findings.fault(
                (*path, key),
                "stands beside parameters, which nests: keep one of them",
                key=True,
            )
    return read_space(findings, (*path, "parameters"), node.members["parameters"])


def _shape(findings: Findings, path: Path, node: Node) -> type[Shape] | None:
    """Return how the parameter is written: as its distribution says, else as its keys tell."""
    given = node.members.get("distribution")
    name = _inferred(node.members) if given is None else given.value
    if isinstance(name, str) and name in SHAPES:
        return SHAPES[name]
    if given is not None:
        near = findings.nearest(name, SHAPES) if isinstance(name, str) else None
        remedy = f"did you mean {near}?" if near else f"write one of {', '.join(SHAPES)}"
        findings.fault((*path, "distribution"), f"{_said(given)} is no distribution: {remedy}")
        return None
    for key in node.members:
        near = findings.nearest(key, _KEYS)
        if near and key not in _HINTS:
            findings.fault((*path, key), f"unknown key: did you mean {near}?", key=True)
            return None
    if {"mu", "sigma", "a", "b"} & node.members.keys():
        findings.fault(path, "distribution is missing: write distribution: normal, or beta")
    else:
        findings.fault(path, "says no values: write value, values, or min and max")
    return None


def _inferred(members: Mapping[str, Node]) -> str | None:
    if "value" in members:
        return "constant"
    if "values" in members:
        return "categorical_w_probabilities" if "probabilities" in members else "categorical"
    if "min" in members and "max" in members:
        bounds = (members["min"].value, members["max"].value)
        return "int_uniform" if all(type(bound) is int for bound in bounds) else "uniform"
    return "uniform" if "min" in members or "max" in members else None


def _remark(findings: Findings, path: Path, node: Node, parameter: Parameter) -> None:
    name = parameter.distribution
    if name in DEPRECATED:
        low, high = node.members["min"].value, node.members["max"].value
        findings.violation(
            path,
            f"{name} is deprecated: its min {low} and max {high} are exponents, so that values "
            f"lie between {_power(name, low, high)}: write {DEPRECATED[name]}",
            key=True,
        )
    if name == "uniform" and "distribution" not in node.members:
        bounds = {type(node.members[key].value) for key in ("min", "max")}
        if len(bounds) > 1:
            findings.warning(
                path,
                "min and max are a whole number and a float, which W&B's client calls ambiguous: "
                "write distribution: uniform",
                key=True,
            )
    if name in ("beta", "q_beta"):
        _check_scipy(findings, path, parameter)


def _power(name: str, low: Any, high: Any) -> str:
    if name.startswith("inv"):
        low, high = -high, -low
    return f"{math.exp(low):g} and {math.exp(high):g}"


def _check_scipy(findings: Findings, path: Path, parameter: Parameter) -> None:
    try:
        parameter.at(0.5)
    except MissingExtraError as error:
        findings.fault(path, str(error), key=True)


def _said(node: Node) -> str:
    return "a list" if isinstance(node.value, tuple) else shown(node.plain())


def _written(node: Node) -> str:
    if isinstance(node.value, tuple):
        return "[...]"
    return legible(node.value) if isinstance(node.value, str) else shown(node.plain())
