import sqlite3
from datetime import timedelta
from fractions import Fraction

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, TrialView
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import NOW, a_sweep, a_trial, after
from tests.telemetry.builders import a_best, a_move, a_report, a_tick, an_act
from tests.telemetry.scraping import families_of, series_of


def test_before_anything_happened_only_the_build_is_known(metrics: Metrics) -> None:
    (series,) = series_of(metrics).items()

    name, _python, sqlite, version = series[0]
    assert (name, version, series[1]) == ("build_info", "1.2.3", 1)
    assert sqlite == sqlite3.sqlite_version


@pytest.mark.parametrize("state", ["closed", "half_open", "open"])
def test_the_breaker_is_in_one_state(metrics: Metrics, state: str) -> None:
    metrics.heard_breaker("closed")

    metrics.heard_breaker(state)

    assert series_of(metrics)["api_breaker_state", state] == 1
    exposed = families_of(metrics)["sweeper_api_breaker_state"].samples
    assert sorted(sample.value for sample in exposed) == [0, 0, 1]


def test_the_newest_rate_limit_is_shown(metrics: Metrics) -> None:
    metrics.heard_rate(20.0)
    metrics.heard_rate(14.0)

    assert series_of(metrics)["api_rate_limit_per_second",] == 14


def test_the_process_is_measured_too(metrics: Metrics) -> None:
    assert "process_resident_memory_bytes" in families_of(metrics)


@pytest.mark.parametrize(
    ("kind", "outcome", "series"),
    [
        (EventKind.SUBMISSION, "created", ("submissions_total", "created", "demo")),
        (EventKind.SUBMISSION, "no such word", ("submissions_total", "other", "demo")),
        (EventKind.PREEMPTION, "seen", ("preemptions_total", "demo")),
        (EventKind.SUSPENSION, "us", ("suspensions_total", "us", "demo")),
        (EventKind.RESUME, "accepted", ("resumes_total", "accepted", "demo")),
        (EventKind.RESUBMIT, "preempted", ("resubmits_total", "preempted", "demo")),
        (EventKind.DECISION, "parked", ("stopping_decisions_total", "parked", "demo")),
        (EventKind.TRANSITION, "pruned", ("trial_outcomes_total", "demo", "pruned")),
        (EventKind.NOTICE, "given_up", ("notices_total", "given_up", "demo")),
    ],
)
def test_an_event_is_counted_once(
    metrics: Metrics, kind: EventKind, outcome: str, series: tuple[str, ...]
) -> None:
    before = series_of(metrics)

    metrics.recorded(a_sweep(), [an_act(kind, outcome)])

    changed = series_of(metrics).items() - before.items()
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
    before = series_of(metrics)

    metrics.recorded(a_sweep(), [an_act(kind, outcome)])

    assert series_of(metrics) == before


def test_counters_of_a_sweep_start_at_zero(metrics: Metrics) -> None:
    metrics.ticked(a_tick())

    samples = families_of(metrics)["sweeper_submissions_total"].samples
    assert {sample.labels["outcome"] for sample in samples} >= {"created", "rejected"}
    assert {sample.value for sample in samples} == {0}


def test_the_newest_tick_replaces_the_one_before(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(0), a_trial(1)))
    metrics.ticked(a_tick(a_trial(0)))

    series = series_of(metrics)
    assert series["sweep_trials", "active", "demo"] == 1
    assert series["tick_duration_seconds_count", "demo"] == 2
    assert series["tick_duration_seconds_sum", "demo"] == 0.5


def test_two_sweeps_stand_side_by_side(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(0)))
    metrics.ticked(a_tick(a_trial(0), a_trial(1), sweep=a_sweep(name="other")))

    series = series_of(metrics)
    assert series["sweep_trials", "active", "demo"] == 1
    assert series["sweep_trials", "active", "other"] == 2


def test_calls_to_the_control_plane_are_counted_and_timed(metrics: Metrics) -> None:
    metrics.heard_request("create", "418", 0.2)
    metrics.heard_request("create", "timeout", 15.5)
    metrics.heard_request("rm -rf", "weird", 0.1)

    series = series_of(metrics)
    assert series["api_requests_total", "create", "4xx"] == 1
    assert series["api_requests_total", "create", "timeout"] == 1
    assert series["api_requests_total", "other", "other"] == 1
    assert series["api_request_duration_seconds_sum", "create"] == 15.7
    assert series["api_request_duration_seconds_bucket", "0.25", "create"] == 1


