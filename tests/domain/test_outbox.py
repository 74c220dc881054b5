from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.outbox import (
    ATTEMPTS,
    STARTED_DETAIL,
    Dispatch,
    Notice,
    NoticeKind,
    dispatched,
    due,
    not_dispatched,
    notice_id,
    notices_of,
    undeliverable,
    until_due,
)
from sweeper.domain.policy import LONGEST_WAIT
from sweeper.domain.record import Event, EventKind, SweepState
from sweeper.domain.trial import TrialState
from tests.support.builders import NOW, SWEEP_ID, after

KINDS = frozenset(NoticeKind)
ALL = {"SLACK": KINDS}


def a_notice(**fields: object) -> Notice:
    """Return a stored notice that is due now."""
    plain = Notice(kind=NoticeKind.STOPPED, at=NOW, text="why", due_at=NOW, number=7)
    return replace(plain, **fields)  # type: ignore[arg-type]


def of_sweep(outcome: str, detail: str = "") -> Event:
    return Event(at=NOW, kind=EventKind.SWEEP, outcome=outcome, detail=detail)


def of_trial(number: int, state: TrialState) -> Event:
    return Event(
        at=NOW,
        kind=EventKind.TRANSITION,
        outcome=state,
        trial=number,
        detail=f"active -> {state}: exit code 1",
    )


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (of_sweep("open", STARTED_DETAIL), NoticeKind.STARTED, ""),
        (of_sweep("finished"), NoticeKind.FINISHED, ""),
        (of_sweep("stopped", "3 trials failed"), NoticeKind.STOPPED, "3 trials failed"),
        (of_sweep("cancelled"), NoticeKind.CANCELLED, ""),
        (of_sweep("frozen", "too many are lost"), NoticeKind.FROZEN, "too many are lost"),
        (of_sweep("blocked", "forbidden"), NoticeKind.BLOCKED, "forbidden"),
        (of_sweep("late", "over"), NoticeKind.DEADLINE, "over"),
        (of_sweep("summarised"), NoticeKind.SUMMARY, ""),
        (
            of_trial(4, TrialState.HELD),
            NoticeKind.HELD,
            "trial 4: active -> held: exit code 1",
        ),
        (
            of_trial(4, TrialState.FAILED),
            NoticeKind.FAILED,
            "trial 4: active -> failed: exit code 1",
        ),
    ],
    ids=lambda value: value.outcome if isinstance(value, Event) else "",
)
def test_what_people_want_to_know_becomes_a_notice(
    event: Event, kind: NoticeKind, text: str
) -> None:
    told = Notice(kind=kind, at=NOW, text=text, due_at=NOW, receiver="SLACK")

    assert notices_of([event], ALL) == (told,)
    assert notices_of([event], {"SLACK": KINDS - {kind}}) == ()


@pytest.mark.parametrize("outcome", [*SweepState, "thawed", "rebuilt", "unblocked"])
def test_every_turn_of_a_sweep_is_a_notice_or_none(outcome: str) -> None:
    told = {"finished", "stopped", "cancelled"}

    assert len(notices_of([of_sweep(outcome, "asked for")], ALL)) == (outcome in told)


@pytest.mark.parametrize("state", TrialState)
def test_of_trials_only_those_that_need_a_look_are_told(state: TrialState) -> None:
    told = {TrialState.HELD, TrialState.FAILED}

    assert len(notices_of([of_trial(0, state)], ALL)) == (state in told)


def test_what_else_happens_is_no_notice() -> None:
    others = [kind for kind in EventKind if kind not in {EventKind.SWEEP, EventKind.TRANSITION}]
    events = [Event(at=NOW, kind=kind, outcome="failed") for kind in others]

    assert notices_of(events, ALL) == ()


def test_trials_that_turn_together_are_told_together() -> None:
    events = [of_trial(number, TrialState.FAILED) for number in range(12)]

    (notice,) = notices_of([*events, of_trial(99, TrialState.COMPLETED)], ALL)

    assert notice.text == (
        "12 trials (0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more), "
        "the first: active -> failed: exit code 1"
    )


