"""A file system for SQLite that keeps what was asked of it: each write, sync, cut and deletion."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import apsw


@dataclass(frozen=True, slots=True)
class Made:
    """A file was made; it is there for good once the folder is synced."""

    name: str


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were handed to the system."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """The file was cut to a size."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """All that was handed over of this file is on the disk."""

    name: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """The file was deleted, and the folder synced if `for_good`."""

    name: str
    for_good: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The last transaction was said to be durable."""


Act: TypeAlias = Made | Written | Cut | Synced | Deleted | Acknowledged


class _RecordingVfs(apsw.VFS):
    def __init__(self, name: str, acts: list[Act], before: Callable[[], None]) -> None:
        self.acts = acts
        self.before = before
        super().__init__(name, base="unix")

    def xOpen(self, name: Any, flags: list[int]) -> "_RecordingFile":  # noqa: N802 - SQLite's name
        return _RecordingFile(name, flags, self.acts, self.before)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(filename, syncdir)
        self.acts.append(Deleted(Path(filename).name, bool(syncdir)))


class _RecordingFile(apsw.VFSFile):
    def __init__(
        self, name: Any, flags: list[int], acts: list[Act], before: Callable[[], None]
    ) -> None:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")
        is_new = bool(flags[0] & apsw.SQLITE_OPEN_CREATE) and not path.exists()
        super().__init__("unix", name, flags)
        self.name = path.name
        self.acts = acts
        self.before = before
        if is_new and path.exists():
            acts.append(Made(self.name))

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        self.before()
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self.before()
        super().xWrite(data, offset)
        self.acts.append(Written(self.name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self.before()
        super().xTruncate(newsize)
        self.acts.append(Cut(self.name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self.before()
        super().xSync(flags)
        self.acts.append(Synced(self.name))


@contextmanager
def recorded(
    path: Path, acts: list[Act], before: Callable[[], None] = lambda: None
) -> Iterator[apsw.Connection]:
    """Open the database at `path`, an empty file, and append all that becomes of its files.

    `before` is called before each reading, writing, cutting and syncing, and may refuse it.
    """
    name = f"recording-{id(acts)}"
    vfs = _RecordingVfs(name, acts, before)
    acts.append(Made(path.name))
    connection = apsw.Connection(str(path), vfs=name)
    try:
        yield connection
    finally:
        connection.close()
        vfs.unregister()
