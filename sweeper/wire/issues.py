"""What can be wrong with a create, told all at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Side(StrEnum):
    """Who checks: the one who sends is strict, the one who receives follows the contract."""

    CLIENT = "client"
    SERVER = "server"


class Severity(StrEnum):
    """Whether a create may go ahead."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is wrong, or worth knowing, about a create.

    `path` leads to it below the spec, such as ("compute", "gpuDevicesRequest"); what stands
    beside the spec has its own name as path, and () is the spec or the body as a whole. `message`
    carries the value and the remedy, and reads on after the path; it never holds a value of an
    environment variable. `shared` marks a value that is the trouble only as long as every trial
    has the same one: a template that varies it by trial is fine.
    """

    path: Path
    message: str
    severity: Severity = Severity.ERROR
    shared: bool = False

    @property
    def field(self) -> str:
        """The path as the control plane writes it: `environmentVariables[0].name`."""
        return dotted(self.path)


def dotted(path: Path) -> str:
    """Return `path` as text: keys joined by dots, numbers of list items in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def in_order(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """Return a key that sorts paths: item 2 before item 10, and any item before any name."""
    return tuple((False, part, "") if isinstance(part, int) else (True, 0, part) for part in path)
