"""Small YAML files that people write for a control plane: bounded, checked, every fault placed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sweeper.domain.wording import printable
from sweeper.errors import Fault, SweeperError, UserError, describe_fault
from sweeper.wire.rules.view import shown

MAX_BYTES = 1024 * 1024
MAX_LEVELS = 50
MAX_FAULTS = 50

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_PLAIN = (str, int, float, bool, type(None))
_Steps: TypeAlias = tuple[str | int, ...]
_Places: TypeAlias = dict[_Steps, tuple[int, int]]


class Shape(Protocol[T_co]):
    """What a file should hold: pydantic's `TypeAdapter` is one."""

    def validate_python(self, value: Any, /) -> T_co:
        """Return the value in its shape; raises pydantic's `ValidationError`."""
        ...


class PlaneFileError(UserError):
    """A file of the control plane that cannot be used; `faults` has each with its place."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(describe_fault(file, fault) for fault in faults))


class _BrokenError(SweeperError):
    """The text is no YAML that is read here."""

    def __init__(self, place: tuple[int, int], message: str) -> None:
        self.fault = Fault(line=place[0], column=place[1], path="", message=message)
        super().__init__(message)


def read_yaml_file(path: Path, shape: Shape[T]) -> T:
    """Return the value of this shape that a file holds; an empty file is an empty mapping.

    Raises:
        PlaneFileError: it cannot be read, or has faults: all of them are in the message.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PlaneFileError(str(path), [_of_whole(f"cannot be read: {reason}")]) from error
    return parse_yaml(content, str(path), shape)


def parse_yaml(content: bytes, file: str, shape: Shape[T]) -> T:
    """Return the value that `content` holds as the content of `file`, which need not exist.

    Raises:
        PlaneFileError: it has faults.
    """
    try:
        value, places = _load(content)
    except _BrokenError as error:
        raise PlaneFileError(file, [error.fault]) from error
    try:
        return shape.validate_python({} if value is None else value)
    except ValidationError as errors:
        details = errors.errors(include_url=False)[:MAX_FAULTS]
        raise PlaneFileError(file, [_fault(each, value, places) for each in details]) from None


def _of_whole(message: str) -> Fault:
    return Fault(line=0, column=0, path="", message=message)


def _load(content: bytes) -> tuple[Any, _Places]:
    """Return the plain data of a text and where each value stands."""
    if len(content) > MAX_BYTES:
        raise _BrokenError((0, 0), f"is larger than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
        _check_events(text)
        loading = _Loading()
        return loading.value(loading.yaml.compose(text), ()), loading.places
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        raise _BrokenError(
            place, f"is no YAML: {printable(str(error.problem or error.context), 200)}"
        ) from error
    except (YAMLError, ValueError) as error:
        raise _BrokenError((0, 0), "is no YAML of one document in UTF-8") from error


def _check_events(text: str) -> None:
    """Refuse what would grow without bounds when it is read: aliases, and endless nesting."""
    levels = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, AliasEvent):
            raise _BrokenError(place, "aliases are not read here: write the value again")
        levels += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if levels > MAX_LEVELS:
            raise _BrokenError(place, f"is nested deeper than {MAX_LEVELS} levels")


class _Loading:
    """Makes plain data of nodes."""

    def __init__(self) -> None:
        self.yaml = YAML(typ="safe", pure=True)
        self.places: _Places = {}

    def value(self, node: Node | None, steps: _Steps) -> Any:
        """Return the value of a node that `steps` lead to."""
        if node is None:
            return None
        self.places.setdefault(steps, _place(node))
        match node:
            case ScalarNode():
                found = self.yaml.constructor.construct_object(node)
                # Dates and bytes mean nothing here, so they are texts as they were written.
                return found if isinstance(found, _PLAIN) else str(node.value)
            case SequenceNode():
                return [self.value(item, (*steps, at)) for at, item in enumerate(node.value)]
            case MappingNode():
                return self._mapping(node, steps)
            case _:
                raise _BrokenError(_place(node), "is of a kind that is not read here")

    def _mapping(self, node: MappingNode, steps: _Steps) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, ScalarNode):
                raise _BrokenError(_place(key_node), "a key must be a word")
            key = str(key_node.value)
            if key in members:
                raise _BrokenError(_place(key_node), f"key {key[:60]!r} is there twice")
            self.places[*steps, key] = _place(key_node)
            members[key] = self.value(item, (*steps, key))
        return members


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _fault(detail: ErrorDetails, value: Any, places: _Places) -> Fault:
    """Return a fault of pydantic's at its place; steps that the file does not have are left out."""
    steps: _Steps = ()
    here = value
    for step in detail["loc"]:
        if _leads_on(here, step):
            here = here[step]
            steps = (*steps, step)
    line, column = places.get(steps, (0, 0))
    missing = str(detail["loc"][-1]) if detail["type"] == "missing" else ""
    message = f"{missing} is missing" if missing else f"{shown(here)}: {detail['msg']}"
    return Fault(line=line, column=column, path=_dotted(steps), message=message)


def _leads_on(here: Any, step: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(step, int) and step < len(here)
    return isinstance(here, Mapping) and step in here


def _dotted(steps: _Steps) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{printable(step, 60)}"
    return text.removeprefix(".")
