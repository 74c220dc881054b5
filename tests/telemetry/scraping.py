"""What a scrape holds, read back as a scraper reads it."""

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families

from sweeper.domain.record import EventKind, Totals
from sweeper.domain.trial import TrialState
from sweeper.telemetry.catalogue import FAMILIES
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import NOW, a_sweep, a_trial
from tests.telemetry.builders import a_best, a_move, a_tick, an_act

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def families_of(metrics: Metrics) -> dict[str, Metric]:
    """Return what a scrape exposes, by the name of its series without histogram endings."""
    body, _ = metrics.render("")
    found = text_string_to_metric_families(body.decode())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in found
    }


def series_of(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return every sample of ours that is not 0, by name and values of its labels."""
    return {
        (sample.name.removeprefix("sweeper_"), *sample.labels.values()): sample.value
        for name, family in families_of(metrics).items()
        if name in FAMILIES
        for sample in family.samples
        if sample.value
    }


def open_metrics_of(metrics: Metrics) -> dict[str, Metric]:
    """Return what a scrape in the format OpenMetrics exposes, by the name of its family."""
    body, _ = metrics.render(OPEN_METRICS)
    parsed = parse_open_metrics(body.decode())  # type: ignore[no-untyped-call] # has no types
    return {family.name: family for family in parsed}


def fill(metrics: Metrics) -> None:
    """Let everything happen that any family tells of."""
    metrics.begin("demo", [], improved_at=NOW)
    metrics.recorded(a_sweep(), [an_act(kind, "seen") for kind in EventKind])
    metrics.ticked(a_tick(a_trial(3), best=a_best()))
    totals = Totals(states={TrialState.COMPLETED: 1}, next_number=1)
    metrics.recorded(a_sweep(), [a_move("active", "completed")])
    metrics.ticked(a_tick(a_trial(4), best=a_best(), totals=totals))
    metrics.heard_request("create", "201", 0.2)
    metrics.heard_retry("list", "transient")
    metrics.heard_breaker("closed")
    metrics.heard_rate(20.0)
    metrics.heard_token(300.0)
    metrics.heard_rows("demo", {"trials": 3})
    metrics.heard_room("demo", 10**9)
