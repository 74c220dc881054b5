"""What the store keeps of a sweep beside its trials: the sweep itself, acts, reports, wishes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from sweeper.domain.enqueuing import EnqueuedPoint
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, Trial, TrialState
from sweeper.domain.values import JsonValue, Params


class SweepState(StrEnum):
    """Where we hold a sweep to be."""

    OPEN = "open"  # trials may be submitted
    PAUSED = "paused"  # no new submissions; trainings go on
    SUSPENDED = "suspended"  # no new submissions; trainings are suspended by us
    CANCELLING = "cancelling"  # trainings are being deleted
    CANCELLED = "cancelled"
    STOPPED = "stopped"  # no new submissions for `stop_reason`; active trainings finish
    FINISHED = "finished"  # every trial is settled


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """One sweep as the store knows it.

    `id` is 10 random base32 characters (50 bits) that keep two stores apart; `name` is the key
    for people, `slug` its DNS-safe beginning. `definition` holds the file's plain data with
    the values of environment variables replaced by digests. `digest` covers what may not change
    once the sweep has started. `planned` is the number of trials, None when unbounded.
    `directory` is where local trials run; `control_plane` the base URL, or "local".
    `report_port` is where this sweep's trainings report, kept over restarts. `rejections` counts
    creates in a row that were refused with the same words, `rejection`; enough of them stop it.
    `first_running_at` is when a training of the sweep was first seen at work, where that matters.
    `frozen` says why nothing is created, resumed, suspended or deleted for now (None: it is), and
    `thawed_at` when a person last said that what was missing by then is gone indeed.
    `blocked` says what keeps the control plane from doing anything until a person acts (None:
    nothing does, as far as is known), `late_at` when `limits.deadline` was found to be over, and
    `summary_at` when the last daily summary was written. `forgiven` counts the failed trials that
    a person left as they are when reopening the sweep: `limits.failures` counts those after them.
    `rungs` are the iterations at which the store keeps what each trial had reached.
    `enqueued` are the points that a person added, in the order in which that was done.
    """

    id: str
    name: str
    slug: str
    definition: Mapping[str, JsonValue]
    digest: str
    method: str
    seed: int
    planned: int | None
    directory: str
    control_plane: str
    created_at: datetime
    objective: str | None = None
    goal: Goal | None = None
    project_id: str | None = None
    cluster_id: str | None = None
    report_port: int | None = None
    state: SweepState = SweepState.OPEN
    stop_reason: str = ""
    rejection: str = ""
    rejections: int = 0
    ended_at: datetime | None = None
    first_running_at: datetime | None = None
    frozen: str | None = None
    thawed_at: datetime | None = None
    blocked: str | None = None
    late_at: datetime | None = None
    summary_at: datetime | None = None
    forgiven: int = 0
    rungs: tuple[int, ...] = ()
    enqueued: tuple[EnqueuedPoint, ...] = ()

    @property
    def workload_prefix(self) -> str:
        """What the workload name of every trial of this sweep, and of no other, begins with."""
        return f"{self.slug}-{self.id}-"


ENQUEUED = "enqueued"
"""The outcome of an event of a sweep: a point has its numbers; the detail names the first trial."""


class EventKind(StrEnum):
    """What an entry of the record of acts is about, with the outcomes it may have."""

    # outcome: the SweepState entered, frozen, thawed, rebuilt, blocked, unblocked, late, summarised
    # or enqueued
    SWEEP = "sweep"
    TRANSITION = "transition"  # outcome: the TrialState entered; detail: from -> to, reason
    SUBMISSION = "submission"  # created | adopted | rejected | ambiguous | not_sent | forbidden
    LOOK_UP = "look_up"  # found | absent | deleted | unknown | foreign | lost | seen_again | failed
    PREEMPTION = "preemption"  # seen
    SUSPENSION = "suspension"  # us | other
    SUSPEND = "suspend"  # accepted | failed
    RESUME = "resume"  # accepted | failed
    RESUBMIT = "resubmit"  # the FailureClass | preempted | asked
    DECISION = "decision"  # pruned | parked | promoted | kept, by early stopping
    DELETE = "delete"  # accepted | gone | failed
    OBJECTIVE = "objective"  # never_reported: the trial completed without a value of it
    NOTICE = "notice"  # sent | given_up; detail: number and kind of the notice, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act or one thing seen: what `sweeper events` shows, and what the counters count.

    `trial` and `attempt` are None for the sweep as a whole. `number` is given by the store, in
    the order of writing (0: not stored yet). So is `epoch`, which counts the processes that wrote
    to the store, one after the other (None: not stored yet, or by a version without).
    """

    at: datetime
    kind: EventKind
    outcome: str
    trial: int | None = None
    attempt: int | None = None
    workload_name: str | None = None
    workload_id: str | None = None
    detail: str = ""
    number: int = 0
    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Values that a training reported at once.

    `key` is unique within the trial, so that a report that arrives twice (over HTTP and through
    the report file) counts once. `values` holds finite numbers only. `step` is the training's
    own count, None when it gave none.
    """

    trial: int
    key: str
    at: datetime
    values: Mapping[str, float]
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveValue:
    """What a trial reached: the best and the newest value of the sweep's objective so far.

    `best` is over all of its reports, as W&B's own searches judge a run. An iteration is a report
    of the objective, but for those whose `step` was reported before: a training that goes on from
    a checkpoint repeats a few. `furthest_step` is the largest so far (None: no report had one),
    `best_at` the iteration at which `best` was reached. `rung` is the last of the sweep's rungs
    that the trial got to (0: none), `rung_value` what it reported there.
    """

    best: float
    last: float
    reports: int
    updated_at: datetime
    iterations: int = 0
    furthest_step: int | None = None
    best_at: int = 0
    rung: int = 0
    rung_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """A trial with its objective, None while nothing was reported."""

    trial: Trial
    objective: ObjectiveValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RungPlace:
    """How many trials got to a rung, and which of them is the last, best first, to go on.

    `trial` and `value` are None where nobody is told apart, so that all go on.
    """

    reached: int
    trial: int | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the trials that are not settled stand against all trials of their sweep.

    `progress` has what each of them reached, by number; `places` a place for each rung and
    bracket (0 where there are none) that one of them stands at.
    """

    progress: Mapping[int, ObjectiveValue] = field(default_factory=dict)
    places: Mapping[tuple[int, int], RungPlace] = field(default_factory=dict)


