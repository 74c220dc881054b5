from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.freezing import (
    LOST_INTERVAL,
    LOST_WINDOW,
    judged,
    lost,
    may_be_believed,
    thawed,
    without_writes,
)
from sweeper.domain.record import SweepState
from sweeper.domain.trial import Trial, TrialState
from tests.support.builders import NOW, a_sweep, a_trial, after

FROZEN = a_sweep(frozen="6 of 10 are known nowhere")


def a_lost(number: int = 0, **fields: Any) -> Trial:
    return a_trial(number, **{"missing_since": NOW, "lost_since": NOW} | fields)


def some(lost_ones: int, known: int) -> Sequence[Trial]:
    """Return so many trials, the first of them lost."""
    return [a_lost(number) if number < lost_ones else a_trial(number) for number in range(known)]


@pytest.mark.parametrize(
    ("lost_ones", "known", "is_frozen"),
    [
        pytest.param(0, 100, False, id="none"),
        pytest.param(5, 5, False, id="a few, though all there are"),
        pytest.param(6, 6, True, id="more than a few"),
        pytest.param(6, 299, True, id="more than two in a hundred"),
        pytest.param(6, 300, False, id="two in a hundred of many"),
    ],
)
def test_many_lost_at_once_freeze_the_sweep(lost_ones: int, known: int, is_frozen: bool) -> None:
    assert (judged(a_sweep(), some(lost_ones, known)).frozen is not None) is is_frozen


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"lost_since": None}, id="not looked up yet"),
        pytest.param({"delete_sent_at": NOW}, id="deleted by us"),
        pytest.param({"cancel_asked_at": NOW}, id="given up by a person"),
        pytest.param({"ended_at": NOW}, id="over"),
        pytest.param(
            {"state": TrialState.SUBMITTING, "workload_id": None, "lost_since": None},
            id="no training yet",
        ),
    ],
)
def test_what_is_meant_to_be_gone_or_may_be_there_does_not_count(fields: dict[str, Any]) -> None:
    sweep = a_sweep()

    assert judged(sweep, [a_lost(number, **fields) for number in range(9)]) is sweep


def test_a_freeze_says_how_many_and_what_to_do() -> None:
    assert judged(a_sweep(), some(7, 9)).frozen == (
        "7 of 9 trainings are known neither among the living nor the deleted: is this the right "
        "project and tenant, or was the server restored? Nothing is created, resumed or deleted "
        "until they are seen again, or `sweeper unpause demo --force` says that they are gone"
    )


def test_only_trainings_that_are_known_make_a_loss_look_small() -> None:
    unanswered = [
        a_trial(number, state=TrialState.SUBMITTING, workload_id=None) for number in range(300, 600)
    ]
    between = [a_trial(number, ended_at=NOW) for number in range(600, 900)]

    assert judged(a_sweep(), [*some(6, 9), *unanswered, *between]).frozen is not None


def test_a_loss_that_was_decided_on_is_looked_at_seldom() -> None:
    decided_at = NOW + LOST_WINDOW

    again = lost(a_lost(), decided_at).trial.submission

    assert again.next_call_at == decided_at + LOST_INTERVAL


def test_what_was_missing_by_the_time_a_person_said_so_counts_no_more() -> None:
    sweep = a_sweep(thawed_at=NOW)

    assert judged(sweep, some(9, 9)) is sweep


@pytest.mark.parametrize("still_lost", [1, 6])
def test_a_freeze_holds_while_any_is_lost(still_lost: int) -> None:
    assert judged(FROZEN, some(still_lost, 10)) is FROZEN


def test_a_freeze_ends_once_all_are_seen_again() -> None:
    assert judged(FROZEN, some(0, 10)).frozen is None


@pytest.mark.parametrize("state", [SweepState.CANCELLING, SweepState.CANCELLED])
def test_a_sweep_that_is_given_up_is_not_frozen(state: SweepState) -> None:
    assert judged(a_sweep(state=state), some(9, 9)).frozen is None
    assert judged(replace(FROZEN, state=state), some(9, 9)).frozen is None


def test_what_a_person_called_gone_does_not_freeze_again() -> None:
    sweep = thawed(FROZEN, after(seconds=1))

    assert judged(sweep, some(9, 9)) is sweep


def test_what_is_lost_after_a_person_decided_counts_anew() -> None:
    sweep = thawed(FROZEN, after(seconds=1))
    later = [a_lost(number, missing_since=after(seconds=2)) for number in range(6)]

    assert judged(sweep, later).frozen is not None


@pytest.mark.parametrize(
    ("fields", "sweep", "seconds", "is_believed"),
    [
        pytest.param({"lost_since": None}, a_sweep(), 999, False, id="never looked up"),
        pytest.param({}, a_sweep(), 59, False, id="too early"),
        pytest.param({}, a_sweep(), 60, True, id="window over"),
        pytest.param({}, FROZEN, 9999, False, id="frozen"),
        pytest.param({"delete_sent_at": NOW, "lost_since": None}, FROZEN, 0, True, id="deleted"),
        pytest.param({"cancel_asked_at": NOW, "lost_since": None}, FROZEN, 0, True, id="given up"),
        pytest.param(
            {"lost_since": None}, a_sweep(state=SweepState.CANCELLING), 0, True, id="cancelled"
        ),
    ],
)
def test_a_loss_is_believed_alone_and_late(
    fields: dict[str, Any], sweep: Any, seconds: float, is_believed: bool
) -> None:
    assert may_be_believed(a_lost(**fields), sweep, after(seconds=seconds)) is is_believed


def test_a_loss_is_told_once_and_looked_at_again() -> None:
    first = lost(a_trial(missing_since=NOW), NOW)
    later = lost(first.trial, after(minutes=2))

    assert [event.outcome for event in first.events] == ["lost"]
    assert first.trial.submission.next_call_at == NOW + LOST_WINDOW
    assert lost(first.trial, after(seconds=20)).trial == first.trial
    assert later.events == ()
    assert later.trial.submission.lost_since == NOW
    assert later.trial.submission.next_call_at == after(minutes=2) + LOST_INTERVAL


@pytest.mark.parametrize(
    ("kind", "is_kept"),
    [
        (Record, True),
        (LookUp, True),
        (Inspect, True),
        (Delete, False),
        (Suspend, False),
        (Resume, False),
        (Submit, False),
    ],
)
def test_a_frozen_sweep_reads_and_does_not_write(kind: type[Action], is_kept: bool) -> None:
    action = kind(trial=a_trial(), before=a_trial())

    assert (without_writes([action], FROZEN) == [action]) is is_kept


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"cancel_asked_at": NOW}, SweepState.OPEN),
        ({}, SweepState.CANCELLING),
    ],
)
def test_what_a_person_gave_up_is_deleted_all_the_same(
    fields: dict[str, Any], state: SweepState
) -> None:
    action = Delete(trial=a_trial(**fields), before=None)

    assert without_writes([action], replace(FROZEN, state=state)) == [action]
