"""A training of the local control plane, and everything that can happen to it.

A training is a value; each function here takes one and returns the next, with the events that
tell of it. Commands never fail: what makes no sense in a phase leaves the training as it was.

    Creating ─> Pending ─> Initializing ─> Running ─> Completed | Failed
                 ^  ^            │            │
    Resuming ────┘  └── Terminating <─────────┤  (preempted)
       ^                                      │
    Stopped <─────────── Stopping <───────────┘  (suspended)

    from everywhere: Deleting ─> deleted

Beside the phase stands the process: ordered (the order is on record and may have been carried
out), running, or none. Each start has a number, so that an order given twice starts one process.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local.spec_reading import Lifecycle, Need

FINISHED = frozenset({Phase.COMPLETED, Phase.FAILED})
LEAVING = frozenset({Phase.STOPPING, Phase.TERMINATING, Phase.DELETING})
"""Phases in which a process is being stopped."""

FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=6)


class Process(StrEnum):
    """What is known of the newest process of a training."""

    NONE = "none"
    ORDERED = "ordered"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTraining:
    """One training as the control plane keeps it.

    - `number` counts the trainings in the order in which they were accepted
    - `spec_text` is the spec as it was sent, as JSON; None when none was
    - `need` and `lifecycle` are read from it
    - `starts` counts the starts ordered so far; the newest one's key is `key`
    - `devices` are the GPUs that its process holds
    - `failures` counts the processes that failed; `not_before` is the end of the back-off
    - `delete_at` is when it will be deleted, once it is finished
    """

    number: int
    workload_id: str
    name: str
    requested_name: str
    project_id: str
    cluster_id: str
    created_by: str
    created_at: datetime
    spec_text: str | None = field(default=None, repr=False)
    need: Need = field(default_factory=Need)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    phase: Phase = Phase.CREATING
    desired_phase: DesiredPhase = DesiredPhase.RUNNING
    phase_updated_at: datetime
    phase_message: str = ""
    phase_reason: str = ""
    process: Process = Process.NONE
    starts: int = 0
    devices: tuple[int, ...] = ()
    failures: int = 0
    not_before: datetime | None = None
    completed_at: datetime | None = None
    delete_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the newest start."""
        return f"{self.workload_id}-{self.starts}"

    @property
    def has_process(self) -> bool:
        """Whether a process runs, or may run."""
        return self.process is not Process.NONE

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more, but for its deletion."""
        return self.phase in FINISHED or self.deleted_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneEvent:
    """What a person, or a client that wonders about a failure, can read of a training's life."""

    workload_id: str
    at: datetime
    reason: str
    message: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A training after something happened, and the events that tell of it."""

    training: LocalTraining
    events: tuple[PlaneEvent, ...] = ()


def queue(training: LocalTraining, now: datetime) -> Step:
    """Let a training that was accepted or resumed wait for its start."""
    if training.phase not in {Phase.CREATING, Phase.RESUMING}:
        return Step(training)
    return Step(_enter(training, Phase.PENDING, now))


def wait(training: LocalTraining, reason: str, message: str) -> Step:
    """Say why a training waits."""
    if training.phase is not Phase.PENDING:
        return Step(training)
    if (training.phase_reason, training.phase_message) == (reason, message):
        return Step(training)
    return Step(replace(training, phase_reason=reason, phase_message=message))


def order(training: LocalTraining, devices: tuple[int, ...], now: datetime) -> Step:
    """Give a training that waits its next start, on these GPUs."""
    if training.phase is not Phase.PENDING:
        return Step(training)
    initializing = replace(
        _enter(training, Phase.INITIALIZING, now),
        process=Process.ORDERED,
        starts=training.starts + 1,
        devices=devices,
        not_before=None,
    )
    return Step(initializing)


def started(training: LocalTraining, now: datetime) -> Step:
    """Record that the process that was ordered runs."""
    if training.process is not Process.ORDERED:
        return Step(training)
    running = replace(training, process=Process.RUNNING)
    if training.phase is Phase.INITIALIZING:
        running = _enter(running, Phase.RUNNING, now)
    message = f"Started the process, start {training.starts}"
    return Step(running, (_event(training, now, "Started", message),))


def not_started(training: LocalTraining, message: str, now: datetime) -> Step:
    """Record that the order was surely not carried out; `message` says why for a new wait."""
    if training.process is not Process.ORDERED:
        return Step(training)
    if training.phase is Phase.INITIALIZING:
        return Step(_requeue(training, message, now))
    return _left(training, now)


def refused(training: LocalTraining, reason: str, now: datetime) -> Step:
    """Record that the process cannot be started, now or later."""
    if training.process is not Process.ORDERED:
        return Step(training)
    if training.phase in {Phase.STOPPING, Phase.DELETING}:
        return _left(training, now)
    message = f"The process cannot be started: {reason}"
    return _finish(training, Phase.FAILED, message, now)


def ended(training: LocalTraining, exit_code: int | None, now: datetime) -> Step:
    """Record the end of the newest process; None means that nobody saw it end."""
    if training.process is Process.ORDERED:
        # The end of a short process may be heard of before the answer to its order.
        start = started(training, now)
        end = ended(start.training, exit_code, now)
        return Step(end.training, start.events + end.events)
    if training.process is Process.NONE:
        return Step(training)
    if training.phase in LEAVING:
        return _left(training, now)
    if exit_code is None:
        message = "The node that ran the process is lost; it starts again elsewhere"
        event = _event(training, now, "NodeLost", message, is_warning=True)
        return Step(_requeue(training, message, now), (event,))
    if exit_code == 0:
        return _finish(training, Phase.COMPLETED, "The process ended with exit code 0", now)
    return _failed(training, exit_code, now)


def suspend(training: LocalTraining, now: datetime) -> Step:
    """Suspend a training: its process is stopped, its GPUs are given back, the rest is kept."""
    if _is_settled(training) or training.phase is Phase.STOPPED:
        return Step(training)
    told = replace(training, desired_phase=DesiredPhase.STOPPED)
    if not training.has_process:
        return Step(_enter(told, Phase.STOPPED, now))
    return Step(_enter(told, Phase.STOPPING, now))


def resume(training: LocalTraining, now: datetime) -> Step:
    """Resume a training that is stopped, or that is about to be."""
    told = replace(training, desired_phase=DesiredPhase.RUNNING)
    if training.phase is Phase.STOPPED:
        return Step(_enter(replace(told, not_before=None), Phase.RESUMING, now))
    return Step(told) if training.phase is Phase.STOPPING else Step(training)


def delete(training: LocalTraining, now: datetime) -> Step:
    """Delete a training; a finished one keeps its phase, which the listing of deleted ones has."""
    if training.deleted_at is not None or training.phase is Phase.DELETING:
        return Step(training)
    told = replace(training, desired_phase=DesiredPhase.DELETED)
    if training.phase in FINISHED:
        return Step(replace(told, deleted_at=now))
    deleting = _enter(told, Phase.DELETING, now)
    return Step(deleting) if training.has_process else _left(deleting, now)


def preempt(training: LocalTraining, by: str, now: datetime) -> Step:
    """Take the place of a training for the one called `by`; it waits for a new one afterwards."""
    if training.phase not in {Phase.INITIALIZING, Phase.RUNNING}:
        return Step(training)
    message = f"Pod {training.name} was preempted by higher priority workload {by}"
    evicted = _enter(training, Phase.TERMINATING, now, message)
    return Step(evicted, (_event(training, now, "Evict", message),))


def _is_settled(training: LocalTraining) -> bool:
    return training.is_over or training.phase is Phase.DELETING


def _left(training: LocalTraining, now: datetime) -> Step:
    """Return what becomes of a training whose process was stopped, and is gone."""
    at_rest = replace(training, process=Process.NONE, devices=())
    if training.phase is Phase.DELETING:
        return Step(replace(at_rest, deleted_at=now))
    if training.phase is Phase.STOPPING:
        stopped = _enter(at_rest, Phase.STOPPED, now)
        is_resumed = training.desired_phase is DesiredPhase.RUNNING
        return resume(stopped, now) if is_resumed else Step(stopped)
    if training.lifecycle.ends_when_preempted:
        return _finish(training, Phase.FAILED, training.phase_message, now)
    return Step(_requeue(training, training.phase_message, now))


def _failed(training: LocalTraining, exit_code: int, now: datetime) -> Step:
    """Return what becomes of a training whose process failed: tried again, or Failed."""
    failures = training.failures + 1
    counted = replace(training, failures=failures)
    limit = training.lifecycle.backoff_limit
    ending = f"The process ended with exit code {exit_code}"
    if not training.lifecycle.restarts or failures > limit:
        return _finish(counted, Phase.FAILED, ending, now)
    delay = backoff(failures)
    message = f"{ending}; starting again in {delay.total_seconds():.0f} s ({failures} of {limit})"
    waiting = replace(_requeue(counted, message, now), not_before=now + delay)
    return Step(waiting, (_event(training, now, "BackOff", message, is_warning=True),))


def backoff(failures: int) -> timedelta:
    """Return how long a training waits after that many failures."""
    doublings = min(failures - 1, 16)
    return min(FIRST_BACKOFF * float(2**doublings), LONGEST_BACKOFF)


def _requeue(training: LocalTraining, message: str, now: datetime) -> LocalTraining:
    at_rest = replace(training, process=Process.NONE, devices=())
    return _enter(at_rest, Phase.PENDING, now, message)


def _finish(training: LocalTraining, phase: Phase, message: str, now: datetime) -> Step:
    finished = replace(
        _enter(training, phase, now, message),
        process=Process.NONE,
        devices=(),
        not_before=None,
        completed_at=now,
        delete_at=now + training.lifecycle.auto_deletion,
    )
    is_warning = phase is Phase.FAILED
    event = _event(training, now, phase.value, message, is_warning=is_warning)
    return Step(finished, (event,))


def _enter(
    training: LocalTraining, phase: Phase, now: datetime, message: str = ""
) -> LocalTraining:
    since = now if phase is not training.phase else training.phase_updated_at
    return replace(
        training, phase=phase, phase_updated_at=since, phase_message=message, phase_reason=""
    )


def _event(
    training: LocalTraining, now: datetime, reason: str, message: str, *, is_warning: bool = False
) -> PlaneEvent:
    return PlaneEvent(
        workload_id=training.workload_id,
        at=now,
        reason=reason,
        message=message,
        is_warning=is_warning,
    )
