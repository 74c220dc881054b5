"""What a simulated control plane writes down: every change it makes, every request that comes.

Times are virtual seconds since the world began, to the millisecond.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from enum import StrEnum

from sweeper.domain.phase import Phase


class Actor(StrEnum):
    """Who made a change."""

    DAEMON = "daemon"
    PERSON = "person"
    SERVER = "server"


class Deed(StrEnum):
    """What happened to a training, where it is no phase that was entered."""

    CREATED = "created"
    DELETED = "deleted"
    ERASED = "erased"  # gone without a trace, as after a restore from a backup


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one training; `trial` is None for one that the daemon did not create."""

    at: float
    workload_id: str
    name: str
    trial: int | None
    what: Phase | Deed
    by: Actor


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it left a daemon.

    `life` counts the daemons from 1, `about` is the training's name or id, `fate` what befell it
    ("" nothing). `intended` is whether the store held the intent of a write.
    """

    at: float
    life: int
    operation: str
    about: str
    fate: str
    intended: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to the world beside its trainings: a kill, a jump, a wish."""

    at: float
    what: str
    detail: str = ""


Line = Entry | Request | Note


@dataclass(slots=True)
class History:
    """Everything in the order in which it happened, and the trainings that are left in the end."""

    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Write a line."""
        self.lines.append(line)

    @property
    def entries(self) -> Iterator[Entry]:
        """The changes of trainings."""
        return (line for line in self.lines if isinstance(line, Entry))

    @property
    def requests(self) -> Iterator[Request]:
        """The requests."""
        return (line for line in self.lines if isinstance(line, Request))

    @property
    def notes(self) -> Iterator[Note]:
        """What else happened."""
        return (line for line in self.lines if isinstance(line, Note))

    def by_training(self) -> Mapping[str, list[Entry]]:
        """Return the changes of each training, in the order of the creations."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.workload_id, []).append(entry)
        return found

    def digest(self) -> str:
        """Return a hash of it all."""
        text = "\n".join(shown(line) for line in self.lines)
        return hashlib.sha256(text.encode()).hexdigest()


def shown(line: Line) -> str:
    """Return a line for people, and for the hash."""
    at, *rest = astuple(line)
    words = " ".join(str(one) for one in rest if one != "")
    return f"{at:10.3f} {type(line).__name__.lower():7} {words}"
