import pytest

from sweeper.domain.record import ObjectiveValue, TrialView
from sweeper.domain.result import Outcome, result_of
from sweeper.domain.trial import TrialState
from tests.support.builders import NOW, a_trial

ENDS = {
    TrialState.COMPLETED: Outcome.COMPLETED,
    TrialState.PRUNED: Outcome.PRUNED,
    TrialState.FAILED: Outcome.FAILED,
    TrialState.CANCELLED: Outcome.FAILED,
}


def a_view(state: TrialState, best: float | None = None, reports: int = 1) -> TrialView:
    value = (
        None
        if best is None
        else ObjectiveValue(best=best, last=best, reports=reports, updated_at=NOW)
    )
    return TrialView(trial=a_trial(4, state=state), objective=value)


@pytest.mark.parametrize("state", [state for state in TrialState if state not in ENDS])
def test_a_trial_that_has_not_ended_is_running_whatever_it_reported(state: TrialState) -> None:
    result = result_of(4, [a_view(state, 0.5)])

    assert (result.outcome, result.value, result.reports) == (Outcome.RUNNING, None, 0)


@pytest.mark.parametrize("state", ENDS)
def test_an_end_is_told_with_the_best_value(state: TrialState) -> None:
    result = result_of(4, [a_view(state, 0.5, 7)])

    is_failed = ENDS[state] is Outcome.FAILED
    assert result.outcome is ENDS[state]
    assert (result.value, result.reports) == ((None, 0) if is_failed else (0.5, 7))
    assert result.params == a_trial(4).params


@pytest.mark.parametrize("state", ENDS)
def test_an_end_without_a_value_says_nothing_of_the_objective(state: TrialState) -> None:
    assert result_of(4, [a_view(state)]).outcome is Outcome.FAILED


DONE = TrialState.COMPLETED


@pytest.mark.parametrize(
    ("views", "outcome", "value"),
    [
        ([a_view(DONE, 1.0), a_view(DONE, 2.0)], Outcome.RUNNING, None),
        ([a_view(DONE, 1.0), a_view(DONE, 2.0), a_view(DONE, 6.0)], Outcome.COMPLETED, 3.0),
        (
            [a_view(DONE, 1.0), a_view(TrialState.FAILED, 9.0), a_view(DONE, 2.0)],
            Outcome.COMPLETED,
            1.5,
        ),
        ([a_view(TrialState.PRUNED, 4.0), a_view(DONE, 2.0), a_view(DONE)], Outcome.COMPLETED, 2.0),
        ([a_view(TrialState.PRUNED, 4.0)] * 3, Outcome.PRUNED, 4.0),
        ([a_view(TrialState.FAILED)] * 3, Outcome.FAILED, None),
    ],
)
def test_repeats_of_a_point_are_one_result(
    views: list[TrialView], outcome: Outcome, value: float | None
) -> None:
    result = result_of(1, views, repeats=3)

    assert (result.number, result.outcome, result.value) == (1, outcome, value)
