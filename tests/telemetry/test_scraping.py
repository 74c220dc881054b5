import re
import threading
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric

from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, Totals
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.telemetry.catalogue import CATALOGUE, FAMILIES, Kind
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import NOW, a_sweep, a_trial, workload_name
from tests.telemetry.builders import a_best, a_move, a_report, a_tick, an_act
from tests.telemetry.scraping import (
    OPEN_METRICS,
    PLAIN,
    families_of,
    fill,
    open_metrics_of,
    series_of,
)

_GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"
_REFERENCE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_a_scrape_has_exactly_this_text(metrics: Metrics) -> None:
    sweep = a_sweep(method="grid", objective="loss", goal=Goal.MINIMIZE)
    live = (
        a_trial(3, gpus=Fraction(1, 2)),
        a_trial(4, gpus=Fraction(1, 2), phase=Phase.PENDING),
    )
    totals = Totals(states={TrialState.ACTIVE: 2, TrialState.COMPLETED: 3}, next_number=5)

    metrics.recorded(sweep, [a_move("active", "completed"), an_act(EventKind.PREEMPTION, "seen")])
    metrics.ticked(a_tick(*live, sweep=sweep, totals=totals, best=a_best(), gpu_limit=2.0))
    metrics.heard_request("create", "201", 0.2)
    metrics.heard_retry("list", "transient")
    metrics.heard_breaker("closed")
    metrics.heard_rate(20.0)
    metrics.heard_reports("demo", [a_report(), a_report()], 2)

    body, content_type = metrics.render("")
    assert content_type == PLAIN
    assert _ours(body) == _GOLDEN.read_text(encoding="utf-8")


def _ours(body: bytes) -> str:
    """Return the lines of a scrape that depend neither on this process nor on Python."""
    lines = body.decode().splitlines(keepends=True)
    return "".join(
        line for line in lines if "sweeper_" in line and not line.startswith("sweeper_build_info")
    )


def test_the_catalogue_is_what_the_first_scrape_exposes(metrics: Metrics) -> None:
    exposed = {
        name: (family.type, family.documentation)
        for name, family in families_of(metrics).items()
        if name.startswith("sweeper_")
    }

    kinds = {Kind.INFO: "gauge"}
    assert exposed == {
        family.name: (kinds.get(family.kind, family.kind), family.help) for family in CATALOGUE
    }


def test_every_series_has_the_labels_of_the_catalogue(metrics: Metrics) -> None:
    fill(metrics)

    found = {
        name: {frozenset(sample.labels) - {"le"} for sample in family.samples}
        for name, family in families_of(metrics).items()
        if name in FAMILIES
    }

    assert found == {family.name: {frozenset(family.labels)} for family in CATALOGUE}


def test_the_reference_names_exactly_the_series_that_a_scrape_holds(metrics: Metrics) -> None:
    fill(metrics)

    exposed = {sample.name for family in families_of(metrics).values() for sample in family.samples}

    documented = set(re.findall(r"`((?:sweeper|process)_\w+)`", _REFERENCE.read_text("utf-8")))
    assert exposed == documented


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("sweeper_trial_outcomes", "sweeper_trial_outcomes_total"),
        ("sweeper_trial_duration_seconds", "sweeper_trial_duration_seconds_bucket"),
    ],
)
def test_an_exemplar_leads_to_the_trial(metrics: Metrics, family: str, name: str) -> None:
    metrics.ticked(a_tick(a_trial(3)))

    metrics.recorded(a_sweep(), [a_move("active", "failed")])

    exemplars = [
        sample.exemplar.labels
        for sample in open_metrics_of(metrics)[family].samples
        if sample.name == name and sample.exemplar
    ]
    assert exemplars == [{"trial": "3", "workload_name": workload_name(3)}]


@pytest.mark.parametrize("name", ["x" * 120, '"', "a\nb", "", None])
def test_an_exemplar_holds_no_name_that_is_none_of_ours(metrics: Metrics, name: str | None) -> None:
    event = a_move("active", "failed", workload_name=name)

    metrics.recorded(a_sweep(), [event])

    samples = open_metrics_of(metrics)["sweeper_trial_outcomes"].samples
    exemplars = [sample.exemplar.labels for sample in samples if sample.exemplar]
    assert exemplars == [{"trial": "3"}]