class WishKind(StrEnum):
    """What a person may ask of a sweep."""

    PAUSE = "pause"
    SUSPEND = "suspend"  # pause --suspend
    UNPAUSE = "unpause"
    CANCEL = "cancel"
    RETRY = "retry"  # submit failed trials again
    THAW = "thaw"  # unpause --force: what is missing is gone, go on writing
    ENQUEUE = "enqueue"  # try a point that a person gives
    ADOPT = "adopt"  # take a training that a person found as that of a trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something a person asked for, recorded until the daemon that owns the sweep did it.

    `trial` None means the whole sweep. `workload_id` is the training that is to be adopted.
    `failure` restricts a retry to trials whose last failure was of that class (None: all).
    `params` is the point that is to be tried.
    `number` is given by the store (0: not stored yet).
    """

    kind: WishKind
    at: datetime
    trial: int | None = None
    number: int = 0
    workload_id: str | None = None
    failure: FailureClass | None = None
    params: Params | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts over all trials of a sweep, kept up to date by the store at no cost per trial.

    `states` counts the rows in each state (a state without rows may be absent); `next_number` is
    the first trial number without a row.
    """

    states: Mapping[TrialState, int] = field(default_factory=dict)
    next_number: int = 0

    def count(self, *states: TrialState) -> int:
        """Return how many trials are in any of `states`."""
        return sum(self.states.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a sweep stands in the store at one moment: all that a tick starts from.

    `live` are the trials in a state that is not terminal, by number; `wishes` those not settled,
    oldest first; `best` is the trial with the best objective. `submitted` counts intents of late.
    """

    sweep: SweepRecord
    live: tuple[Trial, ...]
    totals: Totals
    submitted: int
    best: TrialView | None
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotGuard:
    """The bounds that a transaction which writes intents must keep (None: no bound).

    `active` and `pending` count trials that hold a slot, `gpus` sums their requests;
    `submissions` counts intents written at or after `since`.
    """

    active: int
    pending: int | None = None
    gpus: Fraction | None = None
    submissions: int | None = None
    since: datetime | None = None
