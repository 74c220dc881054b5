"""Reads how trials come back and how long they may take: `retry`, `resume`, `timeouts` ..."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from sweeper.domain.sweep import (
    ResumeSpec,
    RetryRule,
    RetrySpec,
    TimeoutsSpec,
    UserSuspended,
)
from sweeper.sweepfile.amounts import CountFromZero, ExitCode, complaint
from sweeper.sweepfile.durations import Duration, PositiveDuration
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import Section, read_section
from sweeper.wire.rules.view import shown


class RetryShape(Section):
    """How often, and after how long, a trial is submitted again."""

    example: ClassVar[str] = "a count, or {attempts: 1, backoff: 30s}"

    attempts: CountFromZero
    """How many times a trial is submitted again."""
    backoff: Duration = timedelta(seconds=30)
    """The first wait; it doubles up to ten minutes."""
    only_exit: list[ExitCode] | None = Field(default=None, min_length=1)
    """Only after these exit codes."""
    unless_exit: list[ExitCode] | None = Field(default=None, min_length=1)
    """Not after these exit codes."""

    def rule(self) -> RetryRule:
        """Return what it means."""
        return RetryRule(
            attempts=self.attempts,
            backoff=self.backoff,
            only_exit=None if self.only_exit is None else frozenset(self.only_exit),
            unless_exit=None if self.unless_exit is None else frozenset(self.unless_exit),
        )


def _attempts(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return {"attempts": value} if is_count else value


Attempts = Annotated[
    RetryShape, BeforeValidator(_attempts, json_schema_input_type=CountFromZero | RetryShape)
]
"""A rule, or a number of attempts alone."""


class RetrySection(Section):
    """Budgets for submitting a failed trial again, by what made it fail."""

    example: ClassVar[str] = "{application: 1, infrastructure: 3}"

    application: Attempts | None = None
    """The program ended badly. Default: 0."""
    infrastructure: Attempts | None = None
    """The cluster lost the training. Default: 3."""
    vanished: Attempts | None = None
    """A person deleted the training while it lived. Default: 1."""
    timeout: Attempts | None = None
    """It stayed too long in one phase, see `timeouts`. Default: 1."""


class ResumeSection(Section):
    """When a stopped training is resumed."""

    example: ClassVar[str] = "{max: 20, backoff: 30s}"

    enabled: bool = True
    """Whether stopped trainings are resumed at all."""
    max: CountFromZero = 20
    """The most resumes, counted since the training was last running."""
    backoff: Duration = timedelta(seconds=30)
    """The first wait; it doubles up to ten minutes."""
    user_suspended: Literal["resume", "leave"] = "resume"
    """What becomes of a training that someone suspended by hand."""
    hold_after: CountFromZero = 3
    """A training stopped so often, each time within 5 minutes of our resume, is held for a
    person; 0 never."""


class TimeoutsSection(Section):
    """How long a training may stay in one phase; null means without bound."""

    example: ClassVar[str] = "{running: 12h}"

    creating: PositiveDuration | None = TimeoutsSpec().creating
    """From its creation until the cluster takes it on."""
    initializing: PositiveDuration | None = TimeoutsSpec().initializing
    """While images are pulled and volumes attached."""
    resuming: PositiveDuration | None = TimeoutsSpec().resuming
    """From our resume until it queues again."""
    stopping: PositiveDuration | None = TimeoutsSpec().stopping
    """From a suspend until it has stopped."""
    terminating: PositiveDuration | None = TimeoutsSpec().terminating
    """From its end until its pods are gone."""
    deleting: PositiveDuration | None = TimeoutsSpec().deleting
    """From a delete until it is gone."""
    running: PositiveDuration | None = None
    """At work. Default: without bound."""


class CleanupSection(Section):
    """When the control plane deletes a finished training."""

    example: ClassVar[str] = "keep, or {after: 7d}"

    after: Duration
    """Time since its end. Results are kept by sweeper whatever this says."""


def _kept(value: Any) -> Any:
    if isinstance(value, str) and value != "keep":
        raise complaint(f"{shown(value)} is not known: write keep, or {{after: 7d}}")
    return None if value == "keep" else value


Cleanup = Annotated[
    CleanupSection | None,
    BeforeValidator(_kept, json_schema_input_type=Literal["keep"] | CleanupSection),
]
"""`keep`, or after how long."""


def read_retry(findings: Findings) -> RetrySpec | None:
    """Return the budgets that `retry` gives, with the defaults for the others."""
    read = read_section(RetrySection, findings, ("retry",))
    if read is None:
        return None
    given = {name: getattr(read, name) for name in RetrySection.model_fields}
    return RetrySpec(**{name: shape.rule() for name, shape in given.items() if shape})


def read_resume(findings: Findings) -> ResumeSpec | None:
    """Return what `resume` says."""
    read = read_section(ResumeSection, findings, ("resume",))
    if read is None:
        return None
    return ResumeSpec(
        enabled=read.enabled,
        max=read.max,
        backoff=read.backoff,
        user_suspended=UserSuspended(read.user_suspended),
        hold_after=read.hold_after,
    )


def read_timeouts(findings: Findings) -> TimeoutsSpec | None:
    """Return what `timeouts` says."""
    read = read_section(TimeoutsSection, findings, ("timeouts",))
    return None if read is None else TimeoutsSpec(**dict(read))
