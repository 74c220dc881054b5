"""From the text of a sweep file to its values with their places, within bounds.

A node counts once for each time an alias repeats it, so that a file of a few lines cannot stand
for millions of values; nothing is ever copied to find that out.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sweeper.errors import Fault
from sweeper.sweepfile.events import BrokenTextError, decoded, parse, place_of_event
from sweeper.sweepfile.places import Node, Notice, Path, Place, dotted, legible
from sweeper.sweepfile.scalars import Scalar, resolve, resolve_as

MAX_DEPTH = 100
MAX_NODES = 100_000
MERGE = "<<"

_ILLEGIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_VARIABLES: Path = ("training", "spec", "environmentVariables")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The values of a file, and what was found wrong or remarkable about single ones."""

    root: Node
    faults: tuple[Fault, ...]
    warnings: tuple[Notice, ...]


def load(content: str | bytes) -> Loaded:
    """Return the values of the one document in `content`, a mapping.

    Raises:
        BrokenTextError: it cannot be read to its end, or is no mapping.
    """
    builder = _Builder()
    for event in parse(decoded(content)):
        builder.take(event)
    root = builder.root
    if root is None or (root.value is None and root.is_scalar):
        raise BrokenTextError(
            Place(0, 0), "the file is empty: write at least `method` and `parameters`"
        )
    if not isinstance(root.value, Mapping):
        kind = "text" if root.is_scalar else "a list"
        raise BrokenTextError(
            root.place, f"the file holds {kind}, not keys: begin with `method:` and `parameters:`"
        )
    return Loaded(root=root, faults=tuple(builder.faults), warnings=tuple(builder.warnings))


@dataclass(slots=True)
class _Built:
    """A finished node with the number of nodes in it and how deep they go."""

    node: Node
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class _Open:
    """A list or a mapping that is being read; `key` is the one whose value comes next."""

    place: Place
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    members: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    key: str | None = None
    expects_key: bool = True
    size: int = 1
    height: int = 1

    @property
    def step(self) -> str | int | None:
        return self.key if self.is_mapping else len(self.items)


