from datetime import timedelta
from fractions import Fraction
from itertools import chain
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, Totals
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import Trial, TrialState
from sweeper.telemetry.catalogue import FAMILIES, Kind
from sweeper.telemetry.gauges import Seen, read_tick, read_trainings
from sweeper.telemetry.pace import Pace
from tests.support.builders import NOW, a_sweep, a_trial, after, workload_id, workload_name
from tests.telemetry.builders import a_best, a_seen, a_tick


def _values(*live: Trial, seconds: float = 0, **fields: Any) -> dict[tuple[str, ...], float]:
    """Return what a tick shows, `seconds` after it, by family and the labels behind the sweep."""
    return _read(a_seen(a_tick(*live, **fields)), seconds)


def _read(seen: Seen, seconds: float = 0) -> dict[tuple[str, ...], float]:
    readings = chain(read_tick(seen, after(seconds=seconds)), read_trainings(seen))
    return {(name.removeprefix("sweeper_"), *labels[1:]): value for name, labels, value in readings}


def test_every_state_has_a_count_and_the_rest_waits() -> None:
    totals = Totals(states={TrialState.COMPLETED: 2, TrialState.FAILED: 1}, next_number=3)

    values = _values(totals=totals)

    counts = {key[1]: value for key, value in values.items() if key[0] == "sweep_trials"}
    assert counts.keys() == set(TrialState)
    assert {state: count for state, count in counts.items() if count} == {
        "completed": 2,
        "failed": 1,
        "waiting": 7,
    }
    assert values["sweep_trials_planned",] == 10


def test_an_unbounded_sweep_has_no_end_to_measure_by() -> None:
    values = _values(sweep=a_sweep(planned=None))

    assert ("sweep_trials", "waiting") not in values
    assert ("sweep_trials_planned",) not in values
    assert ("sweep_progress_ratio",) not in values


def test_progress_is_the_settled_part_of_the_planned_trials() -> None:
    totals = Totals(
        states={TrialState.COMPLETED: 2, TrialState.PRUNED: 1, TrialState.HELD: 3}, next_number=6
    )

    assert _values(totals=totals)["sweep_progress_ratio",] == 0.3


@pytest.mark.parametrize("planned", [10, None])
def test_a_sweep_that_ended_early_is_done(planned: int | None) -> None:
    sweep = a_sweep(planned=planned, state=SweepState.STOPPED, ended_at=NOW)

    assert _values(sweep=sweep)["sweep_progress_ratio",] == 1


def test_a_sweep_without_trials_is_done() -> None:
    assert _values(sweep=a_sweep(planned=0))["sweep_progress_ratio",] == 1


def test_a_grid_beyond_all_numbers_still_has_gauges() -> None:
    values = _values(sweep=a_sweep(planned=10**400))

    assert values["sweep_trials_planned",] == float("inf")
    assert values["sweep_progress_ratio",] == 0


def test_trainings_are_counted_by_phase_while_they_are_open() -> None:
    values = _values(
        a_trial(0),
        a_trial(1),
        a_trial(2, phase=Phase.PENDING),
        a_trial(3, state=TrialState.SUBMITTING, workload_id=None),
        a_trial(4, state=TrialState.INTERRUPTED, phase=Phase.FAILED, ended_at=NOW),
    )

    phases = {key[1]: value for key, value in values.items() if key[0] == "trainings"}
    assert phases.keys() == set(Phase)
    assert {phase: count for phase, count in phases.items() if count} == {
        "Running": 2,
        "Pending": 1,
    }


def test_slots_count_whatever_may_exist() -> None:
    values = _values(
        a_trial(0, gpus=Fraction(1, 2)),
        a_trial(1, gpus=Fraction(1, 4), phase=Phase.PENDING),
        a_trial(2, gpus=Fraction(2), state=TrialState.SUBMITTING, workload_id=None),
        a_trial(3, gpus=Fraction(8), state=TrialState.INTERRUPTED, ended_at=NOW),
    )

    assert values["slots_used", "active"] == 3
    assert values["slots_used", "pending"] == 2
    assert values["slots_used", "gpu"] == 2.75
    assert values["gpus_requested",] == 2.75


def test_only_limits_that_exist_are_shown() -> None:
    some = _values(active_limit=4)
    every = _values(active_limit=4, pending_limit=2, gpu_limit=0.5)

    assert [key for key in some if key[0] == "slots_limit"] == [("slots_limit", "active")]
    assert [every["slots_limit", kind] for kind in ("active", "pending", "gpu")] == [4, 2, 0.5]


