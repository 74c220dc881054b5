import logging

import pytest

from sweeper.domain.change import changed
from sweeper.domain.record import Event, EventKind
from sweeper.domain.trial import TrialState
from sweeper.telemetry.transitions import TransitionLog, transition_lines
from tests.support.builders import NOW, a_sweep, a_trial, workload_id, workload_name
from tests.telemetry.builders import a_best, a_move, a_tick, an_act

_LOSS = a_sweep(objective="loss")


def _messages(*events: Event) -> list[str]:
    return [line.message for line in transition_lines(_LOSS, events, a_best(0.5, 7))]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (a_move("waiting", "submitting"), "demo: trial 3: waiting -> submitting"),
        (
            a_move("active", "interrupted", "preempted: by X"),
            "demo: trial 3: active -> interrupted: preempted: by X",
        ),
        (
            a_move("interrupted", "submitting", attempt=2),
            "demo: trial 3: interrupted -> submitting (attempt 2)",
        ),
        (
            a_move("active", "failed", "exit code 1"),
            "demo: trial 3: active -> failed: exit code 1; best loss 0.5 (trial 7)",
        ),
        (
            an_act(EventKind.SWEEP, "paused", trial=None, detail="asked for"),
            "demo: sweep is paused: asked for",
        ),
        (an_act(EventKind.SWEEP, "finished", trial=None), "demo: sweep is finished"),
        (
            an_act(EventKind.SWEEP, "enqueued", trial=None, detail="trial 7"),
            "demo: trial 7 is enqueued",
        ),
    ],
)
def test_a_line_says_what_changed_and_why(event: Event, message: str) -> None:
    assert _messages(event) == [message]


def test_other_acts_make_no_line() -> None:
    kinds = set(EventKind) - {EventKind.TRANSITION, EventKind.SWEEP}

    assert _messages(*(an_act(kind, "created") for kind in sorted(kinds))) == []


def test_a_line_carries_its_parts_as_fields() -> None:
    (line,) = transition_lines(_LOSS, [a_move("active", "failed", "exit code 1")])

    assert line.fields == {
        "sweep": "demo",
        "trial": 3,
        "attempt": 1,
        "workload_name": workload_name(3),
        "workload_id": workload_id(3),
        "from": "active",
        "to": "failed",
        "reason": "exit code 1",
    }


def test_the_domain_words_transitions_as_they_are_read_here() -> None:
    before = a_trial(3)
    after = before.enter(TrialState.HELD, NOW, "a person: must look")

    (line,) = transition_lines(_LOSS, changed(before, after, NOW).events)

    fields = line.fields
    parts = [fields["from"], fields["to"], fields["reason"]]
    assert parts == ["active", "held", "a person: must look"]


def test_a_detail_that_says_nothing_makes_a_line_all_the_same() -> None:
    event = an_act(EventKind.TRANSITION, "failed", trial=None, attempt=None)

    assert _messages(event) == ["demo: trial ?:  -> failed; best loss 0.5 (trial 7)"]


def test_transitions_are_logged_with_their_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        TransitionLog().recorded(a_sweep(), [a_move("active", "completed")])

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == "demo: trial 3: active -> completed"
    assert record.__dict__["from"] == "active"


def test_the_newest_best_trial_stands_beside_an_end(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = TransitionLog()

    with caplog.at_level(logging.INFO):
        telemetry.ticked(a_tick(sweep=_LOSS, best=a_best(0.5, 7)))
        telemetry.ticked(a_tick(sweep=_LOSS))
        telemetry.recorded(_LOSS, [a_move("active", "completed"), a_move("held", "active")])

    assert [record.getMessage() for record in caplog.records] == [
        "demo: trial 3: active -> completed; best loss 0.5 (trial 7)",
        "demo: trial 3: held -> active",
    ]


def test_a_log_can_be_bound_to_some_states(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = TransitionLog([TrialState.FAILED])
    moves = [a_move("active", "completed"), a_move("active", "failed")]
    ended = an_act(EventKind.SWEEP, "finished", trial=None)

    with caplog.at_level(logging.INFO):
        telemetry.recorded(a_sweep(), [*moves, ended])

    assert [record.getMessage() for record in caplog.records] == [
        "demo: trial 3: active -> failed",
        "demo: sweep is finished",
    ]
