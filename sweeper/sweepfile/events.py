"""Parses YAML with ruamel.yaml, as far as its events; everything it may raise becomes a fault."""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import Event
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import Scanner

from sweeper.errors import Fault
from sweeper.sweepfile.places import Place

MAX_BYTES = 5 * 1024 * 1024
"""The largest sweep file."""

SCALAR_TAGS = ("!!float", "!!int", "!!str", "!!bool", "!!null")
"""The tags that a value may carry, as PyYAML's safe loader knows them."""

LONGEST_TAG = max(map(len, SCALAR_TAGS))

_VERSION = re.compile(r"%YAML 1\.[0-2]\s")

_REMEDIES = {
    "\\t": "indent with spaces, not with tabs",
    "'%'": "quote a value that begins with %",
    "'@'": "quote a value that begins with @",
    "'`'": "quote a value that begins with `",
    "mapping values are not allowed": "is the line indented right, and is text with ': ' quoted?",
    "expected <block end>": "does the line begin in the same column as its neighbours?",
    "could not find expected ':'": "is there a colon and a space after the key above?",
    "undefined alias": "write the anchor (&name) before the alias (*name)",
    "stream end": "a bracket is open to the end of the file",
    "end of stream": "a quote is open to the end of the file",
    "expected ',' or": "is a comma or a closing bracket missing?",
    "sequence entries are not allowed": "begin the list on a line of its own",
}


class BrokenTextError(Exception):
    """The text is no YAML that can be read any further; `fault` says where and why."""

    def __init__(self, place: Place, message: str, path: str = "") -> None:
        self.fault = Fault(line=place.line, column=place.column, path=path, message=message)
        super().__init__(message)


def decoded(content: str | bytes) -> str:
    """Return the text of a sweep file.

    Raises:
        BrokenTextError: it is too large, or not UTF-8.
    """
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024**2} MiB"
        raise BrokenTextError(
            Place(0, 0), f"the file is larger than {limit}, the most there may be"
        )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BrokenTextError(Place(1, 1), "the file is in UTF-16: save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        raise BrokenTextError(
            _place_after(before),
            f"byte 0x{raw[error.start]:02x} is no UTF-8 text: save the file as UTF-8",
        ) from error


def parse(text: str) -> Iterator[Event]:
    """Yield the events of the YAML in `text`, which may hold more than one document.

    Raises:
        BrokenTextError: it is no YAML, or uses a directive, or a tag beyond `SCALAR_TAGS`.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _PlainScanner
    try:
        yield from yaml.parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise BrokenTextError(place, _explained(error)) from error
    except ReaderError as error:
        place = _place_after(text[: error.position])
        code = error.character
        raise BrokenTextError(
            place, f"character U+{code:04X} cannot stand in a sweep file: remove it"
        ) from error


def place_of_event(event: Event) -> Place:
    """Return where the text of an event begins."""
    mark: Any = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


class _PlainScanner(Scanner):
    """Refuses at once what no sweep file needs, and what ruamel.yaml trips over."""

    def fetch_tag(self) -> None:
        # W&B's documentation has people write `!!float 1e-5`. A tag is looked at before it is
        # scanned, which costs the square of its length.
        beginning = self.reader.prefix(LONGEST_TAG + 1)
        if not any(beginning.startswith((f"{tag} ", f"{tag}\n")) for tag in SCALAR_TAGS):
            known = ", ".join(SCALAR_TAGS)
            self._refuse(f"this tag has no meaning here (there are {known}): remove or quote it")
        super().fetch_tag()

    def fetch_directive(self) -> None:
        # One that says what holds anyway, as some editors write it; the events are the same.
        if _VERSION.fullmatch(self.reader.prefix(len("%YAML 1.1\n"))):
            super().fetch_directive()
            return
        self._refuse("a directive (a line that begins with %) has no meaning here: remove it")

    def scan_flow_scalar(self, style: Any) -> Any:
        start = self._here
        try:
            return super().scan_flow_scalar(style)
        except (ValueError, OverflowError) as error:
            raise BrokenTextError(
                start, "the text escapes a character that does not exist: remove it"
            ) from error

    def _refuse(self, problem: str) -> NoReturn:
        raise BrokenTextError(self._here, problem)

    @property
    def _here(self) -> Place:
        return Place(self.reader.line + 1, self.reader.column + 1)


def _explained(error: MarkedYAMLError) -> str:
    said = ", ".join(str(part) for part in (error.context, error.problem) if part)
    problem = f"not valid YAML: {said}"
    remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in said), None)
    return f"{problem}: {remedy}" if remedy else problem


def _place_after(text: str) -> Place:
    line_start = text.rfind("\n") + 1
    return Place(text.count("\n") + 1, len(text) - line_start + 1)
