"""The durable record of which processes were started and how they ended: standard library only.

A file of JSON lines, read as a whole when it is opened; a later line about a key holds against
an earlier one. A line that a crash cut short, or that is no line of ours, is passed over.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, TypeAlias

from sweeper.local.identity import ProcessIdentity
from sweeper.local.messages import MessageError, encode, end_fields, read_end
from sweeper.local.runtime import ProcessEnd

_LONGEST_LINE = 1024 * 1024
_FEW_LINES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process was made; it may run its program once this is durable."""

    key: str
    identity: ProcessIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """These keys are of no more interest, or never came to run."""

    keys: Sequence[str]


Entry: TypeAlias = Started | ProcessEnd | Forgotten


class Journal:
    """The record of one control plane's processes; one process at a time may have it open.

    `running` and `ends` are what the file says, by key; a key is in one of them at most.
    """

    def __init__(self, path: Path) -> None:
        self.running: dict[str, ProcessIdentity] = {}
        self.ends: dict[str, ProcessEnd] = {}
        self._path = path
        self._file: BinaryIO
        self._lines = 0
        self._torn = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the journal, making it where there is none; raises OSError."""
        journal = cls(path)
        is_new = not path.exists()
        if not is_new:
            journal._read()
        journal._file = _open_for_appending(path)
        if is_new:
            _sync_directory(path.parent)
        return journal

    def close(self) -> None:
        """Close the file; nothing is lost that `append` returned for."""
        self._file.close()

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries; they are durable, and hold here, when this returns.

        Raises:
            OSError: they may or may not be in the file; here they do not hold.
        """
        written = b"".join(map(_line, entries))
        if self._torn:
            written = b"\n" + written
        self._torn = True
        _write(self._file, written)
        self._torn = False
        for entry in entries:
            self._apply(entry)
        self._lines += len(entries)

    def compact(self) -> None:
        """Write the file anew when most of its lines tell nothing any more; raises OSError."""
        wanted = len(self.running) + len(self.ends)
        if self._lines <= _FEW_LINES + 4 * wanted:
            return
        part = self._path.with_suffix(".part")
        part.unlink(missing_ok=True)
        file = _open_for_appending(part)
        try:
            _write(file, b"".join(map(_line, self._entries())))
            part.replace(self._path)
        except OSError:
            file.close()
            raise
        self._file.close()
        self._file, self._lines, self._torn = file, wanted, False
        _sync_directory(self._path.parent)

    def _entries(self) -> Iterator[Entry]:
        for key, identity in self.running.items():
            yield Started(key=key, identity=identity)
        yield from self.ends.values()

    def _apply(self, entry: Entry) -> None:
        match entry:
            case Started():
                self.ends.pop(entry.key, None)
                self.running[entry.key] = entry.identity
            case ProcessEnd():
                self.running.pop(entry.key, None)
                self.ends[entry.key] = entry
            case Forgotten():
                for key in entry.keys:
                    self.running.pop(key, None)
                    self.ends.pop(key, None)

    def _read(self) -> None:
        with self._path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                self._torn = not line.endswith(b"\n")
                self._lines += 1
                entry = None if self._torn else _entry(line)
                if entry is not None:
                    self._apply(entry)


def _open_for_appending(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def _write(file: BinaryIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(entry: Entry) -> bytes:
    match entry:
        case Started(key=key, identity=identity):
            return encode({"started": [key, identity.pid, identity.started, identity.world]})
        case ProcessEnd():
            return encode({"ended": end_fields(entry)})
        case Forgotten(keys=keys):
            return encode({"forgotten": list(keys)})


def _entry(line: bytes) -> Entry | None:
    try:
        match json.loads(line):
            case {"started": [str(key), int(pid), None | int() as started, str(world)]}:
                return _started(key, ProcessIdentity(pid=pid, started=started, world=world))
            case {"ended": fields}:
                return read_end(fields)
            case {"forgotten": list(keys)}:
                return Forgotten(keys=[key for key in keys if isinstance(key, str)])
            case _:
                return None
    except (ValueError, RecursionError, MessageError):
        return None


def _started(key: str, identity: ProcessIdentity) -> Started | None:
    # 0, 1 and negative numbers mean other things than one process to whoever sends a signal.
    return Started(key=key, identity=identity) if identity.pid > 1 else None
