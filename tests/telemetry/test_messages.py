from dataclasses import replace
from typing import Any

import pytest

from sweeper.domain.outbox import Notice, NoticeKind
from sweeper.domain.record import ObjectiveValue, SweepState, Totals, TrialView
from sweeper.domain.trial import TrialState
from sweeper.telemetry.messages import Standings, Tone, message_of, trial_message
from tests.support.builders import NOW, SWEEP_ID, a_sweep, a_trial, after

BEST = TrialView(
    trial=a_trial(3, params={"lr": 0.1, "layers": 2}, state=TrialState.COMPLETED),
    objective=ObjectiveValue(best=0.25, last=0.5, reports=9, updated_at=NOW),
)
WELL = Standings(
    totals=Totals(states={TrialState.COMPLETED: 10}, next_number=10), best=BEST, table="a table"
)
BADLY = Standings(
    totals=Totals(states={TrialState.COMPLETED: 2, TrialState.FAILED: 3}, next_number=5),
    best=None,
    table="a table",
)


def a_notice(kind: NoticeKind, text: str = "") -> Notice:
    return Notice(kind=kind, at=NOW, text=text, due_at=NOW, number=7)


def test_the_end_is_told_with_counts_best_trial_table_and_what_to_type() -> None:
    sweep = a_sweep(
        state=SweepState.FINISHED, objective="loss", ended_at=after(hours=2), control_plane="https"
    )

    message = message_of(sweep, a_notice(NoticeKind.FINISHED), WELL)

    assert (message.subject, message.tone) == ("sweep demo: finished, 10 completed", Tone.SUCCESS)
    assert message.body == (
        "demo: finished after 2h00m: 10 completed\n"
        "best loss 0.25 (trial 3): lr=0.1, layers=2\n"
        "results: `sweeper results demo`\n\n"
        "a table\n\n"
        f"2026-03-01 12:00 UTC, notice {SWEEP_ID}-7"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"control_plane": "local"}, "demo: 10 trials on this machine"),
        (
            {"control_plane": "https://runai.example.com", "planned": None},
            "demo: no end of trials on https://runai.example.com",
        ),
    ],
)
def test_a_start_says_how_much_is_to_come_and_where(fields: dict[str, Any], said: str) -> None:
    message = message_of(a_sweep(**fields), a_notice(NoticeKind.STARTED), WELL)

    assert message.body.startswith(f"{said}\n\nwatch it: `sweeper status demo`\n\n")


def test_an_end_with_failures_is_no_success() -> None:
    message = message_of(a_sweep(state=SweepState.FINISHED), a_notice(NoticeKind.FINISHED), BADLY)

    assert message.subject == "sweep demo: finished, 2 completed, 3 failed, 5 waiting"
    assert message.tone is Tone.WARNING
    assert "again: `sweeper retry demo --failed`" in message.body


def test_a_stop_says_why_once() -> None:
    sweep = a_sweep(state=SweepState.STOPPED, stop_reason="3 trials failed (limits.failures: 3)")

    message = message_of(sweep, a_notice(NoticeKind.STOPPED, sweep.stop_reason), BADLY)

    assert message.subject == "sweep demo: stopped: 3 trials failed (limits.failures: 3)"
    assert message.body.count(sweep.stop_reason) == 1


@pytest.mark.parametrize(
    ("kind", "subject", "typed"),
    [
        (NoticeKind.STARTED, "started", "sweeper status demo"),
        (NoticeKind.HELD, "needs a person: why", "sweeper retry demo --trial N"),
        (NoticeKind.BLOCKED, "needs a person: why", "goes on by itself"),
        (NoticeKind.FROZEN, "needs a person: nothing is created, resumed or deleted", "why"),
        (NoticeKind.DEADLINE, "deadline reached, 2 completed, 3 failed, 5 waiting", "raise limits"),
        (NoticeKind.FAILED, "why", "sweeper show demo N"),
        (NoticeKind.CANCELLED, "cancelled, 2 completed", "sweeper results demo"),
        (NoticeKind.SUMMARY, "daily summary, 2 completed", "a table"),
    ],
)
def test_each_kind_says_what_happened_and_what_to_do(
    kind: NoticeKind, subject: str, typed: str
) -> None:
    message = message_of(a_sweep(), a_notice(kind, "why"), BADLY)

    assert message.subject.startswith(f"sweep demo: {subject}")
    assert typed in message.body


@pytest.mark.parametrize("kind", NoticeKind)
def test_nothing_of_others_gets_out_as_it_is(kind: NoticeKind) -> None:
    hostile = "\x1b[31m\nSubject: x Authorization: Bearer abcdefghijklmnop"

    message = message_of(replace(a_sweep(), name="a\nb"), a_notice(kind, hostile), WELL)

    assert message.subject.isprintable()
    assert "abcdefghijklmnop" not in message.subject + message.body
    assert "\x1b" not in message.body


def test_a_test_says_that_it_is_one() -> None:
    message = trial_message("demo")

    assert message.subject == "sweep demo: a test"
    assert "Nothing has happened" in message.body
