"""The values of a sweep file with the places where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sweeper.domain.values import JsonValue
from sweeper.domain.wording import printable

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions that lead from the top of the file to a value."""

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something worth knowing about a file that can run all the same.

    `line` and `column` count from 1 (0 = the file as a whole); `path` is dotted from the top of
    the file; `message` carries the value and the remedy.
    """

    line: int
    column: int
    path: str
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the text; both count from 1, and 0 stands for the file as a whole."""

    line: int
    column: int


WHOLE_FILE = Place(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of the file: a scalar, a list of nodes, or nodes by key.

    Nodes may be shared, where the file uses aliases, but never hold themselves. `keys` has the
    places of a mapping's keys.
    """

    value: "bool | int | float | str | tuple[Node, ...] | Mapping[str, Node] | None"
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)

    @property
    def members(self) -> "Mapping[str, Node]":
        """The nodes by key; empty for anything but a mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The nodes in a list; empty for anything but a list."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def is_scalar(self) -> bool:
        """Whether this is no list and no mapping."""
        return not isinstance(self.value, tuple | Mapping)

    def child(self, step: str | int) -> "Node | None":
        """Return the node one step further, None when there is none."""
        if isinstance(step, str):
            return self.members.get(step)
        return self.items[step] if 0 <= step < len(self.items) else None

    def plain(self) -> JsonValue:
        """Return the value as plain data, of dicts, lists and scalars."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def place_of(root: Node, path: Path, *, key: bool = False) -> Place:
    """Return where the value at `path` stands, or as much of the way to it as there is.

    A scalar stands at its first character. A list, a mapping, null, and anything with `key` stands
    at its key, which reads better than its first item.
    """
    node, place = root, root.place
    for step in path:
        child = node.child(step)
        if child is None:
            return place
        place = node.keys[step] if isinstance(step, str) else child.place
        node = child
    is_written = node.is_scalar and node.value is not None
    return node.place if is_written and path and not key else place


def dotted(path: Path) -> str:
    """Return `path` as text, short and on one line: `parameters.lr.values[3]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{legible(step)}" if text else legible(step)
    return text


def legible(text: str) -> str:
    """Return a text of the file as messages show it: on one line, 60 characters of it at most."""
    return printable(text, _SHOWN)
