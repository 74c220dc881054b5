"""What a sweep file means, apart from how it is written.

`sweepfile` makes a `SweepSpec` from text; everything below it reads this. All objects are frozen.
A timedelta of None means: no such bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from sweeper.domain.parameters import SearchSpace
from sweeper.domain.receivers import Receiver
from sweeper.domain.rules import Rules
from sweeper.domain.search import SearchSpec
from sweeper.domain.sources import FileSource, StdoutSource
from sweeper.domain.trial import FailureClass
from sweeper.domain.values import JsonValue, Params


class Method(StrEnum):
    """How trials are drawn from the search space (W&B's `method`)."""

    GRID = "grid"
    RANDOM = "random"
    BAYES = "bayes"


class Goal(StrEnum):
    """Whether a smaller or a larger objective is better (W&B's `metric.goal`)."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Order(StrEnum):
    """In which order the points of a grid are tried."""

    FILE = "file"
    SHUFFLED = "shuffled"


class UserSuspended(StrEnum):
    """What becomes of a training that someone else suspended (`resume.user_suspended`)."""

    RESUME = "resume"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSpec:
    """The value that a sweep optimises.

    `name` is the key under which trainings report it; `target` ends the sweep once a trial
    reaches it (None: never).
    """

    name: str
    goal: Goal = Goal.MINIMIZE
    target: float | None = None

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than `than`."""
        return value < than if self.goal is Goal.MINIMIZE else value > than


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSpec:
    """Bounds that hold as the control plane sees them, through crashes and lost answers.

    `active`: trainings that may exist and are not finished; `pending`: those of them not yet
    running; `gpus`: sum of their GPU requests, fractions exact; `submit_per_minute`: creates in
    any 60 seconds; `failures` or `failures_ratio` (0..1 of the planned trials): failed trials
    that stop the sweep; `max_trials`: a larger sweep is refused; `gpu_hours` and `deadline`
    (since the sweep's start): no new trial after that.
    """

    active: int
    pending: int | None = None
    gpus: Fraction | None = None
    gpu_hours: float | None = None
    deadline: timedelta | None = None
    submit_per_minute: int | None = None
    failures: int | None = None
    failures_ratio: float | None = None
    max_trials: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often a failed trial is submitted anew for one class of failure.

    The wait before attempt n+1 is `backoff` doubled n-1 times, at most `RETRY_BACKOFF_CAP`.
    `only_exit` and `unless_exit` are exit codes that the rule is restricted to, or excludes;
    they decide only where the exit code is known.
    """

    attempts: int
    backoff: timedelta = timedelta(seconds=30)
    only_exit: frozenset[int] | None = None
    unless_exit: frozenset[int] | None = None


RETRY_BACKOFF_CAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySpec:
    """Budgets for submitting a failed trial again, one for each class of failure."""

    application: RetryRule = RetryRule(attempts=0)
    infrastructure: RetryRule = RetryRule(attempts=3)
    vanished: RetryRule = RetryRule(attempts=1)
    timeout: RetryRule = RetryRule(attempts=1)

    def rule(self, failure: FailureClass) -> RetryRule:
        """Return the rule for one class of failure."""
        return {
            FailureClass.APPLICATION: self.application,
            FailureClass.INFRASTRUCTURE: self.infrastructure,
            FailureClass.VANISHED: self.vanished,
            FailureClass.TIMEOUT: self.timeout,
        }[failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSpec:
    """When a stopped training is resumed.

    `max` counts resumes since the training was last Running. `backoff` is the first wait, doubled
    up to `RESUME_BACKOFF_CAP` and jittered. After `hold_after` stops in a row, each within
    `HOLD_WINDOW` of our own resume, the trial is held for a person (0: never).
    """

    enabled: bool = True
    max: int = 20
    backoff: timedelta = timedelta(seconds=30)
    user_suspended: UserSuspended = UserSuspended.RESUME
    hold_after: int = 3


RESUME_BACKOFF_CAP = timedelta(minutes=10)
HOLD_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsSpec:
    """How long a training may stay in one phase; there is none for Pending, where it queues."""

    creating: timedelta | None = timedelta(minutes=10)
    initializing: timedelta | None = timedelta(minutes=30)
    resuming: timedelta | None = timedelta(minutes=15)
    stopping: timedelta | None = timedelta(minutes=15)
    terminating: timedelta | None = timedelta(minutes=15)
    deleting: timedelta | None = timedelta(minutes=15)
    running: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTemplate:
    """The Run:ai side of a sweep: where trainings go, and their spec with `${name}` unresolved.

    Project and cluster are given by id or by name, never both; all four None means: from the
    settings (RUNAI_PROJECT), and the project's own cluster.
    """

    spec: Mapping[str, JsonValue] = field(repr=False)
    project_id: str | None = None
    project: str | None = None
    cluster_id: str | None = None
    cluster: str | None = None


class StoppingRule(StrEnum):
    """By what trials are found poor (`early_terminate.type`); the first is W&B's."""

    HYPERBAND = "hyperband"
    ASHA = "asha"
    SUCCESSIVE_HALVING = "successive_halving"
    MEDIAN = "median"
    PERCENTILE = "percentile"
    THRESHOLD = "threshold"
    PATIENCE = "patience"


class StoppingAction(StrEnum):
    """What becomes of a poor trial (`early_terminate.action`)."""

    STOP = "stop"  # its training is deleted, the trial pruned
    SUSPEND = "suspend"  # it is parked, and pruned when the sweep ends
    PROMOTE = "promote"  # it is parked, and goes on once it is among the best of its rung


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyTerminateSpec:
    """When trials are compared, and what becomes of the poor ones.

    `rungs` are the iterations at which trials are compared, ascending, each once (W&B's bands).
    The best 1/`eta` go on where the rule is hyperband, asha or successive_halving, the best
    `percentile` per cent for median and percentile, once `min_trials` trials got to the rung;
    where it is threshold, those whose value is not worse than `threshold`. A trial's value is
    that at the rung, or unless `strict` its best one so far. With `patience` it is poor after so
    many iterations without a better value. `bracket` is how many trials, by number, wait for
    each other in successive halving (None: all).
    """

    rule: StoppingRule = StoppingRule.HYPERBAND
    action: StoppingAction = StoppingAction.STOP
    rungs: tuple[int, ...] = ()
    eta: float = 3.0
    strict: bool = True
    percentile: float = 50.0
    min_trials: int = 1
    threshold: float | None = None
    patience: int | None = None
    bracket: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSpec:
    """One sweep, ready to be expanded.

    `name` is the sweep's key. `command` is W&B's list with its macros unresolved (None: W&B's
    default). `seed` decides every random draw. `repeats` (at least 1) is how many trials each
    point gets; `points` are tried first, each once per repeat; `run_cap` bounds the number of
    trials. `zip` names groups of categorical parameters of equal length whose values walk
    together; `rules` say which points there are. `search` says what draws params where neither a
    grid nor chance does. `training` None means: always the local control plane. `cleanup` is how
    long a finished training is kept by the control plane (None: as long as it likes). `notify` are
    those who are told of the sweep. `source` is where values are found beside what trials report
    by themselves (None: nowhere).
    """

    name: str
    method: Method
    space: SearchSpace
    seed: int
    limits: LimitsSpec
    program: str | None = None
    command: tuple[str, ...] | None = None
    objective: ObjectiveSpec | None = None
    run_cap: int | None = None
    order: Order = Order.FILE
    repeats: int = 1
    points: tuple[Params, ...] = ()
    zip: tuple[tuple[str, ...], ...] = ()
    training: TrainingTemplate | None = None
    retry: RetrySpec = field(default_factory=RetrySpec)
    resume: ResumeSpec = field(default_factory=ResumeSpec)
    timeouts: TimeoutsSpec = field(default_factory=TimeoutsSpec)
    cleanup: timedelta | None = timedelta(days=7)
    early_terminate: EarlyTerminateSpec | None = None
    search: SearchSpec | None = None
    rules: Rules = field(default_factory=Rules)
    description: str | None = None
    notify: tuple[Receiver, ...] = ()
    source: StdoutSource | FileSource | None = None
