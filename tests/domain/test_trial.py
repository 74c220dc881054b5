from itertools import product

import pytest

from sweeper.domain.trial import TERMINAL_STATES, TRANSITIONS, TrialState
from sweeper.errors import InvalidTransitionError
from tests.support.builders import NOW, a_submission, a_trial, after

PAIRS = [(one, other) for one, other in product(TrialState, TrialState) if one is not other]


def test_every_state_has_a_row_of_transitions() -> None:
    assert set(TRANSITIONS) == set(TrialState)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
def test_nothing_follows_a_terminal_state(state: TrialState) -> None:
    assert state.is_terminal
    assert TRANSITIONS[state] == frozenset()


def test_nothing_becomes_waiting_again() -> None:
    assert all(TrialState.WAITING not in row for row in TRANSITIONS.values())


@pytest.mark.parametrize(("origin", "state"), PAIRS)
def test_a_trial_enters_only_what_its_state_leads_to(origin: TrialState, state: TrialState) -> None:
    trial = a_trial(state=origin)

    if state in TRANSITIONS[origin]:
        assert trial.enter(state, NOW).state is state
    else:
        with pytest.raises(InvalidTransitionError, match=f"{origin} cannot become {state}"):
            trial.enter(state, NOW)


def test_entering_a_state_notes_since_when_and_why() -> None:
    trial = a_trial().enter(TrialState.HELD, after(seconds=9), "why")

    assert (trial.state_since, trial.reason, trial.ended_at) == (after(seconds=9), "why", None)


def test_entering_a_terminal_state_ends_the_trial() -> None:
    assert a_trial().enter(TrialState.FAILED, after(seconds=9)).ended_at == after(seconds=9)


def test_entering_the_present_state_changes_only_the_reason() -> None:
    trial = a_trial(state=TrialState.HELD)

    assert trial.enter(TrialState.HELD, after(seconds=9)) is trial
    again = trial.enter(TrialState.HELD, after(seconds=9), "another")
    assert (again.state_since, again.reason) == (NOW, "another")


@pytest.mark.parametrize(("ended_at", "holds"), [(None, True), (NOW, False)])
def test_a_trial_holds_its_slot_until_its_training_ended(ended_at: None, holds: bool) -> None:
    trial = a_trial(submission=a_submission(ended_at=ended_at))

    assert trial.holds_slot is holds


def test_a_training_is_at_work_while_a_stretch_of_it_is_open() -> None:
    assert a_submission().is_at_work
    assert not a_submission(running_since=None).is_at_work