def test_the_oldest_training_that_queues_is_timed() -> None:
    long_ago = NOW - timedelta(minutes=5)

    values = _values(
        a_trial(0, phase_since=NOW - timedelta(hours=1)),
        a_trial(1, phase=Phase.PENDING, phase_since=NOW),
        a_trial(2, phase=Phase.CREATING, phase_since=long_ago),
        a_trial(3, state=TrialState.SUBMITTING, workload_id=None, phase_since=None),
        a_trial(4, phase=Phase.STOPPED, phase_since=NOW - timedelta(days=1)),
        seconds=2,
    )

    assert values["oldest_pending_seconds",] == 302


def test_nothing_queues_for_zero_seconds() -> None:
    assert _values(a_trial(0))["oldest_pending_seconds",] == 0


def test_the_age_of_the_observation_grows_after_the_tick() -> None:
    assert _values(observed_at=NOW, seconds=90)["observation_age_seconds",] == 90


def test_a_clock_set_back_makes_no_negative_age() -> None:
    assert _values(observed_at=NOW, seconds=-90)["observation_age_seconds",] == 0


def test_what_is_not_known_is_absent() -> None:
    values = _values(observed_at=None)

    assert ("observation_age_seconds",) not in values
    assert ("objective_best",) not in values


def test_the_best_objective_is_shown() -> None:
    assert _values(best=a_best(-0.5))["objective_best",] == -0.5


def test_the_sweep_says_what_it_is() -> None:
    values = _values(sweep=a_sweep(method="grid", objective="loss", goal=Goal.MINIMIZE))

    assert values["sweep_info", "grid", "minimize", "loss"] == 1


def test_the_end_is_guessed_from_what_was_settled_since_the_beginning() -> None:
    pace = Pace(since=NOW - timedelta(minutes=3), settled=0)
    totals = Totals(states={TrialState.COMPLETED: 3}, next_number=3)

    values = _read(a_seen(a_tick(totals=totals), pace=pace), seconds=60)

    assert values["sweep_eta_seconds",] == 6 * 60


def test_no_end_is_guessed_before_anything_is_settled() -> None:
    assert ("sweep_eta_seconds",) not in _values(a_trial(0))


def test_an_improvement_has_the_time_of_its_report() -> None:
    seen = a_seen(a_tick(best=a_best(0.5)))

    better = seen.followed_by(a_tick(best=a_best(0.25)))

    name = "objective_last_improvement_timestamp_seconds"
    assert (name,) not in _read(seen)
    assert _read(better)[name,] == NOW.timestamp()


def test_reports_that_improve_nothing_leave_that_time() -> None:
    seen = a_seen(a_tick(best=a_best()), improved_at=NOW - timedelta(hours=1))

    later = seen.followed_by(a_tick(best=a_best())).followed_by(a_tick(best=None))

    assert later.improved_at == NOW - timedelta(hours=1)


def test_a_sweep_is_owned_until_it_is_left() -> None:
    assert _values()["owner",] == 1
    assert _read(a_seen(a_tick(), is_over=True))["owner",] == 0


def test_each_training_not_finished_has_its_names() -> None:
    sweep = a_sweep(project_id="77", cluster_id="c-1")
    values = _values(
        a_trial(0),
        a_trial(1, attempt=2, phase=Phase.PENDING),
        a_trial(2, state=TrialState.SUBMITTING, workload_id=None),
        a_trial(3, state=TrialState.INTERRUPTED, ended_at=NOW),
        sweep=sweep,
    )

    place = ("77", "c-1")
    assert {key[1:] for key in values if key[0] == "training_info"} == {
        ("0", "1", workload_id(0), workload_name(0), *place),
        ("1", "2", workload_id(1, 2), workload_name(1, 2), *place),
    }


def test_trainings_of_a_sweep_that_was_left_are_not_named() -> None:
    left = _read(a_seen(a_tick(a_trial(0)), is_over=True))

    assert not [key for key in left if key[0] == "training_info"]


def test_every_gauge_of_a_sweep_is_read() -> None:
    gauges = {
        name
        for name, family in FAMILIES.items()
        if family.kind in {Kind.GAUGE, Kind.INFO} and "sweep" in family.labels
    }

    pace = Pace(since=NOW - timedelta(hours=1), settled=0)
    totals = Totals(states={TrialState.COMPLETED: 1}, next_number=2)
    tick = a_tick(a_trial(), best=a_best(), totals=totals)
    seen = a_seen(tick, pace=pace, improved_at=NOW)
    read = {reading.family for reading in chain(read_tick(seen, NOW), read_trainings(seen))}

    assert gauges - read == {"sweeper_store_rows", "sweeper_store_free_bytes"}
    assert read <= gauges
