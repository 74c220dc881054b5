import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.exports.table import STATE_STYLES, best_first, results_table
from tests.exports.rows import a_row


def drawn(table: Table, *, width: int = 200) -> str:
    screen = io.StringIO()
    Console(file=screen, width=width, color_system=None).print(table)
    return screen.getvalue()


def numbers_of(rows: list[Any]) -> list[int]:
    return [row["trial"] for row in rows]


@pytest.mark.parametrize(
    ("goal", "order"),
    [
        pytest.param(Goal.MINIMIZE, [2, 1, 0, 3], id="minimize"),
        pytest.param(Goal.MAXIMIZE, [1, 2, 0, 3], id="maximize"),
        pytest.param(None, [2, 1, 0, 3], id="no goal"),
    ],
)
def test_the_best_trial_comes_first_and_those_without_objective_last(
    goal: Goal | None, order: list[int]
) -> None:
    rows = [a_row(3), a_row(0), a_row(1, objective=2.0), a_row(2, objective=-1.0)]

    assert numbers_of(list(best_first(rows, goal))) == order


def test_every_state_has_a_colour() -> None:
    assert set(STATE_STYLES) == set(TrialState)


def test_a_state_is_shown_in_its_colour() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=120, color_system="standard", force_terminal=True)

    console.print(results_table([a_row(state="failed")]))

    assert "\x1b[31mfailed" in screen.getvalue()


def test_params_that_vary_are_columns_and_the_others_are_told_below() -> None:
    rows = [a_row(0, params={"lr": 0.1, "epochs": 3}), a_row(1, params={"lr": 0.2, "epochs": 3})]

    table = results_table(rows)

    assert "lr" in [str(column.header) for column in table.columns]
    assert str(table.caption) == "in every trial: epochs=3"


def test_a_parameter_that_some_trials_lack_varies() -> None:
    table = results_table([a_row(0, params={"m": 1}), a_row(1, params={})])

    assert "m" in [str(column.header) for column in table.columns]


def test_a_single_row_shows_all_of_its_params() -> None:
    table = results_table([a_row(params={"lr": 0.1, "opt": {"name": "sgd"}})])

    assert [str(column.header) for column in table.columns][2:4] == ["lr", "opt.name"]
    assert table.caption is None


def test_numbers_times_and_reasons_are_for_people() -> None:
    row = a_row(
        objective=0.1 + 0.2, state="failed", reason="exit\x07", duration_seconds=61.4, attempts=3
    )

    shown = drawn(results_table([row], objective="loss"))

    assert all(text in shown for text in ["loss", " 0.3 ", "0:01:01", "exit\\x07", " 3 "])


def test_a_column_in_which_no_row_has_anything_to_say_is_left_out() -> None:
    rows = [a_row(0, reason="of no interest", duration_seconds=None), a_row(1, duration_seconds=1)]

    headers = [str(column.header) for column in results_table(rows).columns]

    assert headers == ["trial", "state", "objective", "time"]


def test_on_a_narrow_terminal_params_give_way() -> None:
    rows = [a_row(number, objective=0.123456, params={"p" * 30: "x" * 40}) for number in (0, 1)]
    rows[1]["params"] = {"q" * 30: "y" * 40, "r" * 30: "z" * 40}

    shown = drawn(results_table(rows), width=60)

    assert shown.count("completed") == 2
    assert shown.count("0.123456") == 2


def test_a_table_of_many_rows_and_params_stays_readable() -> None:
    rows = [
        a_row(number, params={f"p{index}": number for index in range(20)}, duration_seconds=None)
        for number in range(30)
    ]

    table = results_table(rows, limit=5)

    assert table.row_count == 5
    assert len(table.columns) == 12 + 3
    assert str(table.caption) == "25 more not shown; 8 more parameters vary"


def test_no_rows_make_an_empty_table() -> None:
    assert results_table([]).row_count == 0


@settings(max_examples=30)
@given(st.text(), st.dictionaries(st.text(), st.text() | st.floats(), max_size=3))
def test_no_text_breaks_the_table(text: str, params: dict[str, Any]) -> None:
    rows = [a_row(0, params=params, state=text, reason=text), a_row(1, params={"x": text})]

    shown = drawn(results_table(rows, objective=text))

    assert all(line.isprintable() for line in shown.split("\n"))


def test_markup_in_a_text_is_only_text() -> None:
    rows = [a_row(0, params={"[red]x": "[/bold]"}), a_row(1, params={"[red]x": "y" * 5000})]

    shown = drawn(results_table(rows))

    assert "[red]x" in shown
    assert "[/bold]" in shown
    assert "y" * 47 + "…" in shown
