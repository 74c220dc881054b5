"""Locks on files that stand for what only one control plane may use: standard library only."""

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.local.runtime import LeaseTakenError, StartError


@dataclass(slots=True)
class _Lease:
    descriptor: int
    users: int = 0


class Leases:
    """The lock files held by this process, each opened once however many processes use it.

    A descriptor that a child inherits shares the lock: it lasts until this process has released
    it and every such child has ended. It is never unlocked, only closed, for that reason.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Lease] = {}

    def take(self, paths: Iterable[str]) -> Sequence[int]:
        """Lock each path for one more user and return the descriptors to inherit.

        Raises:
            LeaseTakenError: another control plane holds one of them; none was taken.
            StartError: one cannot be opened; none was taken.
        """
        taken: list[str] = []
        try:
            for name in _names(paths):
                self._take(name)
                taken.append(name)
        except (LeaseTakenError, StartError):
            self.release(taken)
            raise
        return [self._held[name].descriptor for name in taken]

    def release(self, paths: Iterable[str]) -> None:
        """Give up what one `take` of the same paths took."""
        for name in _names(paths):
            lease = self._held[name]
            lease.users -= 1
            if not lease.users:
                os.close(self._held.pop(name).descriptor)

    def _take(self, name: str) -> None:
        if name not in self._held:
            self._held[name] = _Lease(_locked(name))
        self._held[name].users += 1


def _names(paths: Iterable[str]) -> Sequence[str]:
    return list(dict.fromkeys(map(os.path.realpath, paths)))


def _locked(name: str) -> int:
    try:
        descriptor = _open(Path(name))
    except (OSError, ValueError) as error:
        raise StartError(f"lock file {name}: {_reason(error)}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise LeaseTakenError(f"{name} is locked by another control plane") from error
        raise StartError(f"lock file {name}: {_reason(error)}") from error
    return descriptor


def _open(path: Path) -> int:
    # To lock a file is to read it, so that another user's file serves as well as one's own.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags | os.O_CREAT, 0o666)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
