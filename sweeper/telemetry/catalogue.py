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


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family of series.

    `name` is what a query names, with `_total` or `_info` where the kind has one; a histogram's
    series end in `_bucket`, `_sum` and `_count`. `help` is one sentence without its full stop.
    `buckets` are the upper bounds of a histogram, without the infinite one.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


CATALOGUE = (
    Family(
        name="sweeper_sweep_trials",
        kind=Kind.GAUGE,
        labels=("sweep", "state"),
        help="Trials in each state; waiting ones only where the number of trials is known",
    ),
    Family(
        name="sweeper_sweep_trials_planned",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Trials that the sweep has in all; absent when it is unbounded",
    ),
    Family(
        name="sweeper_sweep_progress_ratio",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Settled trials by planned ones, 1 once the sweep has ended; absent when unbounded",
    ),
    Family(
        name="sweeper_sweep_info",
        kind=Kind.INFO,
        labels=("sweep", "method", "goal", "objective"),
        help="What the sweep is, always 1",
    ),
    Family(
        name="sweeper_trainings",
        kind=Kind.GAUGE,
        labels=("sweep", "phase"),
        help="Trainings not finished, by the phase that the control plane last reported",
    ),
    Family(
        name="sweeper_slots_used",
        kind=Kind.GAUGE,
        labels=("sweep", "kind"),
        help="What counts towards the limits: trainings not finished, those of them not running, "
        "GPUs that they request",
    ),
    Family(
        name="sweeper_slots_limit",
        kind=Kind.GAUGE,
        labels=("sweep", "kind"),
        help="The limits that sweeper_slots_used is held to; absent where there is none",
    ),
    Family(
        name="sweeper_gpus_requested",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="GPUs that the trainings not finished request, fractions included",
    ),
    Family(
        name="sweeper_oldest_pending_seconds",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="How long the training that queues longest has been in its phase; 0 if none queues",
    ),
    Family(
        name="sweeper_objective_best",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="The best objective of all trials so far; absent until one is reported",
    ),
    Family(
        name="sweeper_submissions_total",
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Creates sent to the control plane, by what became of them",
    ),
    Family(
        name="sweeper_preemptions_total",
        kind=Kind.COUNTER,
        labels=("sweep",),
        help="Trainings that lost their place to the scheduler",
    ),
    Family(
        name="sweeper_suspensions_total",
        kind=Kind.COUNTER,
        labels=("sweep", "by"),
        help="Trainings found stopped, by who asked for it: us or another",
    ),
    Family(
        name="sweeper_resumes_total",
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Resumes asked of the control plane, by what became of them",
    ),
    Family(
        name="sweeper_resubmits_total",
        kind=Kind.COUNTER,
        labels=("sweep", "cause"),
        help="New attempts at a trial, by why the attempt before was lost",
    ),
    Family(
        name="sweeper_trial_outcomes_total",
        kind=Kind.COUNTER,
        labels=("sweep", "state"),
        help="Trials settled by this process, by the state they ended in",
    ),
    Family(
        name="sweeper_reports_total",
        kind=Kind.COUNTER,
        labels=("sweep", "outcome"),
        help="Reports received from trainings: new, known (received before) or refused",
    ),
    Family(
        name="sweeper_api_requests_total",
        kind=Kind.COUNTER,
        labels=("operation", "status"),
        help="HTTP exchanges with the control plane, by HTTP status or by what cut them short",
    ),
    Family(
        name="sweeper_api_request_duration_seconds",
        kind=Kind.HISTOGRAM,
        labels=("operation",),
        help="Time from sending a request to the end of its answer",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
    ),
    Family(
        name="sweeper_api_retries_total",
        kind=Kind.COUNTER,
        labels=("operation", "reason"),
        help="Calls to the control plane repeated within one tick, by why",
    ),
    Family(
        name="sweeper_api_breaker_state",
        kind=Kind.GAUGE,
        labels=("state",),
        help="1 for the state of the circuit breaker: closed, half_open (one call is tried) or "
        "open (the control plane is left alone); 0 for the others",
    ),
    Family(
        name="sweeper_api_rate_limit_per_second",
        kind=Kind.GAUGE,
        help="Requests a second that the control plane gets at most at present; absent where "
        "there is no limit",
    ),
    Family(
        name="sweeper_observation_age_seconds",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="Time since all trainings of the sweep were last read; absent until they were",
    ),
    Family(
        name="sweeper_tick_duration_seconds",
        kind=Kind.HISTOGRAM,
        labels=("sweep",),
        help="Time that one tick takes: read, decide, act, record",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    ),
    Family(
        name="sweeper_last_tick_timestamp_seconds",
        kind=Kind.GAUGE,
        labels=("sweep",),
        help="When the last tick ended, in seconds since 1970",
    ),
    Family(
        name="sweeper_build_info",
        kind=Kind.INFO,
        labels=("version", "python"),
        help="The version of sweeper and of Python, always 1",
    ),
)
"""In the order in which the reference lists them."""

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in CATALOGUE})


def metrics_reference() -> str:
    """Return the catalogue as a Markdown table, one line a family, ending in a line end."""
    lines = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    for family in CATALOGUE:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        lines.append(f"| `{family.name}` | {family.kind} | {labels} | {family.help} |")
    return "\n".join(lines) + "\n"
