"""Trials, their submissions, and the states a trial may pass through.

A trial is one point of the search space to evaluate; a submission is our record of one attempt
at it, handed to a control plane. Both are values: a change makes a new one. The state says where
*we* hold a trial to be; the submission's phase says what the control plane last reported.

    waiting ──> submitting ──> active ──> completed | failed | pruned | cancelled
                    ^            │  ^
                    │            v  │
                    └────── interrupted <──> resuming <── parked
        (any of the five in the middle may become held, and come back)

"waiting" is never stored: a trial gets its row together with its first intent. One that can
never be created fails without an attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.values import Params
from sweeper.errors import InvalidTransitionError


class TrialState(StrEnum):
    """Where we hold a trial to be."""

    WAITING = "waiting"  # planned, no row yet
    SUBMITTING = "submitting"  # an intent is written, no training is known yet
    ACTIVE = "active"  # its training exists and is queued or at work
    INTERRUPTED = "interrupted"  # preempted or suspended, or between two attempts
    RESUMING = "resuming"  # we asked for a resume, it is not at work yet
    PARKED = "parked"  # suspended by early stopping; holds no slot until it is promoted
    HELD = "held"  # needs a person; keeps its slot while its training may live
    COMPLETED = "completed"
    FAILED = "failed"
    PRUNED = "pruned"  # stopped early because it was poor; counts as completed
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether a trial in this state is settled for good."""
        return self in TERMINAL_STATES


TERMINAL_STATES = frozenset(
    {TrialState.COMPLETED, TrialState.FAILED, TrialState.PRUNED, TrialState.CANCELLED}
)

_LIVE_STATES = frozenset(
    {
        TrialState.SUBMITTING,
        TrialState.ACTIVE,
        TrialState.INTERRUPTED,
        TrialState.RESUMING,
        TrialState.PARKED,
        TrialState.HELD,
    }
)

TRANSITIONS: Mapping[TrialState, frozenset[TrialState]] = MappingProxyType(
    {
        TrialState.WAITING: frozenset({TrialState.SUBMITTING, TrialState.FAILED}),
        TrialState.SUBMITTING: _LIVE_STATES | TERMINAL_STATES,
        TrialState.ACTIVE: _LIVE_STATES | TERMINAL_STATES,
        TrialState.INTERRUPTED: _LIVE_STATES | TERMINAL_STATES,
        TrialState.RESUMING: _LIVE_STATES | TERMINAL_STATES,
        TrialState.PARKED: _LIVE_STATES | TERMINAL_STATES,
        TrialState.HELD: _LIVE_STATES | TERMINAL_STATES,
        TrialState.COMPLETED: frozenset(),
        TrialState.FAILED: frozenset(),
        TrialState.PRUNED: frozenset(),
        TrialState.CANCELLED: frozenset(),
    }
)


class Halt(StrEnum):
    """What early stopping has decided for a trial that is not to go on."""

    PARK = "park"  # suspend its training, until it is promoted or pruned
    PRUNE = "prune"  # delete its training: the trial is pruned


class FailureClass(StrEnum):
    """Why an attempt failed; each class has a budget of its own (`retry` in the sweep file)."""

    APPLICATION = "application"  # the program ended badly
    INFRASTRUCTURE = "infrastructure"  # the cluster lost it
    VANISHED = "vanished"  # a person deleted it while it lived
    TIMEOUT = "timeout"  # it stayed too long in one phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Our record of one attempt at a trial.

    Every `*_at` and `*_since` is an aware UTC time, None meaning "never" or "not now":

    - `intent_at` the intent was written; `sent_at` a POST may have left then (None: surely no
      POST of this intent is open); `looked_up_at` the newest look-up of the name that found no
      training of ours
    - `next_call_at` no call for this training before this time (back-off)
    - `created_at` the control plane's own creation time
    - `phase_since` we first saw the present phase; `seen_at` the last good observation that was
      worth a write (None: never seen since its create was accepted)
    - `running_since` start of the present stretch at work; `first_running_at` of the first one;
      `running_seconds` the sum of the stretches that are over
    - `resume_sent_at` our newest resume; `suspend_sent_at` our own suspend that still holds (the
      ledger that keeps our suspends from being resumed); `delete_sent_at` our delete
    - `missing_since` the control plane first said that it does not know the training;
      `lost_since` it was first found among the deleted ones neither
    - `ended_at` the training is finished or gone: from here on it holds no slot

    `gpus` is the GPU request of the whole training (all its pods), `digest` that of its params.
    `resumes` counts since the training was last Running, `quick_stops` the stops in a row that
    came soon after a resume of ours. `exit_code` is known on the local control plane only.
    """

    attempt: int
    workload_name: str
    digest: str
    intent_at: datetime
    gpus: Fraction = Fraction(0)
    sent_at: datetime | None = None
    looked_up_at: datetime | None = None
    next_call_at: datetime | None = None
    workload_id: str | None = None
    created_at: datetime | None = None
    phase: Phase = Phase.UNKNOWN
    phase_since: datetime | None = None
    seen_at: datetime | None = None
    running_since: datetime | None = None
    first_running_at: datetime | None = None
    running_seconds: float = 0.0
    preemptions: int = 0
    resumes: int = 0
    quick_stops: int = 0
    calls_failed: int = 0
    resume_sent_at: datetime | None = None
    suspend_sent_at: datetime | None = None
    delete_sent_at: datetime | None = None
    missing_since: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    lost_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its training may exist and not be finished."""
        return self.ended_at is None

    @property
    def is_at_work(self) -> bool:
        """Whether the training was last seen running."""
        return self.running_since is not None


