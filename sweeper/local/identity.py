"""What tells one process from another that got the same number later: standard library only."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process for ever: its number, when it started, and in which life of which machine.

    `started` is in clock ticks since the machine started, None where /proc does not tell.
    """

    pid: int
    started: int | None
    world: str


@cache
def this_world() -> str:
    """Return what is shared by the processes whose numbers can be compared with ours.

    It changes with a restart of the machine and from container to container; "" where the
    system does not tell.
    """
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        return f"{boot} {_NAMESPACE.readlink()}"
    except (OSError, ValueError):
        return ""


def start_ticks(pid: int) -> int | None:
    """Return when the process started, None when there is none or /proc does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        # The second field is the program's name in brackets, and may hold brackets and spaces.
        return int(stat.rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def identify(pid: int) -> ProcessIdentity:
    """Return the identity of a process that is known to exist, if only as a zombie."""
    return ProcessIdentity(pid=pid, started=start_ticks(pid), world=this_world())
