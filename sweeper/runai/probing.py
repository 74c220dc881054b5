"""The steps of a probe: how they are taken in turn, and what they learn on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sweeper.clock import pause
from sweeper.errors import ControlPlaneError, NotSentError, SettingsError
from sweeper.runai.capabilities import Capabilities
from sweeper.runai.findings import Finding, Heard, Tell, Verdict, failed
from sweeper.runai.operations import Operation

Look: TypeAlias = Callable[[], Awaitable[None]]

CALL_SECONDS = 40.0
"""How long a step may take that makes a few calls and waits for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOrder:
    """What to probe with: project and cluster by name or id, and what is run.

    `cluster` may be None where the project tells its own. `mark` is the random part of the
    training's name; `keep` leaves the training where it is.
    """

    base_url: str
    project: str
    cluster: str | None
    image: str
    mark: str
    keep: bool = False


@dataclass(slots=True, kw_only=True)
class Learned:
    """What is known so far; grows step by step."""

    capabilities: Capabilities = field(default_factory=Capabilities)

    def note(self, **found: Any) -> None:
        """Add what was found; the names are those of `Capabilities`."""
        self.capabilities = replace(self.capabilities, **found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a probe.

    `operation` is the kind of call that it stands or falls with. A step whose `is_possible` says
    no is skipped. One that knows how to end after a wait is given the more `seconds`.
    """

    name: str
    operation: Operation
    take: Callable[[], Awaitable[Finding]]
    is_possible: Callable[[], bool] = lambda: True
    seconds: float = CALL_SECONDS


async def look_at_nothing() -> None:
    """Look at nothing."""


async def take(
    steps: Sequence[Step], heard: Heard, tell: Tell, look: Look = look_at_nothing
) -> None:
    """Take the steps in turn; each ends in one finding, and none in an error.

    `look` reads something of the control plane: while reads fail, no write is sent.
    """
    for step in steps:
        tell(await _taken(step, heard, look))


async def _taken(step: Step, heard: Heard, look: Look) -> Finding:
    if not step.is_possible():
        words = "not tried, for want of a step before"
        return Finding(step=step.name, verdict=Verdict.SKIPPED, words=words)
    trouble: Exception = TimeoutError(f"no end within {step.seconds:.0f} s")
    try:
        async with asyncio.timeout(step.seconds):
            while True:
                try:
                    return await step.take()
                except NotSentError as error:
                    # Nothing was sent while calls are held back, so nothing was tried yet.
                    if error.retry_after is None:
                        raise
                    trouble = error
                    await pause(error.retry_after)
                    await look()
    except TimeoutError:
        pass
    except (ControlPlaneError, SettingsError) as error:
        trouble = error
    return failed(step.name, step.operation, trouble, heard)


def ok(step: str, words: str) -> Finding:
    """Return the finding that all is as it should be."""
    return Finding(step=step, verdict=Verdict.OK, words=words)


def note(step: str, words: str, remedy: str = "") -> Finding:
    """Return the finding that something is other than usual, which sweeper gets along with."""
    return Finding(step=step, verdict=Verdict.NOTE, words=words, remedy=remedy)


def missing(step: str, words: str, remedy: str = "") -> Finding:
    """Return the finding that something is not as a sweep needs it."""
    return Finding(step=step, verdict=Verdict.MISSING, words=words, remedy=remedy)
