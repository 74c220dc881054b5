from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.enqueuing import first_place, planned_with
from sweeper.domain.expansion import Expansion
from sweeper.domain.record import SweepRecord, SweepState, Wish, WishKind
from sweeper.domain.reviewing import with_point
from sweeper.domain.sweep import Method, Order, SweepSpec
from sweeper.domain.values import Params
from tests.domain.spaces import space_of
from tests.support.builders import NOW, a_spec, a_sweep

_SPECS = st.builds(
    lambda method, repeats, run_cap, order, points: a_spec(
        method=method,
        space=space_of({"a": {"values": [1, 2, 3]}, "b": {"values": [4, 5]}}),
        repeats=repeats,
        run_cap=run_cap,
        order=order,
        points=tuple({"a": 70 + place, "b": 0} for place in range(points)),
    ),
    st.sampled_from([Method.GRID, Method.RANDOM]),
    st.integers(1, 3),
    st.none() | st.integers(1, 12),
    st.sampled_from(Order),
    st.integers(0, 2),
)


def a_point(number: int) -> Wish:
    return Wish(kind=WishKind.ENQUEUE, at=NOW, number=number, params={"a": 100 + number, "b": 0})


def enqueued(spec: SweepSpec, sweep: SweepRecord, wish: Wish, rows: int) -> SweepRecord:
    """Return the sweep as the daemon makes it when trials below `rows` have rows."""
    taken = {point.number for point in sweep.enqueued}
    number = first_place(rows, spec.repeats)
    while number in taken:
        number += spec.repeats
    return with_point(sweep, wish, number, spec.repeats)


def expanded(spec: SweepSpec, sweep: SweepRecord) -> Expansion:
    expansion = Expansion(spec)
    expansion.extend(sweep.enqueued)
    return expansion


def _drawn(spec: SweepSpec, sweep: SweepRecord) -> list[Params]:
    expansion = expanded(spec, sweep)
    assert expansion.planned == sweep.planned
    return [expansion.params(number) for number in range(sweep.planned or 100)]


@given(spec=_SPECS, steps=st.lists(st.integers(0, 6), max_size=8))
def test_no_trial_that_has_a_row_ever_gets_other_params(spec: SweepSpec, steps: list[int]) -> None:
    sweep = replace(a_sweep(), planned=Expansion(spec).planned)
    rows: list[Params] = []
    for number, step in enumerate(steps, start=1):
        known = _drawn(spec, sweep)
        rows = known[: len(rows) + step]
        sweep = enqueued(spec, sweep, a_point(number), len(rows))
        assert _drawn(spec, sweep)[: len(rows)] == rows


@given(spec=_SPECS, steps=st.lists(st.integers(0, 6), max_size=8))
def test_every_point_of_a_bounded_sweep_is_still_tried_and_so_is_what_was_enqueued(
    spec: SweepSpec, steps: list[int]
) -> None:
    first = Expansion(spec).planned
    sweep = replace(a_sweep(), planned=first)
    rows = 0
    for number, step in enumerate(steps, start=1):
        rows = rows + step if sweep.planned is None else min(rows + step, sweep.planned)
        sweep = enqueued(spec, sweep, a_point(number), rows)

    found = _drawn(spec, sweep)
    for number in range(1, len(steps) + 1):
        assert found.count({"a": 100 + number, "b": 0}) == spec.repeats
    if first is not None:
        expansion = Expansion(spec)
        left = [*found]
        for number in range(first):
            left.remove(expansion.params(number))


@given(spec=_SPECS, steps=st.lists(st.integers(0, 6), max_size=8))
def test_trials_of_one_point_stay_together(spec: SweepSpec, steps: list[int]) -> None:
    sweep, rows = replace(a_sweep(), planned=Expansion(spec).planned), 0
    for number, step in enumerate(steps, start=1):
        rows = rows + step if sweep.planned is None else min(rows + step, sweep.planned)
        sweep = enqueued(spec, sweep, a_point(number), rows)

    found = _drawn(spec, sweep)
    for start in range(0, len(found) - spec.repeats + 1, spec.repeats):
        assert all(one == found[start] for one in found[start : start + spec.repeats])


def test_a_wish_that_is_granted_twice_adds_one_point() -> None:
    once = with_point(a_sweep(planned=4), a_point(1), 2, 1)

    assert with_point(once, a_point(1), 3, 1) is once


@pytest.mark.parametrize("state", [SweepState.CANCELLED, SweepState.CANCELLING])
def test_a_sweep_that_is_given_up_takes_no_point(state: SweepState) -> None:
    sweep = a_sweep(state=state)

    assert with_point(sweep, a_point(1), 2, 1) is sweep


def test_the_last_point_that_a_cap_cut_short_gets_the_rest_of_its_repeats() -> None:
    sweep = with_point(a_sweep(planned=7), a_point(1), 9, 3)

    assert (sweep.planned, sweep.enqueued[0].tail) == (12, None)
    assert planned_with(7, sweep.enqueued, 3) == 12


def test_an_unbounded_sweep_stays_so_and_draws_another_in_the_place() -> None:
    sweep = with_point(a_sweep(planned=None), a_point(1), 2, 1)

    assert (sweep.planned, sweep.enqueued[0].tail) == (None, None)