def test_each_receiver_gets_a_notice_of_its_own_of_what_it_wants() -> None:
    wanted = {"SLACK": KINDS, "MAIL": {NoticeKind.FINISHED}}

    notices = notices_of([of_sweep("open", STARTED_DETAIL), of_sweep("finished")], wanted)

    assert [(notice.kind, notice.receiver) for notice in notices] == [
        ("started", "SLACK"),
        ("finished", "SLACK"),
        ("finished", "MAIL"),
    ]


def test_a_notice_that_was_sent_is_settled_and_recorded() -> None:
    event = Event(at=after(seconds=1), kind=EventKind.NOTICE, outcome="sent", detail="7 stopped")

    assert dispatched(a_notice(), after(seconds=1)) == Dispatch(
        notice=a_notice(settled_at=after(seconds=1)), events=(event,)
    )


def test_a_notice_that_was_not_sent_waits_longer_each_time() -> None:
    notice, waits = a_notice(), []
    for _ in range(ATTEMPTS - 1):
        notice = not_dispatched(notice, NOW, SWEEP_ID, "503").notice
        waits.append(notice.due_at - NOW)

    assert timedelta(seconds=5) <= waits[0] <= timedelta(seconds=10)
    assert timedelta(seconds=40) <= waits[3] <= timedelta(seconds=80)
    assert all(LONGEST_WAIT / 2 <= wait <= LONGEST_WAIT for wait in waits[7:])
    assert timedelta(hours=2) <= sum(waits, timedelta()) <= timedelta(hours=5)


def test_a_notice_for_nobody_is_given_up_at_once() -> None:
    given_up = undeliverable(a_notice(), NOW, "gone")

    assert (given_up.notice.settled_at, given_up.notice.attempts) == (NOW, 0)
    assert [event.detail for event in given_up.events] == ["7 stopped: gone"]


def test_a_notice_that_is_never_sent_is_given_up_with_an_event() -> None:
    given_up = not_dispatched(a_notice(attempts=ATTEMPTS - 1), NOW, SWEEP_ID, "503")

    assert given_up.notice.settled_at == NOW
    assert [(event.outcome, event.detail) for event in given_up.events] == [
        ("given_up", "7 stopped: 503")
    ]


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(300.0, timedelta(seconds=300)), (1e9, LONGEST_WAIT)],
    ids=["longer than ours", "absurd"],
)
def test_a_wait_that_was_asked_for_is_kept_within_reason(asked: float, wait: timedelta) -> None:
    assert not_dispatched(a_notice(), NOW, SWEEP_ID, "429", asked).notice.due_at == NOW + wait


def test_only_what_is_due_is_sent() -> None:
    late = a_notice(due_at=after(seconds=30))

    assert due([a_notice(), late], NOW) == [a_notice()]
    assert until_due([late], NOW) == timedelta(seconds=30)
    assert until_due([late, a_notice()], NOW) == timedelta()
    assert until_due([], NOW) == LONGEST_WAIT


def test_a_clock_that_was_set_back_puts_no_notice_off_for_long() -> None:
    assert due([a_notice(due_at=after(days=1))], NOW)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_id_of_a_notice_is_its_own_and_does_not_change(one: int, other: int) -> None:
    first = a_notice(number=one)
    second = a_notice(number=other)
    tried = not_dispatched(first, NOW, SWEEP_ID, "503").notice

    assert notice_id(SWEEP_ID, tried) == notice_id(SWEEP_ID, first)
    assert (notice_id(SWEEP_ID, first) == notice_id(SWEEP_ID, second)) == (one == other)


@pytest.mark.parametrize(
    ("trials", "numbers"),
    [(10, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"), (11, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more")],
)
def test_ten_trials_are_named_and_the_rest_counted(trials: int, numbers: str) -> None:
    (notice,) = notices_of([of_trial(one, TrialState.FAILED) for one in range(trials)], ALL)

    assert notice.text == f"{trials} trials ({numbers}), the first: active -> failed: exit code 1"


def test_a_notice_that_is_given_up_keeps_how_often_it_was_tried() -> None:
    given_up = not_dispatched(a_notice(attempts=ATTEMPTS - 1), NOW, SWEEP_ID, "503")

    assert given_up.notice.attempts == ATTEMPTS
    assert [event.at for event in given_up.events] == [NOW]


def test_notices_of_different_sweeps_do_not_wait_in_step() -> None:
    waits = {not_dispatched(a_notice(), NOW, one, "503").notice.due_at for one in ("a", "b")}

    assert len(waits) == 2
