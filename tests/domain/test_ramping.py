from collections.abc import Sequence

import pytest

from sweeper.domain.actions import Submit
from sweeper.domain.phase import Phase
from sweeper.domain.planning import plan
from sweeper.domain.ramping import proven, room_on_ramp
from sweeper.domain.record import Totals
from sweeper.domain.sweep import LimitsSpec
from sweeper.domain.trial import Trial, TrialState
from tests.support.builders import NOW, a_draft, a_snapshot, a_spec, a_sweep, a_trial, after


def waiting(number: int) -> Trial:
    return a_trial(number, phase=Phase.PENDING)


def unanswered(number: int) -> Trial:
    return a_trial(number, state=TrialState.SUBMITTING, workload_id=None)


def created(number: int) -> Trial:
    return a_trial(number, phase=Phase.CREATING)


def held(number: int) -> Trial:
    return a_trial(number, state=TrialState.HELD, workload_id=None)


@pytest.mark.parametrize(
    ("live", "room"),
    [
        pytest.param([], 1, id="the first"),
        pytest.param([unanswered(0)], 0, id="the first is open"),
        pytest.param([created(0)], 0, id="the first is answered, and not seen yet"),
        pytest.param([waiting(0)], 5, id="the first is taken in"),
        pytest.param([waiting(0), created(1), unanswered(2)], 3, id="some of five are open"),
        pytest.param([*map(waiting, range(5))], 5, id="five are taken in"),
        pytest.param([*map(waiting, range(6))], 50, id="six are taken in"),
        pytest.param([held(0)], 1, id="one waits for a person"),
        pytest.param([a_trial(0, phase=Phase.FAILED, ended_at=NOW)], 1, id="the first is over"),
    ],
)
def test_few_creates_are_open_until_one_runs(live: Sequence[Trial], room: int) -> None:
    assert room_on_ramp(a_sweep(), live) == room


def test_a_sweep_that_ran_has_no_bound() -> None:
    assert room_on_ramp(a_sweep(first_running_at=NOW), [unanswered(0)]) is None


def test_a_training_seen_at_work_proves_the_template() -> None:
    live = [waiting(0), a_trial(1, first_running_at=after(seconds=9)), a_trial(2)]

    assert proven(a_sweep(), live, Totals(), after(hours=1)).first_running_at == NOW


@pytest.mark.parametrize("state", [TrialState.COMPLETED, TrialState.PRUNED])
def test_a_trial_that_ended_well_proves_it_too(state: TrialState) -> None:
    assert proven(a_sweep(), [], Totals(states={state: 1}), NOW).first_running_at == NOW


@pytest.mark.parametrize("state", [TrialState.FAILED, TrialState.CANCELLED])
def test_nothing_else_proves_anything(state: TrialState) -> None:
    sweep = a_sweep()

    assert proven(sweep, [waiting(0)], Totals(states={state: 7}), NOW) is sweep


def test_what_is_proven_stays_so() -> None:
    sweep = a_sweep(first_running_at=NOW)

    assert proven(sweep, [a_trial(first_running_at=after(seconds=-1))], Totals(), NOW) is sweep


@pytest.mark.parametrize(("ramps", "creates"), [(True, 1), (False, 8)])
def test_a_plan_climbs_only_where_it_is_asked_to(ramps: bool, creates: int) -> None:
    snapshot = a_snapshot(spec=a_spec(limits=LimitsSpec(active=8)), ramps=ramps)

    actions = plan(snapshot, a_draft, NOW)

    assert [type(action) for action in actions] == [Submit] * creates
