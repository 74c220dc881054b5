"""The seam between the local control plane and whatever runs its processes.

The control plane decides what runs when; a runtime starts, stops and watches. Production has a
supervisor process of its own behind it (`supervised`), tests and rehearsals a simulated one
(`simulated`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """One process to start.

    `key` is unique for each start that is ever wanted: a second order of the same key starts
    nothing, whoever gives it and whenever. `argv` is not empty. `environment` is the whole
    environment of the process. Output of both kinds is appended to `log_file`, an absolute path
    whose folder is made. Each of `lock_files` is locked (flock, exclusive) for as long as a
    process of this runtime needs it, so that no other control plane on this machine uses what
    it stands for. With `stdin` a read of standard input waits for ever, as nobody writes to it;
    without, it is at once at its end.
    """

    key: str
    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(repr=False)
    log_file: str
    lock_files: tuple[str, ...] = ()
    stdin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnd:
    """How a process ended: its exit code, 128 + n for signal n.

    None means that nobody saw it end: what watched it is gone, as after a reboot. It is sure
    to run no more.
    """

    key: str
    at: datetime
    exit_code: int | None


class StartError(Exception):
    """The process cannot be started: the message says what is missing, and where it looked."""


class LeaseTakenError(Exception):
    """A lock file is locked by another control plane of this machine; try again later."""


class RuntimeUnavailableError(Exception):
    """What runs processes does not answer; the order may or may not have been carried out."""


EndListener: TypeAlias = Callable[[ProcessEnd], None]
"""Hears of an end, in the event loop; it neither raises nor waits."""


class Runtime(Protocol):
    """Starts, stops and watches processes that outlive whoever ordered them."""

    async def known(self) -> Mapping[str, ProcessEnd | None]:
        """Return every key that was started and not forgotten: None while it runs, else its end.

        A key that is absent was never started.
        """
        ...

    async def start(self, order: StartOrder) -> None:
        """Start a process in a process group of its own; durable before it returns.

        Raises:
            StartError: it cannot be started, now or later; nothing was.
            LeaseTakenError: another control plane holds one of its lock files; nothing was.
            RuntimeUnavailableError: try again with the same order.
        """
        ...

    async def stop(self, key: str, grace_seconds: float) -> None:
        """Send SIGTERM to the process group and, `grace_seconds` later, SIGKILL to all of it.

        Returns at once; the end is heard of as any other. Asking again with a shorter grace
        shortens it; for a process that has ended, or was never started, nothing happens.
        """
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Drop the record of processes that have ended; those that run are left alone."""
        ...

    def listen(self, listener: EndListener) -> None:
        """Tell `listener` of every end from now on; ends before it are what `known` tells."""
        ...