class _Builder:
    """Puts nodes together from events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self.warnings: list[Notice] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Built | None] = {}
        self._documents = 0
        self._count = 0

    def take(self, event: Event) -> None:
        """Add what `event` tells."""
        place = place_of_event(event)
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise BrokenTextError(
                        place, "a second document begins here: write one sweep a file"
                    )
            case ScalarEvent():
                self._grow(1, 1, place)
                self._add(_Built(self._scalar(event, place)), event.anchor, place)
            case AliasEvent():
                self._repeat(event, place)
            case MappingStartEvent() | SequenceStartEvent():
                self._open(event, place)
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case _:
                pass

    def _grow(self, size: int, height: int, place: Place) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise BrokenTextError(
                place,
                f"the file holds more than {MAX_NODES} values, aliases expanded: "
                "write a range, or fewer values",
            )
        if len(self._stack) + height > MAX_DEPTH:
            raise BrokenTextError(
                place, f"values are nested more than {MAX_DEPTH} deep: nest them less"
            )

    def _scalar(self, event: ScalarEvent, place: Place) -> Node:
        text: str = event.value
        value: Scalar = text
        if event.tag is not None:
            value = self._tagged(str(event.tag), text, place)
        elif event.implicit[0]:
            value = self._resolved(text, place)
        elif refused := _ILLEGIBLE.search(text):
            code = ord(refused[0])
            self._fault(
                place, f"the text holds U+{code:04X}, which no command line can carry: take it out"
            )
        return Node(value=value, place=place)

    def _tagged(self, tag: str, text: str, place: Place) -> Scalar:
        """Return what a text means under a tag such as `tag:yaml.org,2002:float`."""
        kind = tag.rpartition(":")[2]
        try:
            return resolve_as(kind, text)
        except ValueError:
            self._fault(place, f"!!{kind} does not fit {legible(text)}: write such a value")
            return None

    def _resolved(self, word: str, place: Place) -> Scalar:
        try:
            meaning = resolve(word)
        except ValueError as error:
            self._fault(place, str(error))
            return None
        if isinstance(meaning.value, float) and not math.isfinite(meaning.value):
            self._fault(
                place, f"{legible(word)} is no finite number: write one, or quote it for the text"
            )
        if meaning.remark and not self._is_at_key:
            self._warn(place, meaning.remark)
        return meaning.value

    def _repeat(self, event: AliasEvent, place: Place) -> None:
        name = legible(event.anchor)
        if event.anchor not in self._anchors:
            raise BrokenTextError(place, f"*{name} repeats nothing: write &{name} before it")
        built = self._anchors[event.anchor]
        if built is None:
            raise BrokenTextError(place, f"*{name} stands within what it repeats: it has no end")
        self._grow(built.size, built.height, place)
        self._add(built, None, place)

    def _open(self, event: MappingStartEvent | SequenceStartEvent, place: Place) -> None:
        self._grow(1, 1, place)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        self._stack.append(_Open(place, anchor, isinstance(event, MappingStartEvent)))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.is_mapping:
            self._merge(done)
            node = Node(value=done.members, place=done.place, keys=done.keys)
        else:
            node = Node(value=tuple(done.items), place=done.place)
        self._add(_Built(node, done.size, done.height), done.anchor, done.place)

    def _add(self, built: _Built, anchor: str | None, place: Place) -> None:
        if anchor is not None:
            self._anchors[anchor] = built
        if not self._stack:
            self.root = built.node
            return
        into = self._stack[-1]
        into.size += built.size
        into.height = max(into.height, built.height + 1)
        if not into.is_mapping:
            into.items.append(built.node)
        elif into.expects_key:
            into.key = self._key(into, built.node, place)
            into.expects_key = False
        else:
            if into.key is not None:
                into.members[into.key] = built.node
            into.key, into.expects_key = None, True

    def _key(self, into: _Open, node: Node, place: Place) -> str | None:
        """Return the key that `node` is, None when its value is not wanted."""
        key = node.value
        if not isinstance(key, str):
            said = "a list or a mapping" if not node.is_scalar else _spelled(key)
            self._fault(place, f"a key is text, and this is {said}: quote it")
            return None
        if key in into.keys:
            first = into.keys[key].line
            self._fault(
                place,
                f"{legible(key)} is given twice, in line {first} and in line {place.line}: "
                "keep one",
                key,
            )
            return None
        into.keys[key] = place
        return key

    def _merge(self, done: _Open) -> None:
        """Take in what `<<` names; keys given here come first, then those first named."""
        source = done.members.pop(MERGE, None)
        if source is None:
            return
        place = done.keys.pop(MERGE)
        for each in source.items or (source,):
            if not isinstance(each.value, Mapping):
                self._fault(
                    place, "<< takes in keys: give it an alias of a mapping, or a list", MERGE
                )
                return
            for key, node in each.members.items():
                if key not in done.members:
                    done.members[key] = node
                    done.keys[key] = each.keys[key]

    @property
    def _is_at_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].expects_key

    @property
    def _path(self) -> Path:
        return tuple(each.step for each in self._stack if each.step is not None)

    def _warn(self, place: Place, message: str) -> None:
        path = self._path
        if path[: len(_VARIABLES)] == _VARIABLES:
            message = "is not read as the text that it looks like: quote it"
        self.warnings.append(
            Notice(line=place.line, column=place.column, path=dotted(path), message=message)
        )

    def _fault(self, place: Place, message: str, key: str | None = None) -> None:
        path = dotted((*self._path, key) if key is not None else self._path)
        self.faults.append(Fault(line=place.line, column=place.column, path=path, message=message))


def _spelled(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else legible(str(value))
