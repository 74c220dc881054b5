"""A store's file as it was after each of its writes: what a backup may bring back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.support.crashing import Crash

T = TypeVar("T")
Copy = dict[str, bytes]
"""The content of each file that belongs to the database, by name."""


@dataclass(slots=True)
class Copies:
    """Makes the calls of a store at `path` inline, and keeps a copy of it after each write.

    With `end_at`, the process ends right after so many writes.
    """

    path: Path
    end_at: int | None = None
    kept: list[Copy] = field(default_factory=list)
    _seen: list[tuple[str, int, int]] = field(default_factory=list)

    async def run(self, call: Callable[[], T], /) -> T:
        """Make one call (`store.writing.Run`)."""
        result = call()
        if (marks := self._marks()) != self._seen:
            self._seen = marks
            self.kept.append(self._copy())
            if len(self.kept) == self.end_at:
                raise Crash
        return result

    def put_back(self, copy: Copy) -> None:
        """Make the files those of a copy."""
        for file in self._files():
            file.unlink()
        for name, content in copy.items():
            (self.path.parent / name).write_bytes(content)

    def _marks(self) -> list[tuple[str, int, int]]:
        stats = [(file.name, file.stat()) for file in self._files()]
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]

    def _copy(self) -> Copy:
        return {file.name: file.read_bytes() for file in self._files()}

    def _files(self) -> list[Path]:
        return sorted(self.path.parent.glob(f"{self.path.name}*"))
