"""Every metric that sweeper exposes, as data: the registry and the reference are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a family's values mean to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Part(StrEnum):
    """What a family is about; the reference has a section for each."""

    WORK = "Work"
    MOVEMENT = "Movement"
    TIME = "Time and money"
    QUALITY = "Quality"
    API = "The API of the control plane"
    DAEMON = "The daemon"
    JOINS = "Joins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family of series.

    `name` is what a query names, with `_total` or `_info` where the kind has one; a histogram's
    series end in `_bucket`, `_sum` and `_count`. `help` is one sentence without its full stop.
    `buckets` are the upper bounds of a histogram, without the infinite one.
    """

    name: str
    part: Part
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0

_WAITS = (
    *(1.0, 10.0, 30.0),
    *(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 4 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 7 * _DAY),
)
_SUGGESTIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LENGTHS = (
    *(10.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY),
)

CATALOGUE = (
    Family(
        name="sweeper_sweep_trials",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep", "state"),
        help="Trials in each state; waiting ones only where the number of trials is known",
    ),
    Family(
        name="sweeper_sweep_trials_planned",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Trials that the sweep has in all; absent when it is unbounded",
    ),
    Family(
        name="sweeper_sweep_progress_ratio",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Settled trials by planned ones, 1 once the sweep has ended; absent when unbounded",
    ),
    Family(
        name="sweeper_sweep_eta_seconds",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Time until all planned trials are settled, if they go on settling as they did since "
        "this process began; absent until it has settled one, and while no new ones are taken",
    ),
    Family(
        name="sweeper_sweep_info",
        part=Part.WORK,
        kind=Kind.INFO,
        labels=("sweep", "method", "goal", "objective"),
        help="What the sweep is, always 1",
    ),
    Family(
        name="sweeper_trainings",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep", "phase"),
        help="Trainings not finished, by the phase that the control plane last reported",
    ),
    Family(
        name="sweeper_slots_used",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep", "kind"),
        help="What counts towards the limits: trainings not finished, those of them not running, "
        "GPUs that they request",
    ),
    Family(
        name="sweeper_slots_limit",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep", "kind"),
        help="The limits that sweeper_slots_used is held to; absent where there is none",
    ),
    Family(
        name="sweeper_gpus_requested",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="GPUs that the trainings not finished request, fractions included",
    ),
    Family(
        name="sweeper_oldest_pending_seconds",
        part=Part.WORK,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="How long the training that queues longest has been in its phase; 0 if none queues",
    ),
    Family(
        name="sweeper_submissions_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Creates sent to the control plane, by what became of them",
    ),
    Family(
        name="sweeper_preemptions_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep",),
        help="Trainings that lost their place to the scheduler",
    ),
    Family(
        name="sweeper_suspensions_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "by"),
        help="Trainings found stopped, by who asked for it: us or another",
    ),
    Family(
        name="sweeper_resumes_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Resumes asked of the control plane, by what became of them",
    ),
    Family(
        name="sweeper_resubmits_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "cause"),
        help="New attempts at a trial, by why the attempt before was lost",
    ),
    Family(
        name="sweeper_stopping_decisions_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Decisions of early stopping: trials pruned, parked, promoted, or kept at a rung",
    ),
    Family(
        name="sweeper_trial_outcomes_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "state"),
        help="Trials settled by this process, by the state they ended in",
    ),
    Family(
        name="sweeper_reports_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Reports received from trainings: new, known (received before) or refused",
    ),
    Family(
        name="sweeper_notices_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Messages to people, by what became of them: sent, or given_up after hours of tries",
    ),
    Family(
        name="sweeper_suggestions_total",
        part=Part.MOVEMENT,
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Params of trials asked of a sampler: suggested, or random where it failed",
    ),
    Family(
        name="sweeper_suggestion_duration_seconds",
        part=Part.TIME,
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time that a sampler took to suggest the params of a trial, beside the ticks",
        buckets=_SUGGESTIONS,
    ),
    Family(
        name="sweeper_trial_duration_seconds",
        part=Part.TIME,
        kind=Kind.HISTOGRAM,
        labels=("sweep", "state"),
        help="Time from the first intent of a trial to its end, queues and all attempts included, "
        "by the state it ended in",
        buckets=_LENGTHS,
    ),
    Family(
        name="sweeper_pending_duration_seconds",
        part=Part.TIME,
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time from sending the create of a training until it was first seen running",
        buckets=_WAITS,
    ),
    Family(
        name="sweeper_resume_delay_seconds",
        part=Part.TIME,
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time from a preemption, or a suspension by someone else, until the trial was seen "
        "running again",
        buckets=_WAITS,
    ),
    Family(
        name="sweeper_slot_idle_seconds_total",
        part=Part.TIME,
        kind=Kind.COUNTER,
        labels=("sweep",),
        help="Time that slots of an open sweep stood free while trials waited and no limit kept "
        "them out, summed over the slots",
    ),
    Family(
        name="sweeper_gpu_seconds_total",
        part=Part.TIME,
        kind=Kind.COUNTER,
        labels=("sweep", "use"),
        help="GPUs requested times time. A report of a trial is taken as the sign of a checkpoint: "
        "work is useful once it is followed by a report or by the end of a completed or pruned "
        "trial, and lost if it came after the last report when the training was preempted, "
        "suspended, failed or deleted; wasted_pending is the time that trainings waited to run, "
        "whether or not GPUs were reserved for them",
    ),
    Family(
        name="sweeper_objective_best",
        part=Part.QUALITY,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="The best objective of all trials so far; absent until one is reported",
    ),
    Family(
        name="sweeper_objective_last_improvement_timestamp_seconds",
        part=Part.QUALITY,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="When the best objective was reported, in seconds since 1970; absent where that is "
        "not known",
    ),
    Family(
        name="sweeper_api_requests_total",
        part=Part.API,
        kind=Kind.COUNTER,
        labels=("operation", "status"),
        help="HTTP exchanges with the control plane, by HTTP status or by what cut them short",
    ),
    Family(
        name="sweeper_api_request_duration_seconds",
        part=Part.API,
        kind=Kind.HISTOGRAM,
        labels=("operation",),
        help="Time from sending a request to the end of its answer",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
    ),
    Family(
        name="sweeper_api_retries_total",
        part=Part.API,
        kind=Kind.COUNTER,
        labels=("operation", "reason"),
        help="Calls to the control plane repeated within one tick, by why",
    ),
    Family(
        name="sweeper_api_breaker_state",
        part=Part.API,
        kind=Kind.GAUGE,
        labels=("state",),
        help="1 for the state of the circuit breaker: closed, half_open (one call is tried) or "
        "open (the control plane is left alone); 0 for the others",
    ),
    Family(
        name="sweeper_api_rate_limit_per_second",
        part=Part.API,
        kind=Kind.GAUGE,
        help="Requests a second that the control plane gets at most at present; absent where "
        "there is no limit",
    ),
    Family(
        name="sweeper_api_token_expiry_timestamp_seconds",
        part=Part.API,
        kind=Kind.GAUGE,
        help="When the present token expires, in seconds since 1970; absent until there is one",
    ),
    Family(
        name="sweeper_observation_age_seconds",
        part=Part.API,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Time since all trainings of the sweep were last read; absent until they were",
    ),
    Family(
        name="sweeper_tick_duration_seconds",
        part=Part.DAEMON,
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time that one tick takes: read, decide, act, record",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    ),
    Family(
        name="sweeper_last_tick_timestamp_seconds",
        part=Part.DAEMON,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="When the last tick ended, in seconds since 1970",
    ),
    Family(
        name="sweeper_store_commit_seconds",
        part=Part.DAEMON,
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time until a transaction that writes is durable, the wait for its turn included",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    Family(
        name="sweeper_store_errors_total",
        part=Part.DAEMON,
        kind=Kind.COUNTER,
        labels=("sweep",),
        help="Transactions that the store could not carry out; an error that lasts ends the daemon",
    ),
    Family(
        name="sweeper_store_rows",
        part=Part.DAEMON,
        kind=Kind.GAUGE,
        labels=("sweep", "table"),
        help="Rows that the store keeps of trials, submissions, events and reports; absent until "
        "they were counted",
    ),
    Family(
        name="sweeper_store_free_bytes",
        part=Part.DAEMON,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Room left for this user on the disk of the store; absent until it was measured",
    ),
    Family(
        name="sweeper_owner",
        part=Part.DAEMON,
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="1 while this process owns the sweep, 0 from its orderly end on",
    ),
    Family(
        name="sweeper_build_info",
        part=Part.DAEMON,
        kind=Kind.INFO,
        labels=("version", "python", "sqlite"),
        help="The versions of sweeper, of Python and of its SQLite, always 1",
    ),
    Family(
        name="sweeper_training_info",
        part=Part.JOINS,
        kind=Kind.INFO,
        labels=(
            *("sweep", "trial", "attempt", "workload_id", "workload_name"),
            *("project", "cluster"),
        ),
        help="Each training that is not finished, always 1, to join with metrics of Run:ai; "
        "project and cluster are their ids. A series goes away when its training ends; "
        "--no-training-info leaves all out",
    ),
)
"""In the order in which the reference lists them."""

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in CATALOGUE})