def test_what_is_carried_away_is_of_one_sweep_and_says_so(metrics: Metrics) -> None:
    fill(metrics)
    metrics.ticked(a_tick(a_trial(0), sweep=a_sweep(name="other")))

    families = list(metrics.of_sweep("demo").collect())

    assert all(family.name.startswith("sweeper_") for family in families)
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels["sweep"] for sample in samples} == {"demo"}
    assert "sweeper_api_requests_total" in {sample.name for sample in samples}


def test_open_metrics_is_spoken_to_those_who_ask(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(), best=a_best()))

    _, content_type = metrics.render(f"{OPEN_METRICS},text/plain;version=0.0.4;q=0.5")

    families = open_metrics_of(metrics)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert families["sweeper_sweep"].type == "info"
    assert families["sweeper_submissions"].type == "counter"


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/plain;version=0.0.4"])
def test_everyone_else_gets_plain_text(metrics: Metrics, accept: str) -> None:
    assert metrics.render(accept)[1] == PLAIN


@pytest.mark.parametrize(
    "version", ["x", "1.x", "2.0;evil", "2.evil", "2.0 evil", "9" * 5_000, "", "1..0"]
)
def test_a_hostile_version_is_never_echoed(metrics: Metrics, version: str) -> None:
    body, content_type = metrics.render(f"application/openmetrics-text;version={version}")

    assert body
    assert "evil" not in content_type
    assert len(content_type) < 200


def test_no_created_series_double_what_is_exposed(metrics: Metrics) -> None:
    metrics.ticked(a_tick())

    for accept in ("", OPEN_METRICS):
        assert b"_created" not in metrics.render(accept)[0]


@settings(max_examples=40)
@given(
    name=st.text(st.characters(codec=None, exclude_categories=()), max_size=300),
    word=st.text(max_size=20),
)
def test_no_name_breaks_a_scrape_or_adds_a_label(name: str, word: str) -> None:
    metrics = Metrics(version="1", now=lambda: NOW)
    sweep = a_sweep(name=name, objective=name, method=word)

    metrics.recorded(sweep, [an_act(kind, word, workload_name=name) for kind in EventKind])
    metrics.ticked(a_tick(a_trial(), sweep=sweep, best=a_best()))
    metrics.heard_request(word, word, 0.1)

    assert open_metrics_of(metrics)
    for family in families_of(metrics).values():
        for sample in family.samples:
            assert set(sample.labels) <= {*_labels_of(family), "le"}
            assert all(len(value) <= 200 * len(r"\U00000000") for value in sample.labels.values())


def _labels_of(family: Metric) -> tuple[str, ...]:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return FAMILIES[name].labels if name in FAMILIES else ()


def test_a_number_of_trials_changes_no_number_of_series_but_one() -> None:
    metrics = Metrics(version="1", now=lambda: NOW)
    metrics.ticked(a_tick(a_trial(0)))
    few = _counts(metrics)

    metrics.ticked(a_tick(*(a_trial(number) for number in range(400))))

    assert dict(_counts(metrics).items() - few.items()) == {"sweeper_training_info": 400}


def _counts(metrics: Metrics) -> dict[str, int]:
    return {
        name: len(family.samples)
        for name, family in families_of(metrics).items()
        if name in FAMILIES
    }


def test_a_scrape_in_another_thread_sees_whole_ticks(metrics: Metrics) -> None:
    """The gauges of one scrape agree with each other, whatever the loop does meanwhile."""
    ticks = [a_tick(*(a_trial(number) for number in range(size))) for size in (1, 7)]
    metrics.ticked(ticks[0])
    seen: set[tuple[float, float]] = set()

    def scrape() -> None:
        for _ in range(30):
            series = series_of(metrics)
            trials = series["sweep_trials", "active", "demo"]
            seen.add((trials, series["trainings", "Running", "demo"]))

    thread = threading.Thread(target=scrape)
    thread.start()
    while thread.is_alive():
        for tick in ticks:
            metrics.ticked(tick)
    thread.join()

    assert seen <= {(1, 1), (7, 7)}
