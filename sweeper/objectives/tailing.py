"""Reads what trainings print or write, each file from where it left off.

A report's key is made from the file, the place of its line in it and its text: reading a line
again, after a kill or because a training wrote its file anew, reports nothing twice.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sweeper.domain.record import Report
from sweeper.domain.sources import FileSource, Layout, StdoutSource
from sweeper.objectives.files import READ_BOUND, read_bytes
from sweeper.objectives.lines import (
    Names,
    ReadLine,
    Values,
    csv_line,
    json_document,
    json_line,
    pattern_line,
)
from sweeper.ports import Now

LINE_BOUND = 64 * 1024
"""Bytes that a line may have to be looked at; a JSON file may have `READ_BOUND`."""

_REMEMBERED = 1024
_TAIL = 64


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where reading left off: in which file, and behind which bytes."""

    path: Path
    offset: int
    tail: bytes


_Chunk: TypeAlias = tuple[Sequence[Report], _Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """The values of many trials, in the files that `source` says.

    `objective` is the value looked for. Where reading left off is kept in memory for the trials
    read last; forgetting it costs another reading, nothing else.
    """

    source: StdoutSource | FileSource
    objective: str
    now: Now
    bound: int = READ_BOUND

    def read(self, trial: int, path: Path, mark: _Mark | None, *, ended: bool) -> _Chunk:
        """Return the next reports and where to go on; the same mark once all was read.

        With `ended` nobody writes any more, so a last line need not have an end.
        """
        source, names = self.source, Names(objective=self.objective, step=self.source.step)
        if isinstance(source, FileSource) and source.layout is Layout.JSON:
            return self._document(trial, path, names, mark)
        offset = _unchanged(path, mark)
        chunk = read_bytes(path, offset, self.bound)
        whole = chunk.rfind(b"\n") + 1
        if (len(chunk) == self.bound and not whole) or (ended and len(chunk) < self.bound):
            whole = len(chunk)
        read_line = self._read_line(path, names, ended=ended)
        if not whole or read_line is None:
            return (), mark if mark is not None and offset else _Mark(path, 0, b"")
        found = _lines(chunk[:whole], offset)
        reports = [
            self._report(trial, path, f"{place}:{line}", values)
            for place, line in found
            if (values := read_line(line)) is not None
        ]
        return reports, _Mark(path, offset + whole, chunk[:whole][-_TAIL:])

    def _read_line(self, path: Path, names: Names, *, ended: bool) -> ReadLine | None:
        """Return what reads a line, None while the header of a table is not there."""
        source = self.source
        if isinstance(source, StdoutSource):
            pattern = source.pattern
            return json_line(names) if pattern is None else pattern_line(pattern, names)
        if source.layout is Layout.JSONL:
            return json_line(names)
        head = read_bytes(path, 0, LINE_BOUND)
        header, end, _ = head.partition(b"\n")
        if not (end or ended):
            return None
        delimiter = "\t" if source.layout is Layout.TSV else ","
        return csv_line(_text(header.rstrip(b"\r")), delimiter, names)

    def _document(self, trial: int, path: Path, names: Names, mark: _Mark | None) -> _Chunk:
        content = read_bytes(path, 0, READ_BOUND)
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if mark is not None and mark.tail == digest and mark.path == path:
            return (), mark
        reports = [
            self._report(trial, path, f"{sorted(values.numbers.items())}:{values.step}", values)
            for values in json_document(_text(content), names)
        ]
        return reports, _Mark(path, len(content), digest)

    def _report(self, trial: int, path: Path, place: str, values: Values) -> Report:
        text = f"{path}\0{place}".encode("utf-8", "surrogateescape")
        key = hashlib.blake2b(text, digest_size=16).hexdigest()
        return Report(trial=trial, key=key, at=self.now(), values=values.numbers, step=values.step)


class SourceFiles:
    """Reads the values of trials, each from where it left off. Threads may share one."""

    def __init__(self, tails: Tails, *, remembered: int = _REMEMBERED) -> None:
        self._tails = tails
        self._remembered = remembered
        self._marks: OrderedDict[int, _Mark] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, trial: int, path: Path, *, ended: bool) -> Sequence[Report]:
        """Return the next reports of a trial, none once all that is there was read."""
        while True:
            with self._lock:
                mark = self._marks.get(trial)
            reports, after = self._tails.read(trial, path, mark, ended=ended)
            with self._lock:
                self._marks[trial] = after
                self._marks.move_to_end(trial)
                if len(self._marks) > self._remembered:
                    self._marks.popitem(last=False)
            if reports or after == mark or not after.offset:
                return reports


def _unchanged(path: Path, mark: _Mark | None) -> int:
    """Return where to go on; at the beginning where it is another file, or written anew."""
    if mark is None or mark.path != path:
        return 0
    before = mark.offset - len(mark.tail)
    return mark.offset if read_bytes(path, before, len(mark.tail)) == mark.tail else 0


def _lines(chunk: bytes, offset: int) -> Iterator[tuple[int, str]]:
    """Yield the lines and their places; a carriage return ends one, as on a terminal."""
    for line in chunk.split(b"\n"):
        place = offset
        offset += len(line) + 1
        for part in line.split(b"\r"):
            if part.strip() and len(part) <= LINE_BOUND:
                yield place, _text(part)
            place += len(part) + 1


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
