from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import EventKind, SweepState, Totals, TrialView
from sweeper.domain.trial import Trial, TrialState
from sweeper.telemetry.accounts import Accounts, Posting, idle_slots
from tests.support.builders import NOW, a_sweep, a_trial, after, workload_name
from tests.telemetry.builders import a_best, a_move, a_tick, an_act


def _looked(accounts: Accounts, *live: Trial, seconds: float = 0) -> list[Posting]:
    return list(accounts.looked(a_tick(*live, at=after(seconds=seconds))))


def _seconds(postings: list[Posting]) -> dict[str, float]:
    return {str(posting.charge.of): posting.charge.seconds for posting in postings}


@pytest.fixture
def accounts() -> Accounts:
    """Accounts that have seen trial 3 run on one GPU since `NOW`."""
    accounts = Accounts()
    _looked(accounts, a_trial(3, gpus=Fraction(1)))
    return accounts


def test_a_trial_that_ends_is_charged_and_named(accounts: Accounts) -> None:
    ended = a_move("active", "completed", at=after(seconds=60))

    postings = list(accounts.happened([ended]))

    assert _seconds(postings) == {"useful": 60, "trial": 60}
    assert {(posting.trial, posting.workload_name) for posting in postings} == {
        (3, workload_name(3))
    }
    assert [posting.state for posting in postings] == ["", "completed"]


def test_an_ended_trial_is_charged_once(accounts: Accounts) -> None:
    ended = a_move("active", "completed", at=after(seconds=60))
    list(accounts.happened([ended]))

    assert _looked(accounts, seconds=90) == []


def test_a_report_charges_its_own_trial(accounts: Accounts) -> None:
    assert _seconds(list(accounts.signed(3, after(seconds=20)))) == {"useful": 20}
    assert list(accounts.signed(4, after(seconds=20))) == []


def test_a_trial_refused_at_once_has_a_length() -> None:
    accounts = Accounts()
    list(accounts.happened([a_move("waiting", "submitting")]))

    postings = list(accounts.happened([a_move("submitting", "failed", at=after(seconds=2))]))

    assert _seconds(postings) == {"trial": 2}


def test_events_of_the_sweep_itself_charge_nothing(accounts: Accounts) -> None:
    event = an_act(EventKind.SWEEP, "paused", trial=None, attempt=None)

    assert list(accounts.happened([event])) == []


def test_trials_of_an_earlier_process_go_on() -> None:
    accounts = Accounts()
    live = a_trial(3, gpus=Fraction(1), phase_since=NOW)
    objective = a_best().objective
    accounts.begin([TrialView(trial=live, objective=objective)], after(hours=1))

    postings = list(accounts.happened([a_move("active", "completed", at=after(hours=2))]))

    assert _seconds(postings) == {"useful": 7200, "trial": 7200}


def test_what_an_earlier_process_judged_stays_judged() -> None:
    accounts = Accounts()
    started = NOW - timedelta(minutes=10)
    live = a_trial(3, gpus=Fraction(1), running_since=started, first_running_at=started)
    accounts.begin([TrialView(trial=live, objective=a_best().objective)], after(hours=1))

    postings = list(accounts.signed(3, after(seconds=30)))

    assert _seconds(postings) == {"useful": 30}


def test_idle_time_is_what_passed_with_slots_free() -> None:
    accounts = Accounts()

    first = accounts.idled(a_tick(a_trial(0), active_limit=3))
    second = accounts.idled(a_tick(*map(a_trial, range(3)), active_limit=3, at=after(seconds=10)))
    third = accounts.idled(a_tick(active_limit=3, at=after(seconds=30)))

    assert (first, second, third) == (0, 20, 0)


def test_a_clock_set_back_makes_no_idle_time() -> None:
    accounts = Accounts()
    accounts.idled(a_tick())

    assert accounts.idled(a_tick(at=NOW - timedelta(hours=1))) == 0


@pytest.mark.parametrize(
    ("fields", "idle"),
    [
        ({}, 2),
        ({"sweep": a_sweep(state=SweepState.PAUSED)}, 0),
        ({"sweep": a_sweep(state=SweepState.STOPPED)}, 0),
        ({"totals": Totals(next_number=10)}, 0),
        ({"sweep": a_sweep(planned=None)}, 2),
        ({"pending_limit": 2}, 1),
        ({"gpu_limit": 2.0}, 1),
        ({"gpu_limit": 1.5}, 0),
        ({"active_limit": 1}, 0),
    ],
)
def test_a_slot_is_idle_where_a_trial_could_take_it(fields: dict[str, Any], idle: int) -> None:
    live = (
        a_trial(0, gpus=Fraction(1, 2)),
        a_trial(1, gpus=Fraction(1), phase=Phase.PENDING),
    )

    assert idle_slots(a_tick(*live, **fields)) == idle


def test_a_trial_between_two_attempts_waits_for_a_slot() -> None:
    between = a_trial(0, state=TrialState.INTERRUPTED, ended_at=NOW, running_since=None)

    assert idle_slots(a_tick(between, totals=Totals(next_number=10))) == 4
