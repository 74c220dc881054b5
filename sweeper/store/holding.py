"""The note beside a store that says who holds it: for messages only, the lock is SQLite's."""

import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

NOTE = "owner.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that took a store; `role` says what for (`daemon`, or a verb's name)."""

    pid: int
    host: str
    role: str
    started_at: datetime

    @classmethod
    def this_process(cls, role: str, now: datetime) -> Self:
        """Return what this process writes into its note."""
        return cls(pid=os.getpid(), host=socket.gethostname(), role=role, started_at=now)

    def __str__(self) -> str:
        since = self.started_at.isoformat(sep=" ", timespec="seconds")
        return f"process {self.pid} on {self.host} ({self.role}, since {since})"


def holder_of(store: Path) -> Holder | None:
    """Return who last took the store, None when nobody says so.

    A process that was killed leaves its note behind: only a locked store proves it true.
    """
    try:
        note = json.loads((store.parent / NOTE).read_text(encoding="utf-8"))
        return Holder(
            pid=int(note["pid"]),
            host=str(note["host"]),
            role=str(note["role"]),
            started_at=datetime.fromisoformat(note["started_at"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_note(store: Path, holder: Holder) -> None:
    """Say who holds the store; a note that cannot be written is done without."""
    values = asdict(holder) | {"started_at": holder.started_at.isoformat()}
    part = store.parent / f"{NOTE}.part"
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        part.write_text(json.dumps(values) + "\n", encoding="utf-8")
        part.replace(store.parent / NOTE)


def remove_note(store: Path) -> None:
    """Take the note away, before the lock is given up."""
    with contextlib.suppress(OSError):
        (store.parent / NOTE).unlink(missing_ok=True)
