from sweeper.domain.record import Totals
from sweeper.domain.trial import TrialState
from tests.support.builders import a_sweep


def test_a_prefix_lists_exactly_one_sweep() -> None:
    prefix = a_sweep(slug="tune", id="aaaaaaaaaa").workload_prefix

    assert prefix == "tune-aaaaaaaaaa-"
    assert not a_sweep(slug="tune-more", id="aaaaaaaaaa").workload_prefix.startswith(prefix)


def test_totals_count_states_that_are_absent_as_none() -> None:
    totals = Totals(states={TrialState.FAILED: 2, TrialState.HELD: 1})

    assert totals.count(TrialState.FAILED, TrialState.HELD, TrialState.PRUNED) == 3
    assert totals.count() == 0