RETRY_ASKED = "retry asked for"
"""The reason of a trial that a person gave a new chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point of the search space, as our store knows it.

    `number` counts from 0 within its sweep. `state_since` is when the present state began,
    `ended_at` when a terminal one did. `submission` is the newest attempt. `retries` counts the
    attempts that each class of failure has used up; `retry_at` is when the next attempt is due
    (None: none is). `failure` is the class of the last failed attempt. `cancel_asked_at` is when
    a person gave this trial up. `rung` is the last one at which early stopping decided about it
    (0: none yet), `halt` what became of that (None: it goes on). `version`
    counts the writes of the row (0: not stored yet); the store refuses a write to any other one.
    """

    number: int
    params: Params
    state: TrialState
    state_since: datetime
    created_at: datetime
    submission: Submission
    reason: str = ""
    ended_at: datetime | None = None
    retries: Mapping[FailureClass, int] = field(default_factory=lambda: MappingProxyType({}))
    retry_at: datetime | None = None
    failure: FailureClass | None = None
    cancel_asked_at: datetime | None = None
    rung: int = 0
    halt: Halt | None = None
    version: int = 0

    @property
    def identity(self) -> dict[str, str | int]:
        """What tells this trial and its newest training apart, under the names that logs use."""
        submission = self.submission
        names = {"trial": self.number, "attempt": submission.attempt}
        given = {"workload_name": submission.workload_name, "workload_id": submission.workload_id}
        return names | {name: value for name, value in given.items() if value is not None}

    @property
    def holds_slot(self) -> bool:
        """Whether a training of this trial may exist and be neither finished nor parked."""
        return self.submission.is_open and self.state is not TrialState.PARKED

    @property
    def is_given_up(self) -> bool:
        """Whether this trial alone is to end: a person said so, or early stopping did."""
        return self.cancel_asked_at is not None or self.halt is Halt.PRUNE

    def enter(self, state: TrialState, now: datetime, reason: str = "") -> "Trial":
        """Return the trial in `state`; entering the present state again changes only the reason.

        Raises:
            InvalidTransitionError: `TRANSITIONS` does not lead there, as from any terminal state.
        """
        if state is self.state:
            return replace(self, reason=reason) if reason else self
        if state not in TRANSITIONS[self.state]:
            raise InvalidTransitionError(f"trial {self.number}: {self.state} cannot become {state}")
        return replace(
            self,
            state=state,
            state_since=now,
            reason=reason,
            ended_at=now if state.is_terminal else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvent:
    """One event of a training, as `GET /workloads/{id}/events` lists it.

    `exit_code` is set where the message names one (the local control plane's always do).
    """

    at: datetime | None
    reason: str
    message: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One reading of one training.

    `phase` is UNKNOWN when the control plane gave none, or a word we do not know. `labels` is
    None where the reading carries none (the listing never does). `deleted_at` set means gone.
    `created_at` and `phase_updated_at` are the control plane's own times.
    """

    workload_id: str
    name: str
    phase: Phase
    project_id: str | None = None
    desired_phase: DesiredPhase | None = None
    created_at: datetime | None = None
    phase_updated_at: datetime | None = None
    deleted_at: datetime | None = None
    labels: Mapping[str, str] | None = None
    message: str = ""
