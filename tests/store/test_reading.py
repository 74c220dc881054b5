from collections.abc import Sequence
from dataclasses import replace

import pytest

from sweeper.domain.record import ObjectiveValue, Standing, Wish, WishKind
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TERMINAL_STATES, TrialState
from sweeper.ports import Store
from tests.store.builders import NOW, a_report, a_submission, a_sweep, a_trial, at, intents

_WIDE = 2**80


async def _numbers(
    store: Store,
    states: Sequence[TrialState] | None = None,
    after: int = -1,
    limit: int = 500,
) -> list[int]:
    page = await store.trials(states=states, after=after, limit=limit)
    return [view.trial.number for view in page]


async def test_a_store_without_a_sweep_has_nothing_to_tell(store_without_sweep: Store) -> None:
    store = store_without_sweep

    assert await store.load_sweep() is None
    assert list(await store.live_trials()) == []
    assert (await store.totals()).next_number == 0
    assert await store.standing(NOW) is None
    assert list(await store.best_trials(1)) == []
    assert list(await store.wishes()) == []


async def test_every_state_but_the_terminal_ones_is_live(store: Store) -> None:
    trials = [a_trial(number, state=state) for number, state in enumerate(TrialState)]
    await store.commit(list(reversed(trials)))

    live = await store.live_trials()

    assert [trial.state for trial in live] == [
        state for state in TrialState if state not in TERMINAL_STATES
    ]


async def test_a_live_trial_comes_with_its_newest_attempt(store: Store) -> None:
    (trial,) = await store.commit([a_trial(submission=a_submission(1, ended_at=at(1)))])
    await store.commit([replace(trial, submission=a_submission(2))])

    (live,) = await store.live_trials()

    assert live.submission == a_submission(2)


async def test_trials_come_in_pages_by_number(store: Store) -> None:
    await store.commit([a_trial(number) for number in (4, 2, 0, 3, 1)])

    assert await _numbers(store, limit=2) == [0, 1]
    assert await _numbers(store, after=1, limit=2) == [2, 3]
    assert await _numbers(store, after=3) == [4]
    assert await _numbers(store, after=4) == []


async def test_a_page_may_be_of_some_states_only(store: Store) -> None:
    states = [TrialState.FAILED, TrialState.ACTIVE, TrialState.HELD, TrialState.FAILED]
    await store.commit([a_trial(number, state=state) for number, state in enumerate(states)])
    wanted = [TrialState.HELD, TrialState.FAILED, TrialState.HELD]

    assert await _numbers(store, wanted) == [0, 2, 3]
    assert await _numbers(store, wanted, limit=2) == [0, 2]
    assert await _numbers(store, wanted, after=0, limit=1) == [2]
    assert await _numbers(store, [TrialState.PRUNED]) == []
    assert await _numbers(store, []) == []


@pytest.mark.parametrize("limit", [0, -1, -_WIDE], ids=["none", "negative", "very negative"])
async def test_a_page_of_no_length_is_empty(store: Store, limit: int) -> None:
    await store.commit([a_trial()])
    await store.add_reports([a_report(1.0)])

    assert await _numbers(store, limit=limit) == []
    assert await _numbers(store, [TrialState.ACTIVE], limit=limit) == []
    assert list(await store.events(limit=limit)) == []
    assert list(await store.best_trials(limit)) == []


@pytest.mark.parametrize("number", [-1, 1, _WIDE, -_WIDE], ids=str)
async def test_a_number_without_a_row_is_no_trial(store: Store, number: int) -> None:
    await store.commit([a_trial(0)])

    assert await store.trial(number) is None
    assert list(await store.submissions(number)) == []
    assert list(await store.curve(number)) == []
    assert list(await store.events(trial=number)) == []


async def test_bounds_past_64_bits_are_bounds_all_the_same(store: Store) -> None:
    await store.commit([a_trial(0)])

    assert await _numbers(store, after=_WIDE) == []
    assert await _numbers(store, after=-_WIDE, limit=_WIDE) == [0]
    assert list(await store.events(after=_WIDE)) == []


async def test_intents_are_counted_from_a_moment_on_over_all_attempts(store: Store) -> None:
    (trial,) = await store.commit([a_trial(submission=a_submission(intent_at=at(0)))])
    await store.commit([replace(trial, submission=a_submission(2, intent_at=at(10)))])
    await store.commit([a_trial(1, submission=a_submission(intent_at=at(5)))])

    counts = [await intents(store, at(seconds)) for seconds in (0, 5, 5.000001, 11)]

    assert counts == [3, 2, 1, 0]


async def test_a_tick_starts_from_what_each_question_answers_alone(store: Store) -> None:
    states = [TrialState.ACTIVE, TrialState.COMPLETED, TrialState.HELD]
    await store.commit([a_trial(number, state=state) for number, state in enumerate(states)])
    await store.add_reports([a_report(0.5), a_report(0.25, trial=1)])
    await store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))

    standing = await store.standing(NOW)

    assert standing is not None
    assert standing.sweep == await store.load_sweep()
    assert standing == Standing(
        sweep=standing.sweep,
        live=tuple(await store.live_trials()),
        totals=await store.totals(),
        submitted=3,
        best=(await store.best_trials(1))[0],
        wishes=tuple(await store.wishes()),
    )


async def test_intents_ahead_of_a_clock_that_was_set_back_count_as_of_now(store: Store) -> None:
    ahead = a_submission(intent_at=at(3600), ended_at=at(3700))
    await store.commit([a_trial(0, submission=ahead), a_trial(1)])

    await store.rebase_intents(at(10))

    assert await intents(store, at(10)) == 1
    assert await intents(store, at(10.000001)) == 0
    (attempt,) = await store.submissions(0)
    assert attempt == replace(ahead, intent_at=at(10))


@pytest.mark.parametrize(
    ("goal", "expected"),
    [(Goal.MINIMIZE, [2, 0, 3]), (Goal.MAXIMIZE, [4, 1, 0])],
    ids=["minimize", "maximize"],
)
async def test_the_best_trials_come_best_first_and_lower_number_first(
    store: Store, goal: Goal, expected: list[int]
) -> None:
    await store.save_sweep(a_sweep(goal=goal))
    await store.commit([a_trial(number) for number in range(6)])
    losses = enumerate([0.5, 0.7, -0.1, 0.5, 0.9])
    await store.add_reports([a_report(loss, trial=number) for number, loss in losses])

    best = await store.best_trials(3)

    assert [view.trial.number for view in best] == expected


async def test_trials_in_every_state_are_judged(store: Store) -> None:
    await store.commit([a_trial(0, state=TrialState.FAILED), a_trial(1)])
    await store.add_reports([a_report(0.1, trial=0), a_report(0.2, trial=1)])

    (best,) = await store.best_trials(1)

    assert best.trial.state is TrialState.FAILED
    assert best.objective == ObjectiveValue(
        best=0.1, last=0.1, reports=1, updated_at=NOW, iterations=1, best_at=1
    )


async def test_a_sweep_without_an_objective_has_no_best_trial(store: Store) -> None:
    await store.save_sweep(a_sweep(objective=None, goal=None))
    await store.commit([a_trial()])
    await store.add_reports([a_report(0.1)])

    assert list(await store.best_trials(5)) == []
    assert len(await store.curve(0)) == 1
