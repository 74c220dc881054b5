"""Workload names: which are taken, and new ones from a prefix."""

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias

MAX_LENGTH = 63
SUFFIX_LENGTH = 6

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

IsTaken: TypeAlias = Callable[[str, str], Awaitable[bool]]
"""Tells whether, by what is on record, a project has a training of a name."""


class NameInUseError(Exception):
    """A training of this name exists in the project."""

    def __init__(self, name: str) -> None:
        super().__init__(f"workload with name '{name}' already exists in this project")


def with_suffix(prefix: str) -> str:
    """Return a name that begins as given and ends in random characters."""
    suffix = "".join(secrets.choice(_LETTERS) for _ in range(SUFFIX_LENGTH - 1))
    return f"{prefix[: MAX_LENGTH - SUFFIX_LENGTH]}-{suffix}"


class NamesInUse:
    """The names of trainings that are alive, or about to be; the record knows the others."""

    def __init__(self, is_taken: IsTaken) -> None:
        self._is_taken = is_taken
        self._holders: dict[tuple[str, str], str] = {}

    def hold(self, project_id: str, name: str, workload_id: str) -> None:
        """Let a training that is on record have its name."""
        self._holders[project_id, name] = workload_id

    async def claim(self, project_id: str, name: str, workload_id: str) -> None:
        """Give a name to a training to come.

        Raises:
            NameInUseError: another one has it.
        """
        if self._holders.setdefault((project_id, name), workload_id) != workload_id:
            raise NameInUseError(name)
        is_free = False
        try:
            is_free = not await self._is_taken(project_id, name)
        finally:
            if not is_free:
                self.release(project_id, name, workload_id)
        if not is_free:
            raise NameInUseError(name)

    def release(self, project_id: str, name: str, workload_id: str) -> None:
        """Let go of a name, if it is this training that has it."""
        if self._holders.get((project_id, name)) == workload_id:
            del self._holders[project_id, name]
