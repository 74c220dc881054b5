from datetime import timedelta
from typing import Any

import pytest

from sweeper.domain.record import SweepState, Totals
from sweeper.domain.trial import TrialState
from sweeper.telemetry.closing import closing_summary, stop_hint
from tests.support.builders import NOW, a_sweep
from tests.telemetry.builders import a_best

_DONE = Totals(states={TrialState.COMPLETED: 10}, next_number=10)


def _ended(**fields: Any) -> Any:
    given: dict[str, Any] = {
        "state": SweepState.FINISHED,
        "objective": "loss",
        "ended_at": NOW + timedelta(seconds=62),
    }
    return a_sweep(**given | fields)


def test_a_finished_sweep_says_how_it_went() -> None:
    best = a_best(params={"lr": 0.1, "layers": (64, 32)})

    assert closing_summary(_ended(), _DONE, best).splitlines() == [
        "demo: finished after 1m02s: 10 completed",
        "best loss 0.125 (trial 3): lr=0.1, layers=[64,32]",
        "results: `sweeper results demo`",
    ]


def test_failed_and_held_trials_say_what_to_do() -> None:
    totals = Totals(states={TrialState.FAILED: 1, TrialState.HELD: 2}, next_number=3)

    *_, last = closing_summary(_ended(planned=3), totals, None).splitlines()

    assert last == (
        "why one failed: `sweeper logs demo N`, `sweeper show demo N`; "
        "again: `sweeper retry demo --failed`"
    )


def test_logs_are_named_only_where_there_are_any() -> None:
    sweep = _ended(planned=1, control_plane="https://runai.example.com")

    *_, last = closing_summary(sweep, Totals(states={TrialState.FAILED: 1}), None).splitlines()

    assert "sweeper logs" not in last


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"state": SweepState.STOPPED, "stop_reason": "3 failed"},
            "stopped after 1m02s (3 failed)",
        ),
        ({"state": SweepState.CANCELLED, "ended_at": None}, "cancelled"),
        ({"state": SweepState.OPEN, "ended_at": None}, "open, not finished"),
        ({"state": SweepState.PAUSED, "ended_at": None}, "paused, not finished"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_ending_has_its_words(fields: dict[str, Any], words: str) -> None:
    first, *_ = closing_summary(_ended(**fields), _DONE, None).splitlines()

    assert first == f"demo: {words}: 10 completed"


def test_a_sweep_of_nothing_has_no_trials() -> None:
    assert ": no trials\n" in closing_summary(_ended(planned=0), Totals(), None)


def test_many_and_long_params_are_cut() -> None:
    params = {f"p{number}": "x" * 100 for number in range(20)}

    _, line, _ = closing_summary(_ended(), _DONE, a_best(params=params)).splitlines()

    assert line.endswith("…, …")
    assert len(line) < 700


def test_names_stand_quoted_for_a_shell() -> None:
    assert stop_hint("my sweep.yaml", "it's\x1b[2J") == (
        "stopped; trainings go on: `sweeper run 'my sweep.yaml'` goes on, "
        "`sweeper cancel 'it'\"'\"'s\\x1b[2J'` gives up"
    )


def test_a_plain_name_needs_no_quotes() -> None:
    assert stop_hint("sweep.yaml", "demo") == (
        "stopped; trainings go on: `sweeper run sweep.yaml` goes on, `sweeper cancel demo` gives up"
    )


def test_a_reason_in_the_words_of_a_server_is_made_safe() -> None:
    sweep = _ended(state=SweepState.STOPPED, stop_reason="no\n\x1b[2J Bearer abcdefgh")

    first, *_ = closing_summary(sweep, _DONE, None).splitlines()

    assert first.endswith(r"(no\n\x1b[2J Bearer ***): 10 completed")
