"""Reads a section of the file as a pydantic model and says what does not fit, and where."""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path
from sweeper.wire.rules.view import shown

T = TypeVar("T")


class Section(BaseModel):
    """A mapping whose keys are all known; an unknown one is a fault."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    example: ClassVar[str] = ""
    """How the section is written, for the message about one that is no mapping."""


class ForeignSection(Section):
    """A mapping of W&B's, which itself only warns about keys that it does not know."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")


S = TypeVar("S", bound=Section)


def read_section(shape: type[S], findings: Findings, path: Path) -> S | None:
    """Return the section at `path`; None when it does not fit, which is among the faults then."""
    node = _node(findings, path)
    if issubclass(shape, ForeignSection):
        sort_out(findings, path, node.members, shape.model_fields)
    try:
        return shape.model_validate(node.plain())
    except ValidationError as error:
        report(error, shape, findings, path)
        return None


def read_value(
    shape: TypeAdapter[T], findings: Findings, path: Path, section: type[Section] | None = None
) -> T | None:
    """Return the value at `path`; None when it does not fit, which is among the faults then.

    `section` is the mapping that it may be, if any: the faults name its keys.
    """
    try:
        return shape.validate_python(_node(findings, path).plain(), strict=True)
    except ValidationError as error:
        report(error, section, findings, path)
        return None


def sort_out(findings: Findings, path: Path, given: Iterable[str], known: Iterable[str]) -> None:
    """Make a fault of each unknown key that resembles a known one, of others a violation."""
    names = tuple(known)
    for key in given:
        if key in names:
            continue
        near = findings.nearest(key, names)
        if near:
            findings.fault((*path, key), f"unknown key: did you mean {near}?", key=True)
        else:
            findings.violation((*path, key), "W&B does not know this key; remove it", key=True)


def report(
    error: ValidationError, shape: type[BaseModel] | None, findings: Findings, path: Path
) -> None:
    """Add each of pydantic's complaints about the value at `path` to the faults."""
    for detail in error.errors(include_url=False):
        steps: Path = detail["loc"]
        if detail["type"] == "missing":
            where, name = (*path, *steps[:-1]), str(steps[-1])
            findings.fault((*where, name), f"{name} is missing: write it", key=True)
        elif detail["type"] == "extra_forbidden":
            known = _known(shape, steps[:-1])
            findings.fault((*path, *steps), _unknown(findings, str(steps[-1]), known), key=True)
        else:
            findings.fault(_present(findings, path, steps), _said(detail, shape, steps))


def _unknown(findings: Findings, key: str, known: tuple[str, ...]) -> str:
    near = findings.nearest(key, known)
    if near:
        return f"unknown key: did you mean {near}?"
    return f"unknown key: known here are {', '.join(known)}"


_SAID = {
    "int_type": "{value} is no whole number: write one, without quotes",
    "bool_type": "{value} is neither true nor false: write one of them",
    "string_type": "{value} is no text: quote it",
    "list_type": "{value} is no list: write [a, b]",
    "string_too_short": "{value} is empty: write something, or leave the key out",
    "too_short": "{value} of {actual_length} items is too short: write {min_length} or more",
    "greater_than_equal": "{value} is too small: write {ge} or more",
    "less_than_equal": "{value} is too large: write {le} or less",
    "literal_error": "{value} is not known: write {expected}",
    "model_type": "{value} is no mapping: write {example}",
    "dict_type": "{value} is no mapping: write {example}",
}
"""What is said for each kind of pydantic's errors; for others its own words are good."""


def _said(detail: ErrorDetails, shape: type[BaseModel] | None, steps: Path) -> str:
    template = _SAID.get(detail["type"])
    if template is None:
        return detail["msg"]
    found = _shape_at(shape, steps)
    example = found.example if found is not None and issubclass(found, Section) else ""
    context: dict[str, Any] = detail.get("ctx", {})
    return template.format(
        value=shown(detail["input"]), example=example or "{key: value}", **context
    )


def _known(shape: type[BaseModel] | None, steps: Path) -> tuple[str, ...]:
    found = _shape_at(shape, steps)
    return () if found is None else tuple(found.model_fields)


def _shape_at(shape: type[BaseModel] | None, steps: Path) -> type[BaseModel] | None:
    """Return the model that a value `steps` below one of `shape` has to fit."""
    for step in steps:
        field = None if shape is None else shape.model_fields.get(str(step))
        shape = _model_in(field.annotation) if field else shape
    return shape


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)


def _present(findings: Findings, path: Path, steps: Path) -> Path:
    """Return the path of a value, without steps that only a longer way to write it would have."""
    node = _node(findings, path)
    for count, step in enumerate(steps):
        child = node.child(step)
        if child is None:
            return (*path, *steps[:count])
        node = child
    return (*path, *steps)


def _node(findings: Findings, path: Path) -> Node:
    node = findings.root
    for step in path:
        node = node.members[step] if isinstance(step, str) else node.items[step]
    return node