def test_repeats_are_counted_by_reason(metrics: Metrics) -> None:
    metrics.heard_retry("list", "not_sent")
    metrics.heard_retry("list", "a message of the server")

    series = series_of(metrics)
    assert series["api_retries_total", "list", "not_sent"] == 1
    assert series["api_retries_total", "list", "other"] == 1


def test_reports_are_counted_by_outcome(metrics: Metrics) -> None:
    metrics.heard_reports("demo", [a_report(), a_report(), a_report()], 2)
    metrics.heard_refused("demo")

    series = series_of(metrics)
    assert series["reports_total", "new", "demo"] == 2
    assert series["reports_total", "known", "demo"] == 1
    assert series["reports_total", "refused", "demo"] == 1


def test_a_report_proves_useful_what_was_done_before_it(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, gpus=Fraction(4))))

    metrics.heard_reports("demo", [a_report(3, at=after(seconds=2))], 1)

    assert series_of(metrics)["gpu_seconds_total", "demo", "useful"] == 8


def test_a_report_from_a_clock_ahead_proves_nothing_ahead(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, gpus=Fraction(1))))

    metrics.heard_reports("demo", [a_report(3, at=after(days=300))], 1)

    assert series_of(metrics)["gpu_seconds_total", "demo", "useful"] == 5


def test_the_end_of_a_trial_is_timed(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3)))

    metrics.recorded(a_sweep(), [a_move("active", "failed", at=after(minutes=2))])

    series = series_of(metrics)
    assert series["trial_duration_seconds_sum", "failed", "demo"] == 120
    assert series["trial_duration_seconds_bucket", "300.0", "failed", "demo"] == 1


def test_a_wait_and_a_way_back_are_timed(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3, phase=Phase.PENDING)))
    metrics.recorded(a_sweep(), [an_act(EventKind.PREEMPTION, "seen", at=after(seconds=10))])
    back = {"running_since": after(seconds=40), "first_running_at": after(seconds=40)}

    metrics.ticked(a_tick(a_trial(3, **back), at=after(seconds=41)))

    series = series_of(metrics)
    assert series["pending_duration_seconds_sum", "demo"] == 40
    assert series["resume_delay_seconds_sum", "demo"] == 30


def test_free_slots_add_up(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3)))
    metrics.ticked(a_tick(a_trial(3), at=after(seconds=20)))

    assert series_of(metrics)["slot_idle_seconds_total", "demo"] == 60


def test_a_sweep_goes_on_from_what_the_store_has(metrics: Metrics) -> None:
    improved_at = NOW - timedelta(hours=2)
    metrics.begin("demo", [TrialView(trial=a_trial(3), objective=None)], improved_at)

    metrics.recorded(a_sweep(), [a_move("active", "completed", at=after(hours=2))])
    metrics.ticked(a_tick(best=a_best()))

    series = series_of(metrics)
    assert series["trial_duration_seconds_sum", "completed", "demo"] == 7200
    name = "objective_last_improvement_timestamp_seconds"
    assert series[name, "demo"] == improved_at.timestamp()


def test_a_token_expires_so_long_after_it_came(metrics: Metrics) -> None:
    metrics.heard_token(300.0)

    expires_at = series_of(metrics)["api_token_expiry_timestamp_seconds",]
    assert expires_at == after(seconds=305).timestamp()


def test_the_store_is_measured(metrics: Metrics) -> None:
    metrics.heard_commit("demo", 0.25)
    metrics.heard_store_error("demo")
    metrics.heard_rows("demo", {"trials": 3, "no such table": 9})
    metrics.heard_room("demo", 4096)

    series = series_of(metrics)
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

    assert families_of(told)["sweeper_training_info"].samples
    assert not families_of(silent)["sweeper_training_info"].samples


def test_the_name_of_a_training_goes_away_with_it(metrics: Metrics) -> None:
    metrics.ticked(a_tick(a_trial(3), a_trial(4)))

    metrics.ticked(a_tick(a_trial(4)))

    (sample,) = families_of(metrics)["sweeper_training_info"].samples
    assert sample.labels["trial"] == "4"


def test_a_sweep_that_was_left_is_not_owned_any_more(metrics: Metrics) -> None:
    metrics.ticked(a_tick())

    metrics.leave("demo")
    metrics.leave("never seen")

    assert [sample.value for sample in families_of(metrics)["sweeper_owner"].samples] == [0]


def test_an_act_that_names_no_trial_counts_too(metrics: Metrics) -> None:
    metrics.recorded(a_sweep(), [an_act(EventKind.RESUME, "accepted", trial=None)])

    assert series_of(metrics)["resumes_total", "accepted", "demo"] == 1
