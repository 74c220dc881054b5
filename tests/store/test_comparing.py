from dataclasses import replace
from functools import partial

import pytest

from sweeper.domain.record import RungPlace, SlotGuard
from sweeper.domain.stopping import last_place
from sweeper.domain.sweep import EarlyTerminateSpec, Goal, StoppingRule
from sweeper.domain.trial import Halt, TrialState
from sweeper.errors import LimitExceededError
from sweeper.ports import Store
from tests.store.builders import a_report, a_submission, a_sweep, a_trial, at

_THIRD = partial(last_place, EarlyTerminateSpec(rule=StoppingRule.ASHA))


async def _reported(store: Store, *curves: list[float], goal: Goal = Goal.MINIMIZE) -> None:
    """Begin a trial for each curve in a sweep that compares them at 1, 3 and 9."""
    await store.save_sweep(replace(a_sweep(goal=goal), rungs=(1, 3, 9)))
    await store.commit([a_trial(number) for number in range(len(curves))])
    for number, curve in enumerate(curves):
        await store.add_reports(
            [a_report(value, trial=number, seconds=place) for place, value in enumerate(curve)]
        )


async def test_a_trial_stands_at_the_last_rung_it_got_to(store: Store) -> None:
    await _reported(store, [5.0, 4.0, 3.0, 2.0], [6.0])

    progress = (await store.comparison(_THIRD)).progress

    assert [(progress[n].iterations, progress[n].rung, progress[n].rung_value) for n in (0, 1)] == [
        (4, 3, 3.0),
        (1, 1, 6.0),
    ]
    assert (progress[0].best, progress[0].best_at) == (2.0, 4)


@pytest.mark.parametrize(
    ("goal", "trial", "value"), [(Goal.MINIMIZE, 3, 2.0), (Goal.MAXIMIZE, 2, 6.0)]
)
async def test_the_last_of_the_best_share_is_found(
    store: Store, goal: Goal, trial: int, value: float
) -> None:
    await _reported(store, [5.0], [3.0], [6.0], [2.0], goal=goal)

    assert (await store.comparison(_THIRD)).places == {
        (1, 0): RungPlace(reached=4, trial=trial, value=value)
    }


async def test_settled_trials_count_at_the_rungs_they_got_to(store: Store) -> None:
    await _reported(store, [1.0], [2.0])
    first = await store.trial(0)
    assert first is not None
    await store.commit([first.trial.enter(TrialState.PRUNED, at(9))])

    found = await store.comparison(_THIRD)

    assert found.progress.keys() == {1}
    assert found.places[1, 0] == RungPlace(reached=2, trial=0, value=1.0)


async def test_equal_values_stand_in_order_of_number(store: Store) -> None:
    await _reported(store, [1.0], [1.0], [1.0], [1.0], [1.0], [1.0])

    assert (await store.comparison(_THIRD)).places[1, 0].trial == 1


async def test_each_bracket_is_a_field_of_its_own(store: Store) -> None:
    await _reported(store, [1.0], [2.0], [4.0], [3.0])

    assert (await store.comparison(_THIRD, 2)).places == {
        (1, 0): RungPlace(reached=2, trial=0, value=1.0),
        (1, 1): RungPlace(reached=2, trial=3, value=3.0),
    }


async def test_where_all_go_on_only_their_count_is_told(store: Store) -> None:
    await _reported(store, [1.0])

    assert (await store.comparison(lambda _: None)).places[1, 0] == RungPlace(reached=1)


async def test_a_step_that_is_reported_again_is_no_iteration(store: Store) -> None:
    await _reported(store, [])
    steps = [(0, 5.0), (1, 4.0), (1, 3.5), (0, 3.0), (2, 2.0)]
    await store.add_reports(
        [
            replace(a_report(value, seconds=place), step=step)
            for place, (step, value) in enumerate(steps)
        ]
    )

    reached = (await store.comparison(_THIRD)).progress[0]

    assert (reached.reports, reached.iterations, reached.furthest_step) == (5, 3, 2)
    assert (reached.rung, reached.rung_value) == (3, 2.0)


async def test_what_is_parked_holds_no_slot_and_what_is_promoted_needs_one(store: Store) -> None:
    await store.save_sweep(a_sweep())
    stopped = replace(a_trial(0, submission=a_submission()), halt=Halt.PARK)
    (parked,) = await store.commit([replace(stopped, state=TrialState.PARKED)])
    guard = SlotGuard(active=1)
    await store.commit([a_trial(1)], guard=guard)

    with pytest.raises(LimitExceededError):
        await store.commit([parked.enter(TrialState.RESUMING, at(1))], guard=guard)
