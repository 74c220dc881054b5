from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from sweeper.domain.record import SlotGuard
from sweeper.domain.trial import Submission, Trial, TrialState
from sweeper.domain.values import Params
from sweeper.errors import LimitExceededError, StoreError
from sweeper.ports import Store
from tests.store.builders import (
    NOW,
    a_full_trial,
    a_submission,
    a_sweep,
    a_trial,
    an_event,
    at,
    intents,
)
from tests.store.conftest import Opening


async def _stored(store: Store, number: int = 0) -> Trial:
    view = await store.trial(number)
    assert view is not None
    return view.trial


async def test_every_field_of_a_trial_outlives_the_process(opening: Opening) -> None:
    given = a_full_trial()
    async with opening() as store:
        await store.save_sweep(a_sweep())
        await store.commit([given])

    async with opening() as store:
        found = await _stored(store)

    kept: Params = {"z": 1e-4, "a": (1, 1.0, True, None, "x"), "m": {"nested": {}}, "": ""}
    assert found == replace(given, version=1, params=kept)


async def test_parameters_keep_their_order_and_types(store: Store) -> None:
    given = a_full_trial()

    await store.commit([given])

    params = (await _stored(store)).params
    assert list(params) == list(given.params)
    assert repr(params["a"]) == "(1, 1.0, True, None, 'x')"


async def test_values_read_cannot_be_changed(store: Store) -> None:
    await store.commit([a_trial()])

    params = (await _stored(store)).params

    with pytest.raises(TypeError):
        params["lr"] = 2.0  # type: ignore[index]


async def test_a_value_given_may_change_afterwards_without_harm(store: Store) -> None:
    params = {"lr": 0.1}
    await store.commit([replace(a_trial(), params=params)])

    params["lr"] = 0.2

    assert (await _stored(store)).params == {"lr": 0.1}


async def test_each_write_gives_the_row_its_next_version(store: Store) -> None:
    (first,) = await store.commit([a_trial()])

    (second,) = await store.commit([replace(first, reason="again")])

    assert (first.version, second.version) == (1, 2)
    assert await _stored(store) == replace(second, params={"lr": 0.0, "layers": (64, 32)})


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([a_trial(0, version=0)], id="new, but there is a row"),
        pytest.param([a_trial(0, version=2)], id="of a later version"),
        pytest.param([a_trial(5, version=1)], id="changed, but there is no row"),
        pytest.param([a_trial(5), a_trial(5)], id="new twice"),
        pytest.param([a_trial(0, version=1), a_trial(0, version=1)], id="changed twice"),
    ],
)
async def test_a_write_of_another_version_is_refused_whole(
    store: Store, given: Sequence[Trial]
) -> None:
    await store.commit([a_trial(0)])

    with pytest.raises(StoreError, match=r"trial \d"):
        await store.commit([a_trial(9), *given], [an_event()])

    assert [view.trial.number for view in await store.trials()] == [0]
    assert await store.events() == []


async def test_a_refusal_names_both_versions(store: Store) -> None:
    await store.commit([a_trial(7)])

    with pytest.raises(StoreError, match=r"trial 7 .* version 1, .* version 3"):
        await store.commit([a_trial(7, version=3)])


async def test_no_trial_is_written_before_its_sweep(opening: Opening) -> None:
    async with opening() as store:
        with pytest.raises(StoreError, match="no sweep yet"):
            await store.commit([a_trial()])

        assert await store.trial(0) is None


async def test_a_commit_of_nothing_but_events_writes_them(store: Store) -> None:
    written = await store.commit([], [an_event("absent")])

    assert list(written) == []
    assert [event.outcome for event in await store.events()] == ["absent"]


async def test_a_new_attempt_leaves_the_older_ones_as_they_are(store: Store) -> None:
    old = a_submission(1, ended_at=at(5))
    (trial,) = await store.commit([a_trial(submission=old)])

    await store.commit([replace(trial, submission=a_submission(2, intent_at=at(9)))])

    assert list(await store.submissions(0)) == [old, a_submission(2, intent_at=at(9))]
    assert (await _stored(store)).submission.attempt == 2


async def test_a_change_to_an_attempt_replaces_it(store: Store) -> None:
    (trial,) = await store.commit([a_trial()])
    changed = replace(trial.submission, workload_id="7f8c", ended_at=at(3))

    await store.commit([replace(trial, submission=changed)])

    assert list(await store.submissions(0)) == [changed]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "wide"]
)
async def test_parameters_that_json_cannot_hold_are_refused(store: Store, value: float) -> None:
    trial = replace(a_trial(1), params={"lr": value})

    with pytest.raises(StoreError):
        await store.commit([a_trial(0), trial])

    assert await store.trials() == []


