from dataclasses import replace

import pytest

from sweeper.domain.actions import Delete, LookUp, Submit, Suspend
from sweeper.domain.leaving import OnExit, as_left, not_left_yet
from sweeper.domain.phase import Phase
from sweeper.domain.planning import plan
from sweeper.domain.record import SweepState
from sweeper.domain.trial import Trial, TrialState
from tests.support.builders import NOW, a_draft, a_snapshot, a_sweep, a_trial, after

AT_WORK = a_trial(0)
STOPPED = a_trial(1, state=TrialState.INTERRUPTED, phase=Phase.STOPPED, suspend_sent_at=NOW)
LEFT_OPEN = a_trial(2, state=TrialState.SUBMITTING, workload_id=None)
NEVER_SENT = a_trial(3, state=TrialState.SUBMITTING, workload_id=None, sent_at=None)
HELD = a_trial(4, state=TrialState.HELD)
BETWEEN_ATTEMPTS = replace(
    a_trial(5, state=TrialState.INTERRUPTED, phase=Phase.FAILED, ended_at=NOW), retry_at=NOW
)
ALL = (AT_WORK, STOPPED, LEFT_OPEN, NEVER_SENT, HELD, BETWEEN_ATTEMPTS)


def planned(on_exit: OnExit, *live: Trial, seconds: float = 5) -> list[tuple[type, int]]:
    """Return what a daemon that leaves does, and for which trial."""
    snapshot = a_snapshot(
        *live, on_exit=on_exit, creates_open=on_exit is OnExit.LEAVE, next_number=10
    )
    actions = plan(snapshot, a_draft, after(seconds=seconds))
    return [(type(action), action.trial.number) for action in actions]


def numbers(*trials: Trial) -> list[int]:
    return [trial.number for trial in trials]


def test_trainings_that_are_left_alone_are_not_waited_for() -> None:
    assert not_left_yet(ALL, OnExit.LEAVE) == ()


def test_suspending_waits_until_every_training_is_stopped_or_known_not_to_be() -> None:
    assert not_left_yet(ALL, OnExit.SUSPEND) == [AT_WORK, LEFT_OPEN]


def test_cancelling_waits_until_no_trial_but_held_ones_has_a_training() -> None:
    left = not_left_yet(ALL, OnExit.CANCEL)

    assert numbers(*left) == numbers(AT_WORK, STOPPED, LEFT_OPEN, NEVER_SENT)


def test_suspending_suspends_what_is_at_work_and_looks_for_what_is_open() -> None:
    acts = planned(OnExit.SUSPEND, *ALL)

    assert sorted(acts, key=lambda act: act[1]) == [(Suspend, 0), (LookUp, 2)]


def test_cancelling_gives_up_what_has_a_training_and_keeps_the_rest() -> None:
    acts = planned(OnExit.CANCEL, AT_WORK, STOPPED, HELD, BETWEEN_ATTEMPTS)

    assert acts == [(Delete, 0), (Delete, 1)]


def test_the_sweep_keeps_its_own_state_so_that_the_next_daemon_goes_on() -> None:
    resumed = [kind.__name__ for kind, _ in planned(OnExit.LEAVE, STOPPED)]

    assert resumed == ["Resume"]


def test_a_trial_between_attempts_is_tried_again_by_the_next_daemon() -> None:
    assert planned(OnExit.LEAVE, BETWEEN_ATTEMPTS) == [(Submit, 5)]


@pytest.mark.parametrize("on_exit", OnExit)
@pytest.mark.parametrize(
    "state", [SweepState.CANCELLING, SweepState.CANCELLED, SweepState.FINISHED]
)
def test_a_sweep_that_is_over_or_given_up_stays_so(on_exit: OnExit, state: SweepState) -> None:
    sweep = a_sweep(state=state)

    assert as_left(sweep, AT_WORK, on_exit) is sweep


@pytest.mark.parametrize("state", [SweepState.OPEN, SweepState.PAUSED, SweepState.STOPPED])
@pytest.mark.parametrize(("on_exit", "act"), [(OnExit.SUSPEND, Suspend), (OnExit.CANCEL, Delete)])
def test_what_is_active_is_left_so_whether_or_not_new_trials_may_start(
    state: SweepState, on_exit: OnExit, act: type
) -> None:
    snapshot = a_snapshot(AT_WORK, sweep=a_sweep(state=state), on_exit=on_exit, creates_open=False)

    (action,) = plan(snapshot, a_draft, after(seconds=5))

    assert isinstance(action, act)


def test_trainings_that_a_person_suspended_may_be_cancelled_on_exit() -> None:
    sweep = a_sweep(state=SweepState.SUSPENDED)
    snapshot = a_snapshot(STOPPED, sweep=sweep, on_exit=OnExit.CANCEL, creates_open=False)

    (action,) = plan(snapshot, a_draft, after(seconds=5))

    assert isinstance(action, Delete)


def test_a_sweep_that_is_frozen_suspends_nothing_and_deletes_what_it_was_told_to() -> None:
    frozen = a_sweep(frozen="many are missing")
    acts = {
        on_exit: [
            type(action)
            for action in plan(
                a_snapshot(AT_WORK, sweep=frozen, on_exit=on_exit, creates_open=False),
                a_draft,
                after(seconds=5),
            )
        ]
        for on_exit in OnExit
    }

    assert acts == {OnExit.LEAVE: [], OnExit.SUSPEND: [], OnExit.CANCEL: [Delete]}
