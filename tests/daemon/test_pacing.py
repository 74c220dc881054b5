from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sweeper.daemon.pacing import BUSY_WAIT, QUIET_WAIT, next_look
from sweeper.domain.leaving import OnExit
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Snapshot
from sweeper.domain.record import SweepState
from sweeper.domain.trial import Trial, TrialState
from tests.support.builders import NOW, a_snapshot, a_sweep, a_trial, after

FULL = [a_trial(number) for number in range(4)]
PARKED = a_trial(4, state=TrialState.PARKED, phase=Phase.STOPPED, running_since=None)
STOPPED = a_trial(phase=Phase.STOPPED)


def in_state(state: SweepState, *live: Trial, **fields: Any) -> Snapshot:
    return a_snapshot(*live, sweep=a_sweep(state=state), **fields)


@pytest.mark.parametrize(
    ("snapshot", "wait"),
    [
        pytest.param(a_snapshot(*FULL), QUIET_WAIT, id="every slot at work"),
        pytest.param(a_snapshot(*FULL[:3]), BUSY_WAIT, id="a slot is idle"),
        pytest.param(a_snapshot(*FULL, PARKED), QUIET_WAIT, id="one is parked"),
        pytest.param(a_snapshot(*FULL[:3], PARKED), BUSY_WAIT, id="a parked one left its slot"),
        pytest.param(a_snapshot(*FULL, planned=4), BUSY_WAIT, id="the end is near"),
        pytest.param(
            a_snapshot(*FULL[:3], a_trial(3, phase=Phase.PENDING)), BUSY_WAIT, id="one is queued"
        ),
        pytest.param(
            a_snapshot(*FULL[:3], a_trial(3, phase=Phase.PENDING, state=TrialState.HELD)),
            QUIET_WAIT,
            id="one is held",
        ),
        pytest.param(
            a_snapshot(*FULL[:3], a_trial(3, delete_sent_at=NOW)), BUSY_WAIT, id="one is deleted"
        ),
        pytest.param(in_state(SweepState.PAUSED, *FULL[:2]), QUIET_WAIT, id="paused"),
        pytest.param(in_state(SweepState.PAUSED, STOPPED), BUSY_WAIT, id="paused, to be resumed"),
        pytest.param(in_state(SweepState.SUSPENDED, STOPPED), QUIET_WAIT, id="suspended"),
        pytest.param(in_state(SweepState.SUSPENDED, *FULL), BUSY_WAIT, id="being suspended"),
        pytest.param(a_snapshot(*FULL, on_exit=OnExit.SUSPEND), BUSY_WAIT, id="being left"),
    ],
)
def test_the_next_look_is_soon_only_while_something_is_under_way(
    snapshot: Snapshot, wait: float
) -> None:
    assert next_look(snapshot, 0, None, NOW) == wait


@pytest.mark.parametrize(("seconds", "wait"), [(4, 4.0), (-4, 0.2), (60, QUIET_WAIT), (0.01, 0.2)])
def test_a_quiet_sweep_is_looked_at_when_a_trial_is_due(seconds: float, wait: float) -> None:
    live = [*FULL[:3], a_trial(3, next_call_at=after(seconds=seconds))]

    assert next_look(a_snapshot(*live), 0, None, NOW) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0, BUSY_WAIT), (4, 4.0), (20, QUIET_WAIT), (None, QUIET_WAIT)]
)
def test_a_quiet_sweep_is_looked_at_when_a_training_is_to_be_read_alone(
    seconds: int | None, wait: float
) -> None:
    due = None if seconds is None else timedelta(seconds=seconds)

    assert next_look(a_snapshot(*FULL), 0, None, NOW, next_read=due) == wait


@pytest.mark.parametrize(("seconds", "wait"), [(40, 40.0), (0, 0.2)])
def test_a_failing_control_plane_is_not_looked_at_before_it_may_be_called(
    seconds: int, wait: float
) -> None:
    assert next_look(a_snapshot(), 3, after(seconds=seconds), NOW) == wait


def test_ticks_go_on_though_a_control_plane_wants_to_be_left_alone_for_long() -> None:
    assert next_look(a_snapshot(), 3, after(seconds=900), NOW) == 60.0


def test_a_trial_between_attempts_is_looked_at_when_its_next_one_is_due() -> None:
    waiting = replace(a_trial(3), retry_at=after(seconds=6))

    assert next_look(a_snapshot(*FULL[:3], waiting), 0, None, NOW) == 6.0
