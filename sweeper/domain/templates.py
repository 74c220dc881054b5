"""`${name}` in the strings of a training's spec, replaced in one pass by a trial's values.

`$$` stands for one `$`. A string that is one placeholder takes the value's own type, unless the
contract wants a text there. Kubernetes expands `$(NAME)` in the command line and in variables:
values are escaped there, so that it expands only what the author wrote.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sweeper.domain.parameters import SearchSpace
from sweeper.domain.quoting import CommandLine
from sweeper.domain.sampling import leaves
from sweeper.domain.spelling import escape_references, shown, spell
from sweeper.domain.values import JsonValue, Params
from sweeper.errors import RenderingError

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the spec down."""

FIXED_NAMES = ("sweep", "trial", "attempt", "checkpoint_key")
"""Names that every template knows beside the parameters; a parameter of the same name wins."""

_PIECES = re.compile(r"\$\$|\$\{([^{}]*)\}")
_COMMAND_LINE = ("command", "args")
_MOST_COMPARED = 100
_LONGEST_COMPARED = 64
_LONGEST_LINE = 256 * 1024
_TEXT_FIELDS = frozenset(
    {
        "branch",
        "bucket",
        "claimName",
        "cpuMemoryLimit",
        "cpuMemoryRequest",
        "description",
        "gpuMemoryLimit",
        "gpuMemoryRequest",
        "image",
        "key",
        "mountPath",
        "name",
        "nodePools",
        "nodeType",
        "path",
        "priorityClass",
        "quantity",
        "repository",
        "revision",
        "server",
        "size",
        "storageClass",
        "subPath",
        "supplementalGroups",
        "toolName",
        "url",
        "value",
        "workingDir",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownPlaceholder:
    """A placeholder that names nothing; `path` leads to its string below the spec."""

    path: Path
    name: str
    nearest: str | None

    @property
    def message(self) -> str:
        """What is wrong and what to do, reading on after the path."""
        name = shown(self.name)
        meant = f"write ${{{self.nearest}}}, or " if self.nearest else "write "
        return (
            f"${{{name}}} names neither a parameter nor one of {', '.join(FIXED_NAMES)}: "
            f"{meant}$${{{name}}} to pass it on as it is"
        )


def placeholder_names(space: SearchSpace) -> frozenset[str]:
    """Return every name that a template of this search space may use.

    Those of nested parameters are dotted, and the space around them has a name as well.
    """
    names = set(FIXED_NAMES)
    for path, _ in leaves(space):
        names.update(".".join(path[:depth]) for depth in range(1, len(path) + 1))
    return frozenset(names)


def dotted_names(params: Params) -> dict[str, JsonValue]:
    """Return params by the names that templates and commands use: nested ones dotted as well.

    A dotted name that is also a parameter's own means the parameter.
    """
    names: dict[str, JsonValue] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            inner = dotted_names(value)
            names.update({f"{name}.{key}": item for key, item in inner.items()})
    return names | dict(params)


def unknown_placeholders(
    spec: Mapping[str, JsonValue], names: Collection[str]
) -> tuple[UnknownPlaceholder, ...]:
    """Return every placeholder in `spec` that is not one of `names`, in the spec's order."""
    return tuple(
        _unknown(path, piece.text, names)
        for path, text in _strings(spec, ())
        for piece in _pieces(text)
        if piece.is_name and piece.text not in names
    )


def fill(
    spec: Mapping[str, JsonValue], names: Mapping[str, JsonValue], *, expanded: bool
) -> dict[str, JsonValue]:
    """Return `spec` with every placeholder replaced by its value among `names`.

    `expanded` says that Kubernetes is going to expand references. Command and args are one
    command line, in which a value never leaves the word that it is put into.

    Raises:
        RenderingError: a placeholder names nothing or stands behind a backslash, or the command
            line is too long to be one.
    """
    filler = _Filler(names=names, expanded=expanded)
    line = CommandLine()
    filled = {key: filler.fill_line(spec.get(key), key, line) for key in _COMMAND_LINE}
    return {
        key: filled[key] if key in filled else filler.fill(value, (key,))
        for key, value in spec.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filler:
    names: Mapping[str, JsonValue]
    expanded: bool

    def fill(self, value: JsonValue, path: Path) -> JsonValue:
        if isinstance(value, str):
            return self._fill_text(value, path)
        if isinstance(value, Mapping):
            return {key: self.fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self.fill(item, (*path, place)) for place, item in enumerate(value)]
        return value

    def fill_line(self, value: JsonValue, key: str, line: CommandLine) -> JsonValue:
        if not isinstance(value, str):
            return self.fill(value, (key,))
        if len(value) > _LONGEST_LINE:
            raise RenderingError(
                f"training.spec.{key}: {len(value)} characters, and a command line holds at most "
                f"{_LONGEST_LINE}: put what it says into a file"
            )
        written = ""
        for piece in _pieces(value):
            if piece.is_name:
                written += self._quoted(piece.text, key, line)
            else:
                line.read(piece.text)
                written += piece.text
        line.read(" ")
        return written

    def _quoted(self, name: str, key: str, line: CommandLine) -> str:
        value = spell(self._value(name, (key,)))
        try:
            return line.quote(escape_references(value) if self.expanded else value)
        except ValueError as error:
            raise RenderingError(
                f"training.spec.{key}: ${{{name}}}: {error}: take the backslash away"
            ) from error

    def _fill_text(self, text: str, path: Path) -> JsonValue:
        pieces = tuple(_pieces(text))
        if len(pieces) == 1 and pieces[0].is_name and _field(path) not in _TEXT_FIELDS:
            return self._value(pieces[0].text, path)
        escaped = self.expanded and path[0] == "environmentVariables" and path[-1] == "value"
        return "".join(
            self._spelled(piece.text, path, escaped=escaped) if piece.is_name else piece.text
            for piece in pieces
        )

    def _spelled(self, name: str, path: Path, *, escaped: bool) -> str:
        value = spell(self._value(name, path))
        return escape_references(value) if escaped else value

    def _value(self, name: str, path: Path) -> JsonValue:
        if name not in self.names:
            place = ".".join(str(part) for part in path)
            fault = _unknown(path, name, self.names)
            raise RenderingError(f"training.spec.{place}: {fault.message}")
        return self.names[name]


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    is_name: bool


def _pieces(text: str) -> Iterator[_Piece]:
    end = 0
    for found in _PIECES.finditer(text):
        if found.start() > end:
            yield _Piece(text[end : found.start()], is_name=False)
        end = found.end()
        yield _Piece("$", is_name=False) if found[1] is None else _Piece(found[1], is_name=True)
    if end < len(text):
        yield _Piece(text[end:], is_name=False)


def _strings(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, Sequence):
        for place, item in enumerate(value):
            yield from _strings(item, (*path, place))


def _field(path: Path) -> str:
    return next(part for part in reversed(path) if isinstance(part, str))


def _unknown(path: Path, name: str, names: Collection[str]) -> UnknownPlaceholder:
    return UnknownPlaceholder(path=path, name=name, nearest=_nearest(name, names))


def _nearest(name: str, names: Collection[str]) -> str | None:
    # Comparing costs much, and a file may name a hundred thousand parameters.
    if len(name) > _LONGEST_COMPARED or len(names) > _MOST_COMPARED:
        return None
    candidates = sorted(each for each in names if len(each) <= _LONGEST_COMPARED)
    return next(iter(difflib.get_close_matches(name, candidates, n=1)), None)
