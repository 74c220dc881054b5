"""What a probe says of each thing that it tried, and what a person can do about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from sweeper.errors import (
    AmbiguousError,
    AuthError,
    NameTakenError,
    NotSentError,
    RejectedError,
    SweeperError,
    TransientError,
)
from sweeper.runai.operations import Observer, Operation


class Verdict(StrEnum):
    """How a step of a probe ended."""

    OK = "ok"
    NOTE = "note"  # other than usual, and sweeper gets along with it
    MISSING = "missing"  # a sweep would suffer from it
    SKIPPED = "skipped"  # not tried, for want of an earlier step


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one step found.

    `remedy` is what to do about it, and `permission` what to ask an administrator for, such as
    "create on workloads"; both are "" where there is nothing to do.
    """

    step: str
    verdict: Verdict
    words: str
    remedy: str = ""
    permission: str = ""


Tell: TypeAlias = Callable[[Finding], None]
"""Hears of each finding as soon as there is one."""


@dataclass(slots=True)
class Heard:
    """Remembers how the newest exchange of each kind ended."""

    _statuses: dict[Operation, str] = field(default_factory=dict)

    def observer(self) -> Observer:
        """Return what notes down here."""
        return Observer(on_request=self._note)

    def status(self, operation: Operation) -> int | None:
        """Return the HTTP status of the newest answer, None where there was no answer."""
        word = self._statuses.get(operation, "")
        return int(word) if word.isdigit() else None

    def _note(self, operation: Operation, status: str, _seconds: float) -> None:
        self._statuses[operation] = status


PERMISSIONS: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.CREATE: "create on workloads",
        Operation.GET: "read on workloads",
        Operation.LIST: "read on workloads",
        Operation.FIND: "read on workloads",
        Operation.EVENTS: "read on workloads",
        Operation.SUSPEND: "update on workloads",
        Operation.RESUME: "update on workloads",
        Operation.DELETE: "delete on workloads",
        Operation.PROJECTS: "read on projects",
        Operation.CLUSTERS: "read on clusters",
    }
)
"""What an account must be permitted for each kind of call."""

_LATER = "try again in a few minutes"
_REMEDIES: tuple[tuple[type[SweeperError], str], ...] = (
    (
        NotSentError,
        "check RUNAI_BASE_URL and the network; for a certificate of your own authority, "
        "SWEEPER_CA_FILE",
    ),
    (
        AuthError,
        "check RUNAI_CLIENT_ID and RUNAI_CLIENT_SECRET, and that RUNAI_BASE_URL is the control "
        "plane's",
    ),
    (NameTakenError, "run the probe again: it takes another name"),
    (RejectedError, "see what the answer names: a policy of the project, or another --image"),
    (TransientError, _LATER),
    (AmbiguousError, _LATER),
)


def failed(step: str, operation: Operation, error: Exception, heard: Heard) -> Finding:
    """Return the finding about a step that ended with `error`."""
    # The error alone does not tell: a listing that is forbidden counts as one that is absent.
    forbidden = heard.status(operation) == 403
    permission = PERMISSIONS.get(operation, "") if forbidden else ""
    remedy = next((text for kind, text in _REMEDIES if isinstance(error, kind)), "")
    if isinstance(error, TransientError) and error.retry_after is not None:
        remedy = _LATER
    return Finding(
        step=step,
        verdict=Verdict.MISSING,
        words=str(error),
        remedy="" if permission else remedy,
        permission=permission,
    )
