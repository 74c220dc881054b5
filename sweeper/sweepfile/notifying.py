"""Reads `notify`: who is told of the sweep, and of what.

An address holds a password, so the file names the variable or the file that holds it. Whoever
writes it here nevertheless is told so, in words that do not repeat it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sweeper.domain.receivers import DEFAULT_TOPICS, Receiver, Topic
from sweeper.sweepfile.amounts import complaint
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node
from sweeper.sweepfile.shapes import Section, read_section

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_REMEDY = (
    "an address holds a password, and does not belong into a sweep file: put it into a variable "
    "and write env: NAME, or into a file and write file: PATH"
)


def _variable(value: Any) -> Any:
    if isinstance(value, str) and _VARIABLE.fullmatch(value):
        return value
    raise complaint(f"this names no variable, such as SLACK_URL; {_REMEDY}")


def _path(value: Any) -> Any:
    if isinstance(value, str) and value.strip() and "://" not in value:
        return value
    raise complaint(f"this names no file; {_REMEDY}")


class ReceiverShape(Section):
    """Somebody who is told."""

    example: ClassVar[str] = "{env: SLACK_URL, about: [finished, stopped]}"

    env: Annotated[str, BeforeValidator(_variable)] | None = None
    """Name of the environment variable that holds the address, as Apprise writes it."""
    file: Annotated[str, BeforeValidator(_path)] | None = None
    """A file that holds the address; from the sweep file's folder on."""
    about: (
        list[Literal["started", "finished", "stopped", "needs-a-person", "failed", "daily"]] | None
    ) = Field(default=None, min_length=1)
    """Of what. Default: finished, stopped, needs-a-person."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) is (self.file is None):
            raise complaint("write either env: NAME or file: PATH")
        return self

    def receiver(self) -> Receiver:
        """Return what it means."""
        about = DEFAULT_TOPICS if self.about is None else frozenset(map(Topic, self.about))
        return Receiver(variable=self.env, file=self.file, about=about)


def read_notify(findings: Findings) -> tuple[Receiver, ...] | None:
    """Return who is told."""
    node = findings.root.members["notify"]
    if not isinstance(node.value, tuple):
        findings.fault(("notify",), f"this is no list: write [{ReceiverShape.example}]; {_REMEDY}")
        return None
    found = [_read(findings, place, entry) for place, entry in enumerate(node.items)]
    return tuple(shape.receiver() for shape in found if shape is not None)


def _read(findings: Findings, place: int, entry: Node) -> ReceiverShape | None:
    path = ("notify", place)
    if not isinstance(entry.value, Mapping) or "url" in entry.members:
        findings.fault(path, _REMEDY)
        return None
    return read_section(ReceiverShape, findings, path)
