import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import ObjectiveValue, Report
from sweeper.domain.sweep import Goal
from sweeper.store.judging import folded, rank, storable
from tests.store.builders import NOW, a_report, at

_FINITE = st.floats(allow_nan=False, allow_infinity=False)


def _reached(reports: list[Report], goal: Goal) -> ObjectiveValue | None:
    objective = None
    for report in reports:
        objective = folded(objective, report, "loss", goal)
    return objective


@given(st.lists(st.tuples(_FINITE, st.integers(0, 9)), min_size=1), st.sampled_from(Goal))
def test_best_and_newest_are_over_all_reports(pairs: list[tuple[float, int]], goal: Goal) -> None:
    reports = [a_report(loss, seconds=seconds) for loss, seconds in pairs]

    reached = _reached(reports, goal)

    losses = [loss for loss, _ in pairs]
    newest = max(seconds for _, seconds in pairs)
    assert reached is not None
    assert reached.best == (min(losses) if goal is Goal.MINIMIZE else max(losses))
    assert reached.last == [loss for loss, seconds in pairs if seconds == newest][-1]
    assert reached.reports == reached.iterations == len(pairs)
    assert losses[reached.best_at - 1] == reached.best
    assert reached.updated_at == at(newest)


@pytest.mark.parametrize("name", ["acc", None], ids=["another", "none"])
def test_a_report_without_the_objective_leaves_it_as_it_is(name: str | None) -> None:
    before = ObjectiveValue(best=1.0, last=1.0, reports=1, updated_at=NOW)

    assert folded(before, a_report(0.5), name, Goal.MINIMIZE) is before


@given(_FINITE, _FINITE, st.sampled_from(Goal))
def test_the_better_value_has_the_smaller_rank(one: float, other: float, goal: Goal) -> None:
    is_better = one < other if goal is Goal.MINIMIZE else one > other

    assert (rank(one, goal) < rank(other, goal)) == is_better


def test_without_a_goal_less_is_better() -> None:
    assert rank(1.0, None) < rank(2.0, None)


@given(st.dictionaries(st.text(), st.floats() | st.integers()), st.none() | st.integers())
def test_what_is_left_of_any_report_can_be_kept(values: dict[str, float], step: int | None) -> None:
    kept = storable(Report(trial=0, key="k", at=NOW, values=values, step=step))

    assert all(math.isfinite(value) for value in kept.values.values())
    assert all(kept.values[name] == float(values[name]) for name in kept.values)
    assert kept.step is None or (kept.step == step and step.bit_length() < 64)
