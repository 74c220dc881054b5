import io
from datetime import timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, Totals
from sweeper.domain.trial import Trial, TrialState
from sweeper.telemetry.pace import Pace, guess_rest
from sweeper.telemetry.picture import draw_progress
from tests.support.builders import NOW, a_sweep, a_trial, after
from tests.telemetry.builders import a_best, a_tick

_PACE = Pace(since=NOW - timedelta(minutes=1), settled=1)

_LIVE = (
    a_trial(6),
    a_trial(7),
    a_trial(8, phase=Phase.PENDING),
    a_trial(9, state=TrialState.HELD),
)
_TOTALS = Totals(
    states={
        TrialState.ACTIVE: 3,
        TrialState.HELD: 1,
        TrialState.COMPLETED: 4,
        TrialState.FAILED: 1,
    },
    next_number=9,
)


def _drawn(*live: Trial, width: int = 80, **fields: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(draw_progress(a_tick(*live, **fields), _PACE, NOW))
    return [line.rstrip() for line in capture.get().splitlines()]


def _busy(width: int, **fields: Any) -> list[str]:
    sweep = a_sweep(objective="loss", planned=12)
    given: dict[str, Any] = {"sweep": sweep, "totals": _TOTALS, "best": a_best()} | fields
    return _drawn(*_LIVE, width=width, **given)


def test_a_sweep_is_drawn_on_a_usual_terminal() -> None:
    assert _busy(80, trouble="503 from the control plane") == [
        "demo                      ━━━━━━━━━━━━━━━━━━━━                              5/12",
        "  2 running · 1 pending · 1 held · 4 completed · 1 failed · 3 waiting",
        "  best loss 0.125 (trial 3)",
        "  1m00s elapsed, about 1m45s left",
        "  ! 503 from the control plane",
    ]


def test_a_sweep_is_drawn_on_a_narrow_terminal() -> None:
    assert _busy(40) == [
        "demo        ━━━━━━━━━╸              5/12",
        "  2 running · 1 pending · 1 held · 4",
        "  completed · 1 failed · 3 waiting",
        "  best loss 0.125 (trial 3)",
        "  1m00s elapsed, about 1m45s left",
    ]


def test_an_unbounded_sweep_has_counts_and_no_end() -> None:
    lines = _busy(80, sweep=a_sweep(planned=None))

    assert lines[0] == "demo  5 settled"
    assert lines[1] == "  2 running · 1 pending · 1 held · 4 completed · 1 failed"
    assert "left" not in "".join(lines)


def test_a_sweep_before_its_first_trial_shows_that_none_runs() -> None:
    lines = _drawn(sweep=a_sweep(planned=0))

    assert lines[1] == "  0 running"
    assert lines[0].endswith("0/0")


def test_a_grid_beyond_all_numbers_can_be_drawn() -> None:
    lines = _busy(80, sweep=a_sweep(planned=10**400))

    assert lines[0].endswith("5/over 10^15")
    assert lines[1].endswith("over 10^15 waiting")


@pytest.mark.parametrize("width", [1, 20, 40, 80])
def test_text_of_others_moves_no_cursor_and_marks_nothing_up(width: int) -> None:
    sweep = a_sweep(name="[red]x\x1b[2J" * 20, objective="[link=http://x]\n")

    lines = _busy(width, sweep=sweep, trouble="[/]\x1b]0;t\x07 \r\n" * 200)

    assert all(line.isprintable() and cell_len(line) <= width for line in lines)


def test_markup_in_trouble_is_shown_as_it_is() -> None:
    assert _busy(80, trouble="[bold]no[/bold]")[-1] == "  ! [bold]no[/bold]"


def test_the_rest_is_guessed_from_what_this_process_settled() -> None:
    totals = Totals(states={TrialState.COMPLETED: 4}, next_number=6)
    pace = Pace(since=NOW, settled=2)
    tick = a_tick(at=after(minutes=10), totals=totals)

    assert guess_rest(pace, tick, after(minutes=10)) == timedelta(minutes=30)
    assert guess_rest(pace, tick, after(minutes=12)) == timedelta(minutes=28)
    assert guess_rest(pace, tick, after(hours=5)) == timedelta(0)


@pytest.mark.parametrize(
    "fields",
    [
        {"totals": Totals(states={TrialState.COMPLETED: 1}, next_number=1)},
        {"sweep": a_sweep(planned=None)},
        {"sweep": a_sweep(state=SweepState.PAUSED)},
        {"sweep": a_sweep(planned=10**400)},
    ],
    ids=["nothing-settled", "unbounded", "paused", "beyond-ten-years"],
)
def test_there_is_no_guess_without_ground(fields: dict[str, Any]) -> None:
    given: dict[str, Any] = {"totals": _TOTALS} | fields

    assert guess_rest(_PACE, a_tick(**given), NOW) is None


def test_trials_that_settled_at_once_leave_nothing_to_wait_for() -> None:
    pace = Pace(since=NOW, settled=0)

    assert guess_rest(pace, a_tick(totals=_TOTALS, at=NOW), NOW) == timedelta(0)


def test_the_pace_begins_with_what_was_settled_before() -> None:
    assert Pace.begin(a_tick(totals=_TOTALS)) == Pace(since=NOW, settled=5)