async def test_text_that_no_encoding_can_hold_is_no_obstacle(store: Store) -> None:
    trial = replace(a_trial(), reason="\ud800", params={"name": "\udfff"})

    await store.commit([trial], [replace(an_event(), detail="\ud800")])

    assert (await _stored(store)).params == {"name": "\udfff"}
    assert len(await store.events()) == 1


async def test_totals_follow_every_change_of_state(store: Store) -> None:
    first, second, _ = await store.commit([a_trial(number) for number in range(3)])
    await store.commit([replace(first, state=TrialState.FAILED, version=1)])

    await store.commit(
        [replace(first, state=TrialState.SUBMITTING, version=2), replace(second, reason="same")]
    )

    totals = await store.totals()
    assert totals.count(TrialState.ACTIVE) == 2
    assert totals.count(TrialState.SUBMITTING) == 1
    assert totals.count(TrialState.FAILED) == 0


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        pytest.param([], 0, id="no rows"),
        pytest.param([[0, 1, 2]], 3, id="in order"),
        pytest.param([[2], [0]], 1, id="with a gap"),
        pytest.param([[3, 1], [0], [2]], 4, id="gap closed later"),
        pytest.param([range(1, 1001), [0]], 1001, id="many at once"),
    ],
)
async def test_the_next_number_is_the_first_without_a_row(
    store: Store, batches: Sequence[Sequence[int]], expected: int
) -> None:
    for batch in batches:
        await store.commit([a_trial(number) for number in batch])

    assert (await store.totals()).next_number == expected


async def test_a_large_commit_is_written_whole(store: Store) -> None:
    written = await store.commit([a_trial(number) for number in range(1201)])

    await store.commit([replace(trial, state=TrialState.COMPLETED) for trial in written])

    assert (await store.totals()).states == {TrialState.COMPLETED: 1201}


def _running() -> Submission:
    return a_submission(running_since=at(1))


def _with_gpus(gpus: str) -> Submission:
    return a_submission(gpus=Fraction(gpus))


_FULL = [
    pytest.param(SlotGuard(active=1), _running(), "2 active trainings.* 1", id="active"),
    pytest.param(
        SlotGuard(active=9, pending=1), a_submission(), "2 pending trainings.* 1", id="pending"
    ),
    pytest.param(
        SlotGuard(active=9, gpus=Fraction(1)), _with_gpus("1/3"), "4/3 GPUs.* 1", id="gpus"
    ),
    pytest.param(
        SlotGuard(active=9, submissions=1, since=NOW),
        a_submission(ended_at=at(1)),
        "2 submissions of late.* 1",
        id="submissions",
    ),
    pytest.param(
        SlotGuard(active=9, submissions=1), a_submission(), "2 submissions", id="submissions ever"
    ),
    pytest.param(
        SlotGuard(active=1, pending=1), a_submission(), "active.* and .*pending", id="two at once"
    ),
]


@pytest.mark.parametrize(("guard", "added", "message"), _FULL)
async def test_nothing_is_written_that_would_go_over_a_limit(
    store: Store, guard: SlotGuard, added: Submission, message: str
) -> None:
    await store.commit([a_trial(0, submission=_with_gpus("1"))])

    with pytest.raises(LimitExceededError, match=message):
        await store.commit([a_trial(1, submission=added)], [an_event()], guard=guard)

    assert [view.trial.number for view in await store.trials()] == [0]
    assert await store.events() == []
    assert (await store.totals()).states == {TrialState.ACTIVE: 1}
    assert await intents(store, at(-1)) == 1


async def test_limits_may_be_reached_exactly(store: Store) -> None:
    guard = SlotGuard(active=3, pending=2, gpus=Fraction(1), submissions=3, since=NOW)
    third = Fraction(1, 3)

    await store.commit(
        [
            a_trial(0, submission=a_submission(gpus=third, running_since=at(1))),
            a_trial(1, submission=a_submission(gpus=third)),
            a_trial(2, submission=a_submission(gpus=third)),
        ],
        guard=guard,
    )

    assert (await store.totals()).next_number == 3


async def test_what_ended_or_was_replaced_takes_nothing_of_the_limits(store: Store) -> None:
    ended = a_trial(0, submission=a_submission(ended_at=at(1), gpus=Fraction(8)))
    (retried,) = await store.commit([a_trial(1, submission=_with_gpus("8"))])
    await store.commit([ended, replace(retried, submission=a_submission(2))])

    written = await store.commit(
        [a_trial(2)], guard=SlotGuard(active=2, pending=2, gpus=Fraction(0))
    )

    assert len(written) == 1


async def test_intents_before_the_window_take_nothing_of_the_rate(store: Store) -> None:
    await store.commit([a_trial(0, submission=a_submission(intent_at=at(-1)))])
    guard = SlotGuard(active=9, submissions=1, since=NOW)

    written = await store.commit([a_trial(1)], guard=guard)

    assert len(written) == 1
