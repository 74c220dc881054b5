from sweeper.domain.record import Totals, TrialView
from sweeper.domain.trial import TrialState
from sweeper.telemetry.phrases import (
    phrase_best,
    phrase_count,
    phrase_name,
    phrase_totals,
)
from tests.support.builders import a_sweep, a_trial
from tests.telemetry.builders import a_best


def test_a_count_beyond_reason_is_named_so() -> None:
    assert phrase_count(10**9) == "1000000000"
    assert phrase_count(10**5_000) == "over 10^15"


def test_a_name_is_cut_to_a_line() -> None:
    assert phrase_name("a\x1b[2Jb") == r"a\x1b[2Jb"
    assert len(phrase_name("x" * 500)) == 60


def test_the_best_trial_is_told_with_its_value() -> None:
    sweep = a_sweep(objective="loss")

    assert phrase_best(sweep, a_best(0.123456789, 4)) == "best loss 0.123457 (trial 4)"


def test_without_an_objective_there_is_no_best() -> None:
    silent = TrialView(trial=a_trial(), objective=None)

    assert phrase_best(a_sweep(), None) == ""
    assert phrase_best(a_sweep(), silent) == ""


def test_only_states_that_occur_are_counted() -> None:
    totals = Totals(states={TrialState.COMPLETED: 3, TrialState.FAILED: 1}, next_number=4)
    states = (TrialState.COMPLETED, TrialState.HELD, TrialState.WAITING)

    assert phrase_totals(totals, 10, states) == "3 completed, 6 waiting"
    assert phrase_totals(totals, None, states) == "3 completed"
