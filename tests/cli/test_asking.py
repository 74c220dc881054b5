"""The verbs that only ask: status, ls, show, events, results."""

import io
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from sweeper.bootstrap.folders import SweepFolder
from sweeper.cli.show import trial_text
from tests.cli.conftest import Run, lines_of


@pytest.mark.usefixtures("demo")
def test_status_says_how_a_sweep_stands(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("status", "demo") == 0

    out = capsys.readouterr().out
    assert "state:   open (no daemon runs it)" in out
    assert "10 planned: 7 waiting, 1 active, 1 completed, 1 failed" in out
    assert "best:    loss 0.25 (trial 0)" in out
    assert "trial     2  active      Running" in out


@pytest.mark.usefixtures("demo")
def test_status_is_one_json_object_for_machines(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("status", "demo", "--json") == 0

    view = json.loads(capsys.readouterr().out)
    assert view["sweep"]["name"] == "demo"
    assert view["trials"]["waiting"] == 7


def test_a_sweep_that_does_not_exist_exits_with_2(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("status", "demo") == 2
    assert "no sweep was ever started here" in capsys.readouterr().err


def test_show_tells_what_early_stopping_decided() -> None:
    decision = {
        "at": "2026-03-01T12:00:00Z",
        "outcome": "parked",
        "rule": "asha",
        "rung": 9,
        "value": 0.25,
        "threshold": 0.125,
        "reached": 11,
    }
    trial = {"trial": 0, "reason": "", "state": "parked", "state_since": "-", "params": {}}
    view = {
        "trial": {**trial, "retry_at": None},
        "objective": None,
        "submissions": [],
        "curve": [],
        "decisions": [decision],
    }

    text = trial_text(view)

    assert "parked at 9, value 0.25, threshold 0.125, 11 got there, asha" in text


@pytest.mark.usefixtures("demo")
def test_ls_lists_every_sweep(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("ls") == 0

    head, row = lines_of(capsys.readouterr().out)
    assert head.split()[:2] == ["NAME", "STATE"]
    assert row.split()[:7] == ["demo", "open", "-", "2", "10", "1", "0.25"]


def test_ls_of_nothing_says_so_and_prints_an_empty_list_for_machines(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("ls") == 0
    assert sweeper("ls", "--json") == 0

    out, err = capsys.readouterr()
    assert "no sweep was started here yet" in err
    assert json.loads(out) == []


@pytest.mark.usefixtures("demo")
def test_show_tells_everything_about_a_trial(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("show", "demo", "1") == 0

    out = capsys.readouterr().out
    assert "state:   failed" in out
    assert 'params:  {"lr": 1}' in out
    assert "attempt 1: Failed, demo-abcdefghij-1-1" in out
    assert "exit code 3" in out


@pytest.mark.usefixtures("demo")
def test_show_tells_the_newest_reports(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("show", "demo", "0") == 0

    out = capsys.readouterr().out
    assert "value:   best 0.25, last 0.25, 1 reports" in out
    assert "step 1: loss 0.25" in out


@pytest.mark.usefixtures("demo")
def test_a_trial_that_does_not_exist_exits_with_2(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("show", "demo", "9") == 2
    assert "trial 9 was not submitted yet" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_results_are_a_table_with_the_best_first(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("results", "demo") == 0

    out = capsys.readouterr().out
    assert out.index("completed") < out.index("active") < out.index("failed")


@pytest.mark.usefixtures("demo")
def test_results_as_json_are_a_list_of_objects(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("results", "demo", "--json") == 0

    rows = json.loads(capsys.readouterr().out)
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert rows[0] | {"state": "completed", "objective": 0.25, "attempts": 1} == rows[0]
    assert rows[1]["params"] == {"lr": 1}


@pytest.mark.usefixtures("demo")
def test_results_as_csv_have_a_line_for_each_trial(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("results", "demo", "--csv") == 0

    head, *rows = lines_of(capsys.readouterr().out)
    assert head.startswith("trial,state,params.lr,objective")
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("form", "beginning"), [("csv", "trial,state,params.lr"), ("json", '[\n{"trial": 0')]
)
@pytest.mark.usefixtures("demo")
def test_a_format_may_be_named(
    form: str, beginning: str, sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("results", "demo", "--format", form) == 0

    assert capsys.readouterr().out.startswith(beginning)


@pytest.mark.usefixtures("demo")
def test_two_formats_at_once_are_refused(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("results", "demo", "--format", "parquet", "--json") == 2

    assert "one format, not in json and parquet" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_results_as_parquet_have_a_row_for_each_trial(
    sweeper: Run, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert sweeper("results", "demo", "--format", "parquet") == 0

    table = parquet.read_table(io.BytesIO(capsysbinary.readouterr().out))
    assert table.column("trial").to_pylist() == [0, 1, 2]
    assert table.column("objective").to_pylist()[0] == 0.25


@pytest.mark.usefixtures("demo")
def test_results_become_a_study_of_optuna(
    sweeper: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert sweeper("results", "demo", "--optuna", f"sqlite:///{tmp_path / 'study.db'}") == 0

    assert capsys.readouterr().out == "wrote the study demo, 3 trials\n"
    assert (tmp_path / "study.db").exists()


@pytest.mark.usefixtures("demo")
def test_a_study_and_a_format_at_once_are_refused(
    sweeper: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"

    assert sweeper("results", "demo", "--optuna", url, "--csv") == 2

    assert "prints no other format" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_a_table_may_be_cut_short(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("results", "demo", "--top", "1") == 0
    assert "2 more not shown" in capsys.readouterr().out


def test_events_are_told_in_order_and_as_json_lines(
    sweeper: Run, demo: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    from sweeper.domain.record import Event, EventKind
    from sweeper.store.sql import SqlStore
    from sweeper.store.writing import inline
    from tests.support.builders import NOW, a_sweep

    async def add() -> None:
        async with SqlStore(demo.store, run=inline) as store:
            for trial in (None, 2):
                event = Event(at=NOW, kind=EventKind.SWEEP, outcome="open", trial=trial, detail="x")
                await store.save_sweep(a_sweep(objective="loss"), [event])

    asyncio.run(add())

    assert sweeper("events", "demo") == 0
    plain = lines_of(capsys.readouterr().out)
    assert sweeper("events", "demo", "--trial", "2", "--json") == 0
    found = [json.loads(line) for line in lines_of(capsys.readouterr().out)]

    assert [line.split("  ")[1] for line in plain] == ["sweep", "trial 2"]
    assert [event["trial"] for event in found] == [2]
