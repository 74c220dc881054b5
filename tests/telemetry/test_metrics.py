import re
import threading
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families

from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, Totals, TrialView
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.telemetry.catalogue import CATALOGUE, FAMILIES, Kind
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import NOW, a_sweep, a_trial, after, workload_name
from tests.telemetry.builders import a_best, a_move, a_report, a_tick, an_act

_GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"
_REFERENCE = Path(__file__).parents[2] / "docs" / "metrics.md"
_OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_PLAIN = "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1.2.3", now=lambda: after(seconds=5))


def _families(metrics: Metrics) -> dict[str, Metric]:
    """Return what a scrape exposes, by the name of its series without histogram endings."""
    body, _ = metrics.render("")
    found = text_string_to_metric_families(body.decode())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in found
    }


def _series(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return every sample of ours that is not 0, by name and values of its labels."""
    return {
        (sample.name.removeprefix("sweeper_"), *sample.labels.values()): sample.value
        for name, family in _families(metrics).items()
        if name in FAMILIES
        for sample in family.samples
        if sample.value
    }


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
    assert content_type == _PLAIN
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
        for name, family in _families(metrics).items()
        if name.startswith("sweeper_")
    }

    kinds = {Kind.INFO: "gauge"}
    assert exposed == {
        family.name: (kinds.get(family.kind, family.kind), family.help) for family in CATALOGUE
    }


def _fill(metrics: Metrics) -> None:
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


def test_every_series_has_the_labels_of_the_catalogue(metrics: Metrics) -> None:
    _fill(metrics)

    found = {
        name: {frozenset(sample.labels) - {"le"} for sample in family.samples}
        for name, family in _families(metrics).items()
        if name in FAMILIES
    }

    assert found == {family.name: {frozenset(family.labels)} for family in CATALOGUE}


def test_the_reference_names_exactly_the_series_that_a_scrape_holds(metrics: Metrics) -> None:
    _fill(metrics)

    exposed = {sample.name for family in _families(metrics).values() for sample in family.samples}

    documented = set(re.findall(r"`((?:sweeper|process)_\w+)`", _REFERENCE.read_text("utf-8")))
    assert exposed == documented


def test_before_anything_happened_only_the_build_is_known(metrics: Metrics) -> None:
    (series,) = _series(metrics).items()

    name, _python, version = series[0]
    assert (name, version, series[1]) == ("build_info", "1.2.3", 1)


@pytest.mark.parametrize("state", ["closed", "half_open", "open"])
def test_the_breaker_is_in_one_state(metrics: Metrics, state: str) -> None:
    metrics.heard_breaker("closed")

    metrics.heard_breaker(state)

    assert _series(metrics)["api_breaker_state", state] == 1
    exposed = _families(metrics)["sweeper_api_breaker_state"].samples
    assert sorted(sample.value for sample in exposed) == [0, 0, 1]


def test_the_newest_rate_limit_is_shown(metrics: Metrics) -> None:
    metrics.heard_rate(20.0)
    metrics.heard_rate(14.0)

    assert _series(metrics)["api_rate_limit_per_second",] == 14


def test_the_process_is_measured_too(metrics: Metrics) -> None:
    assert "process_resident_memory_bytes" in _families(metrics)


@pytest.mark.parametrize(
    ("kind", "outcome", "series"),
    [
        (EventKind.SUBMISSION, "created", ("submissions_total", "created", "demo")),
        (EventKind.SUBMISSION, "no such word", ("submissions_total", "other", "demo")),
        (EventKind.PREEMPTION, "seen", ("preemptions_total", "demo")),
        (EventKind.SUSPENSION, "us", ("suspensions_total", "us", "demo")),
        (EventKind.RESUME, "accepted", ("resumes_total", "accepted", "demo")),
        (EventKind.RESUBMIT, "preempted", ("resubmits_total", "preempted", "demo")),
        (EventKind.TRANSITION, "pruned", ("trial_outcomes_total", "demo", "pruned")),
    ],
)
def test_an_event_is_counted_once(
    metrics: Metrics, kind: EventKind, outcome: str, series: tuple[str, ...]
) -> None:
    before = _series(metrics)

    metrics.recorded(a_sweep(), [an_act(kind, outcome)])

    changed = _series(metrics).items() - before.items()
    assert {
        (key[0], frozenset(key[1:])): value for key, value in changed if key[0].endswith("_total")
    } == {(series[0], frozenset(series[1:])): 1}


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.TRANSITION, "active"),
        (EventKind.SWEEP, "paused"),
        (EventKind.LOOK_UP, "absent"),
        (EventKind.SUSPEND, "accepted"),
        (EventKind.DELETE, "gone"),
    ],
)
def test_other_events_are_not_counted(metrics: Metrics, kind: EventKind, outcome: str) -> None:
    before = _series(metrics)

    metrics.recorded(a_sweep(), [an_act(kind, outcome)])

    assert _series(metrics) == before


def test_counters_of_a_sweep_start_at_zero(metrics: Metrics) -> None:
    metrics.ticked(a_tick())

    samples = _families(metrics)["sweeper_submissions_total"].samples
    assert {sample.labels["outcome"] for sample in samples} >= {"created", "rejected"}
    assert {sample.value for sample in samples} == {0}


def test_the_newest_tick_replaces_the_one_before(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(0), a_trial(1)))
    metrics.ticked(a_tick(a_trial(0)))

    series = _series(metrics)
    assert series["sweep_trials", "active", "demo"] == 1
    assert series["tick_duration_seconds_count", "demo"] == 2
    assert series["tick_duration_seconds_sum", "demo"] == 0.5


def test_two_sweeps_stand_side_by_side(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(0)))
    metrics.ticked(a_tick(a_trial(0), a_trial(1), sweep=a_sweep(name="other")))

    series = _series(metrics)
    assert series["sweep_trials", "active", "demo"] == 1
    assert series["sweep_trials", "active", "other"] == 2


def test_calls_to_the_control_plane_are_counted_and_timed(metrics: Metrics) -> None:
    metrics.heard_request("create", "418", 0.2)
    metrics.heard_request("create", "timeout", 15.5)
    metrics.heard_request("rm -rf", "weird", 0.1)

    series = _series(metrics)
    assert series["api_requests_total", "create", "4xx"] == 1
    assert series["api_requests_total", "create", "timeout"] == 1
    assert series["api_requests_total", "other", "other"] == 1
    assert series["api_request_duration_seconds_sum", "create"] == 15.7
    assert series["api_request_duration_seconds_bucket", "0.25", "create"] == 1


def test_repeats_are_counted_by_reason(metrics: Metrics) -> None:
    metrics.heard_retry("list", "not_sent")
    metrics.heard_retry("list", "a message of the server")

    series = _series(metrics)
    assert series["api_retries_total", "list", "not_sent"] == 1
    assert series["api_retries_total", "list", "other"] == 1


def test_reports_are_counted_by_outcome(metrics: Metrics) -> None:
    metrics.heard_reports("demo", [a_report(), a_report(), a_report()], 2)
    metrics.heard_refused("demo")

    series = _series(metrics)
    assert series["reports_total", "new", "demo"] == 2
    assert series["reports_total", "known", "demo"] == 1
    assert series["reports_total", "refused", "demo"] == 1


def test_a_report_proves_useful_what_was_done_before_it(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, gpus=Fraction(4))))

    metrics.heard_reports("demo", [a_report(3, at=after(seconds=2))], 1)

    assert _series(metrics)["gpu_seconds_total", "demo", "useful"] == 8


def test_a_report_from_a_clock_ahead_proves_nothing_ahead(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, gpus=Fraction(1))))

    metrics.heard_reports("demo", [a_report(3, at=after(days=300))], 1)

    assert _series(metrics)["gpu_seconds_total", "demo", "useful"] == 5


def test_the_end_of_a_trial_is_timed(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3)))

    metrics.recorded(a_sweep(), [a_move("active", "failed", at=after(minutes=2))])

    series = _series(metrics)
    assert series["trial_duration_seconds_sum", "failed", "demo"] == 120
    assert series["trial_duration_seconds_bucket", "300.0", "failed", "demo"] == 1


def test_a_wait_and_a_way_back_are_timed(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, phase=Phase.PENDING)))
    metrics.recorded(a_sweep(), [an_act(EventKind.PREEMPTION, "seen", at=after(seconds=10))])
    back = {"running_since": after(seconds=40), "first_running_at": after(seconds=40)}

    metrics.ticked(a_tick(a_trial(3, **back), at=after(seconds=41)))

    series = _series(metrics)
    assert series["pending_duration_seconds_sum", "demo"] == 40
    assert series["resume_delay_seconds_sum", "demo"] == 30


def test_free_slots_add_up(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3)))
    metrics.ticked(a_tick(a_trial(3), at=after(seconds=20)))

    assert _series(metrics)["slot_idle_seconds_total", "demo"] == 60


def test_a_sweep_goes_on_from_what_the_store_has(metrics: Metrics) -> None:
    improved_at = NOW - timedelta(hours=2)
    metrics.begin("demo", [TrialView(trial=a_trial(3), objective=None)], improved_at)

    metrics.recorded(a_sweep(), [a_move("active", "completed", at=after(hours=2))])
    metrics.ticked(a_tick(best=a_best()))

    series = _series(metrics)
    assert series["trial_duration_seconds_sum", "completed", "demo"] == 7200
    name = "objective_last_improvement_timestamp_seconds"
    assert series[name, "demo"] == improved_at.timestamp()


def test_a_token_expires_so_long_after_it_came(metrics: Metrics) -> None:
    metrics.heard_token(300.0)

    expires_at = _series(metrics)["api_token_expiry_timestamp_seconds",]
    assert expires_at == after(seconds=305).timestamp()


def test_the_store_is_measured(metrics: Metrics) -> None:
    metrics.heard_commit("demo", 0.25)
    metrics.heard_store_error("demo")
    metrics.heard_rows("demo", {"trials": 3, "no such table": 9})
    metrics.heard_room("demo", 4096)

    series = _series(metrics)
    assert series["store_commit_seconds_sum", "demo"] == 0.25
    assert series["store_errors_total", "demo"] == 1
    assert series["store_rows", "demo", "trials"] == 3
    assert series["store_free_bytes", "demo"] == 4096
    assert not [key for key in series if "no such table" in key]


def test_trainings_are_named_unless_that_is_turned_off() -> None:
    told = Metrics(version="1", now=lambda: NOW)
    silent = Metrics(version="1", now=lambda: NOW, training_info=False)
    for metrics in (told, silent):
        metrics.ticked(a_tick(a_trial(3)))

    assert _families(told)["sweeper_training_info"].samples
    assert not _families(silent)["sweeper_training_info"].samples


def test_the_name_of_a_training_goes_away_with_it(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3), a_trial(4)))

    metrics.ticked(a_tick(a_trial(4)))

    (sample,) = _families(metrics)["sweeper_training_info"].samples
    assert sample.labels["trial"] == "4"


def test_a_sweep_that_was_left_is_not_owned_any_more(metrics: Metrics) -> None:
    metrics.ticked(a_tick())

    metrics.leave("demo")
    metrics.leave("never seen")

    assert [sample.value for sample in _families(metrics)["sweeper_owner"].samples] == [0]


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
        for sample in _open_metrics(metrics)[family].samples
        if sample.name == name and sample.exemplar
    ]
    assert exemplars == [{"trial": "3", "workload_name": workload_name(3)}]


def test_an_exemplar_longer_than_the_format_allows_is_left_out(metrics: Metrics) -> None:
    event = a_move("active", "failed", workload_name="x" * 120)

    metrics.recorded(a_sweep(), [event])

    samples = _open_metrics(metrics)["sweeper_trial_outcomes"].samples
    assert not any(sample.exemplar for sample in samples)


def _open_metrics(metrics: Metrics) -> dict[str, Metric]:
    body, _ = metrics.render(_OPEN_METRICS)
    parsed = parse_open_metrics(body.decode())  # type: ignore[no-untyped-call] # has no types
    return {family.name: family for family in parsed}


def test_what_is_carried_away_is_of_one_sweep_and_says_so(metrics: Metrics) -> None:
    _fill(metrics)
    metrics.ticked(a_tick(a_trial(0), sweep=a_sweep(name="other")))

    families = list(metrics.of_sweep("demo").collect())

    assert all(family.name.startswith("sweeper_") for family in families)
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels["sweep"] for sample in samples} == {"demo"}
    assert "sweeper_api_requests_total" in {sample.name for sample in samples}


def test_open_metrics_is_spoken_to_those_who_ask(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(), best=a_best()))

    _, content_type = metrics.render(f"{_OPEN_METRICS},text/plain;version=0.0.4;q=0.5")

    families = _open_metrics(metrics)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert families["sweeper_sweep"].type == "info"
    assert families["sweeper_submissions"].type == "counter"


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/plain;version=0.0.4"])
def test_everyone_else_gets_plain_text(metrics: Metrics, accept: str) -> None:
    assert metrics.render(accept)[1] == _PLAIN


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

    for accept in ("", _OPEN_METRICS):
        assert b"_created" not in metrics.render(accept)[0]


@settings(max_examples=40)
@given(
    name=st.text(st.characters(codec=None, exclude_categories=()), max_size=300),
    word=st.text(max_size=20),
)
def test_no_name_breaks_a_scrape_or_adds_a_label(name: str, word: str) -> None:
    metrics = Metrics(version="1", now=lambda: NOW)
    sweep = a_sweep(name=name, objective=name, method=word)

    metrics.recorded(sweep, [an_act(kind, word) for kind in EventKind])
    metrics.ticked(a_tick(a_trial(), sweep=sweep, best=a_best()))
    metrics.heard_request(word, word, 0.1)

    for family in _families(metrics).values():
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
        name: len(family.samples) for name, family in _families(metrics).items() if name in FAMILIES
    }


def test_a_scrape_in_another_thread_sees_whole_ticks(metrics: Metrics) -> None:
    """The gauges of one scrape agree with each other, whatever the loop does meanwhile."""
    ticks = [a_tick(*(a_trial(number) for number in range(size))) for size in (1, 7)]
    metrics.ticked(ticks[0])
    seen: set[tuple[float, float]] = set()

    def scrape() -> None:
        for _ in range(30):
            series = _series(metrics)
            trials = series["sweep_trials", "active", "demo"]
            seen.add((trials, series["trainings", "Running", "demo"]))

    thread = threading.Thread(target=scrape)
    thread.start()
    while thread.is_alive():
        for tick in ticks:
            metrics.ticked(tick)
    thread.join()

    assert seen <= {(1, 1), (7, 7)}
