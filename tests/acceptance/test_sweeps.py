"""Whole sweeps by the command line, in real processes."""

import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance.daemons import Place, lines_of

ROOT = Path(__file__).parent.parent.parent

RECORDING = """
import os, sys, sweeper
number = os.environ["SWEEPER_TRIAL"]
with open("ran.txt", "a") as file:
    file.write(f"{number} {' '.join(sys.argv[1:])}\\n")
sweeper.report(loss=float(number), step=1)
"""


async def test_a_grid_runs_to_its_end_and_shows_its_results(place: Place) -> None:
    place.script(RECORDING)
    file = place.sweep(
        "name: demo",
        "program: train.py",
        "method: grid",
        "metric: {name: loss, goal: minimize}",
        "parameters: {a: {values: [1, 2]}, b: {values: [x, y]}}",
        "limits: {active: 2}",
    )

    ended = await place.sweeper("run", file)

    assert ended.code == 0, ended.err
    assert sorted(lines_of(place.folder / "ran.txt")) == [
        "0 --a=1 --b=x",
        "1 --a=1 --b=y",
        "2 --a=2 --b=x",
        "3 --a=2 --b=y",
    ]
    assert "best loss 0 (trial 0)" in ended.err
    assert "completed" in ended.out


async def test_results_as_json_are_all_that_is_on_stdout(place: Place) -> None:
    place.script(RECORDING)
    file = place.sweep(
        "program: train.py",
        "method: grid",
        "metric: {name: loss}",
        "parameters: {a: {values: [1, 2]}}",
    )

    ended = await place.sweeper("run", file, "--json", "--log-format", "json")

    rows = json.loads(ended.out)
    assert [(row["trial"], row["state"], row["objective"]) for row in rows] == [
        (0, "completed", 0.0),
        (1, "completed", 1.0),
    ]
    assert all(json.loads(line)["level"] for line in ended.err.splitlines())


async def test_the_quickstart_really_trains(place: Place) -> None:
    shutil.copytree(ROOT / "configs", place.folder / "configs")
    file = place.folder / "configs" / "quickstart.yaml"
    text = file.read_text().replace("value: 120", "value: 5")
    file.write_text(text)

    ended = await place.sweeper("run", "configs/quickstart.yaml", "--json")

    rows = json.loads(ended.out)
    assert ended.code == 0, ended.err
    assert len(rows) == 12
    assert all(row["state"] == "completed" and row["attempts"] == 1 for row in rows)
    assert len({row["objective"] for row in rows}) > 6
    assert not list((place.folder / "checkpoints").glob("*"))


async def test_a_failed_trial_makes_the_exit_code_1_and_says_why(place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'exit ${code}']",
        "parameters: {code: {values: [0, 3]}}",
    )

    ended = await place.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    assert ended.code == 1
    assert [row["state"] for row in rows] == ["completed", "failed"]
    assert "exit code 3" in rows[1]["reason"]


async def test_failed_trials_are_tried_again_within_their_budget(place: Place) -> None:
    file = place.sweep(
        "method: grid",
        "command: [sh, -c, 'echo x >> tries; test $(wc -l < tries) -ge 3']",
        "parameters: {a: {value: 1}}",
        "retry: {application: {attempts: 2, backoff: 0.1}}",
    )

    ended = await place.sweeper("run", file, "--json")

    assert ended.code == 0, ended.err
    assert json.loads(ended.out)[0]["attempts"] == 3


async def test_a_sweep_that_is_over_shows_its_results_again_and_starts_nothing(
    place: Place,
) -> None:
    place.script(RECORDING)
    file = place.sweep("program: train.py", "method: grid", "parameters: {a: {values: [1, 2]}}")
    await place.sweeper("run", file)

    again = await place.sweeper("run", file, "--json")

    assert again.code == 0
    assert len(json.loads(again.out)) == 2
    assert len(lines_of(place.folder / "ran.txt")) == 2


async def test_500_trials_that_do_nothing_run_eight_at_a_time(place: Place) -> None:
    file = place.sweep(
        "name: noop",
        "method: grid",
        "command: ['true']",
        "parameters: {i: {min: 1, max: 500}}",
        "limits: {active: 8}",
    )

    ended = await place.sweeper("run", file, "--json", "--log-level", "warning")

    rows = json.loads(ended.out)
    assert ended.code == 0, ended.err
    assert [row["trial"] for row in rows] == list(range(500))
    assert {row["state"] for row in rows} == {"completed"}


@pytest.mark.parametrize("size", [1_000_000, 10**9])
async def test_a_huge_grid_is_planned_and_begun_like_a_small_one(place: Place, size: int) -> None:
    file = place.sweep(
        "name: huge",
        "method: grid",
        "command: [sh, -c, 'exit 1']",
        f"parameters: {{a: {{min: 1, max: {size}}}}}",
        "limits: {active: 2, failures: 2}",
    )

    planned = await place.sweeper("plan", file, "--json")
    ended = await place.sweeper("run", file)

    plan = json.loads(planned.out)
    assert plan["trials"] == size
    assert plan["last"]["params"] == {"a": size}
    assert ended.code == 1
    assert "limits.failures: 2" in ended.err
