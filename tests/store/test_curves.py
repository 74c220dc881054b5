from collections.abc import Sequence
from dataclasses import replace

import pytest

from sweeper.domain.record import ObjectiveValue, Report
from sweeper.domain.sweep import Goal
from sweeper.ports import Store
from tests.store.builders import NOW, a_report, a_sweep, a_trial, at
from tests.store.conftest import Opening


async def _objective(store: Store, number: int = 0) -> ObjectiveValue | None:
    view = await store.trial(number)
    assert view is not None
    return view.objective


async def test_every_field_of_a_report_outlives_the_process(opening: Opening) -> None:
    given = Report(trial=0, key="k", at=at(1), values={"loss": 0.1 + 0.2, "acc": 1.0}, step=-7)
    async with opening() as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial()])
        await store.add_reports([given])

    async with opening() as store:
        found = await store.curve(0)

    assert list(found) == [given]


async def test_a_curve_keeps_the_order_of_writing(store: Store) -> None:
    await store.commit([a_trial(0), a_trial(1)])
    await store.add_reports([a_report(3.0, seconds=9), a_report(9.9, trial=1)])
    await store.add_reports([a_report(1.0, seconds=1), a_report(2.0, seconds=5)])

    curve = await store.curve(0)

    assert [report.values["loss"] for report in curve] == [3.0, 1.0, 2.0]


async def test_a_report_that_arrives_twice_counts_once(store: Store) -> None:
    await store.commit([a_trial(0), a_trial(1)])
    first = a_report(1.0, key="a")

    counts = [
        await store.add_reports([first, first]),
        await store.add_reports([first, a_report(0.1, key="a"), a_report(1.0, key="b")]),
        await store.add_reports([a_report(1.0, trial=1, key="a")]),
    ]

    assert counts == [1, 1, 1]
    assert [report.key for report in await store.curve(0)] == ["a", "b"]
    found = await _objective(store)
    assert found is not None
    assert (found.best, found.last, found.reports, found.updated_at) == (1.0, 1.0, 2, NOW)


@pytest.mark.parametrize("number", [1, -1, 2**80], ids=["no row", "negative", "wide"])
async def test_a_report_of_an_unknown_trial_is_left_out(store: Store, number: int) -> None:
    await store.commit([a_trial(0)])

    added = await store.add_reports([a_report(0.5, trial=number), a_report(0.7)])

    assert added == 1
    assert list(await store.curve(number)) == []


async def test_no_reports_are_no_trouble(store_without_sweep: Store) -> None:
    assert await store_without_sweep.add_reports([]) == 0
    assert await store_without_sweep.add_reports([a_report(1.0)]) == 0


@pytest.mark.parametrize(
    ("goal", "best"), [(Goal.MINIMIZE, 1.0), (Goal.MAXIMIZE, 4.0)], ids=["minimize", "maximize"]
)
async def test_the_objective_is_the_best_the_newest_and_their_count(
    store: Store, goal: Goal, best: float
) -> None:
    await store.save_sweep(a_sweep(goal=goal))
    await store.commit([a_trial()])
    await store.add_reports([a_report(2.0, seconds=1), a_report(1.0, seconds=2)])
    await store.add_reports([a_report(4.0, seconds=3), a_report(3.0, seconds=4)])

    found = await _objective(store)

    assert found is not None
    assert (found.best, found.last, found.reports, found.updated_at) == (best, 3.0, 4, at(4))


async def test_a_report_found_late_does_not_pass_for_the_newest(store: Store) -> None:
    await store.commit([a_trial()])
    await store.add_reports([a_report(2.0, seconds=9)])

    await store.add_reports([a_report(1.0, seconds=3)])

    found = await _objective(store)
    assert found is not None
    assert (found.best, found.last, found.reports, found.updated_at) == (1.0, 2.0, 2, at(9))


async def test_of_two_reports_at_once_the_later_written_is_the_newest(store: Store) -> None:
    await store.commit([a_trial()])

    await store.add_reports([a_report(1.0, key="a"), a_report(2.0, key="b")])

    found = await _objective(store)
    assert found is not None
    assert found.last == 2.0


async def test_a_report_without_the_objective_judges_nothing(store: Store) -> None:
    await store.commit([a_trial()])

    added = await store.add_reports([Report(trial=0, key="k", at=NOW, values={"acc": 1.0})])

    assert added == 1
    assert await _objective(store) is None


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), 10**400],
    ids=["nan", "inf", "-inf", "wide"],
)
async def test_what_is_not_finite_is_left_out_of_a_report(store: Store, value: float) -> None:
    await store.commit([a_trial()])
    given = Report(trial=0, key="k", at=NOW, values={"loss": value, "acc": 0.5})

    added = await store.add_reports([given])

    assert added == 1
    assert list(await store.curve(0)) == [replace(given, values={"acc": 0.5})]
    assert await _objective(store) is None


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1], ids=["above", "below"])
async def test_a_step_past_64_bits_is_none(store: Store, step: int) -> None:
    await store.commit([a_trial()])

    await store.add_reports([replace(a_report(1.0), step=step)])

    assert [report.step for report in await store.curve(0)] == [None]


async def test_a_hostile_key_or_name_is_no_obstacle(store: Store) -> None:
    await store.commit([a_trial()])
    given = Report(trial=0, key="\ud800'; --\x00", at=NOW, values={"\udfff": 1.0, "": 2.0})

    counts = [await store.add_reports([given]) for _ in range(2)]

    assert counts == [1, 0]
    assert [dict(report.values) for report in await store.curve(0)] == [{"\udfff": 1.0, "": 2.0}]


async def test_many_reports_of_many_trials_are_written_at_once(store: Store) -> None:
    await store.commit([a_trial(number) for number in range(600)])
    given: Sequence[Report] = [
        a_report(float(place), trial=place % 600, seconds=place) for place in range(1200)
    ]

    added = await store.add_reports(given)

    assert added == 1200
    found = await _objective(store, 7)
    assert found is not None
    assert (found.best, found.last, found.reports, found.updated_at) == (7.0, 607.0, 2, at(607))
