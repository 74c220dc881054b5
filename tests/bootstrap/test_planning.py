import json
from pathlib import Path
from typing import Any

import pytest

from sweeper.bootstrap.planning import check_file, check_text, plan_file, plan_text
from sweeper.settings import Settings

CONFIGS = sorted((Path(__file__).parent.parent.parent / "configs").glob("*.yaml"))


def _plan(folder: Path, settings: Settings, *lines: str, **options: bool) -> dict[str, Any]:
    file = folder / "sweep.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    strict, local = options.get("strict", False), options.get("local", False)
    return plan_file(file, settings, strict=strict, local=local)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_every_example_can_be_planned(file: Path, settings: Settings) -> None:
    planned = plan_file(file, settings, strict=False, local=False)

    assert "errors" not in planned
    assert planned["trials"] > 0
    json.dumps(planned)


def test_there_are_examples_of_each_kind() -> None:
    assert {file.stem for file in CONFIGS} >= {"quickstart", "wandb", "runai", "nightly"}


def test_a_plan_has_the_keys_that_programs_rely_on(tmp_path: Path, settings: Settings) -> None:
    planned = _plan(
        tmp_path,
        settings,
        "name: demo",
        "program: train.py",
        "method: grid",
        "seed: 3",
        "parameters: {lr: {values: [0.1, 0.2, 0.3]}, n: {min: 1, max: 4}}",
    )

    assert planned["sweep"] == {"name": "demo", "method": "grid", "seed": 3}
    assert planned["trials"] == 12
    assert [trial["number"] for trial in planned["first"]] == [0, 1, 2, 3, 4]
    assert planned["first"][0] == {
        "number": 0,
        "params": {"lr": 0.1, "n": 1},
        "argv": ["/usr/bin/env", "python", "train.py", "--lr=0.1", "--n=1"],
    }
    assert planned["last"]["params"] == {"lr": 0.3, "n": 4}
    assert planned["space"]["lr"] == {
        "distribution": "categorical",
        "median": 0.2,
        "values": [0.1, 0.2, 0.3],
    }
    assert planned["early_terminate"] is None
    assert planned["violations"] == planned["warnings"] == []


def test_an_unbounded_sweep_has_no_count_and_no_last_trial(
    tmp_path: Path, settings: Settings
) -> None:
    planned = _plan(
        tmp_path,
        settings,
        "method: random",
        "program: t.py",
        "parameters: {lr: {min: 0.0, max: 1.0}}",
    )

    assert planned["trials"] is planned["last"] is None
    assert len(planned["first"]) == 5


def test_hyperband_bands_are_told(tmp_path: Path, settings: Settings) -> None:
    planned = _plan(
        tmp_path,
        settings,
        "method: random",
        "program: t.py",
        "metric: {name: loss}",
        "parameters: {lr: {min: 0.0, max: 1.0}}",
        "early_terminate: {type: hyperband, max_iter: 27, s: 2}",
    )

    assert planned["early_terminate"]["bands"] == [3, 9]


def test_a_training_section_shows_the_request_body(tmp_path: Path, settings: Settings) -> None:
    planned = _plan(
        tmp_path,
        settings,
        "name: demo",
        "method: grid",
        "parameters: {lr: {values: [0.1]}}",
        "training:",
        "  projectId: '7'",
        "  cluster: c",
        "  spec: {image: x, command: train, args: '--lr ${lr}'}",
    )

    body = planned["first"][0]["training"]
    assert body["name"] == "demo-0000000000-0-1"
    assert (body["projectId"], body["clusterId"]) == ("7", "<id of the cluster c>")
    assert body["spec"]["args"] == "--lr 0.1"


def test_a_sweep_with_nothing_to_start_is_planned_with_a_warning(
    tmp_path: Path, settings: Settings
) -> None:
    planned = _plan(tmp_path, settings, "method: grid", "parameters: {a: {value: 1}}")

    assert planned["first"][0]["argv"] is None
    warnings = [warning["message"] for warning in planned["warnings"]]
    assert warnings == ["there is no program to start: add `program:`"]


def test_faults_are_told_with_their_places(tmp_path: Path, settings: Settings) -> None:
    planned = _plan(tmp_path, settings, "method: gird", "parameters: {a: {value: 1}}")

    assert planned["errors"][0] | {"line": 1, "column": 9, "path": "method"} == planned["errors"][0]
    assert "sweep.yaml:1:9: method" in plan_text(planned)


@pytest.mark.parametrize(
    ("lines", "many"),
    [
        (("method: grid", "parameters: {a: {min: 1, max: 9}}"), "9 trials"),
        (("method: random", "parameters: {a: {min: 1, max: 9}}"), "no end of trials"),
    ],
)
def test_a_sweep_larger_than_max_trials_is_refused(
    tmp_path: Path, settings: Settings, lines: tuple[str, ...], many: str
) -> None:
    planned = _plan(tmp_path, settings, *lines, "command: [a]", "limits: {max_trials: 8}")

    assert many in planned["errors"][0]["message"]


def test_a_grid_beyond_all_counting_is_refused(tmp_path: Path, settings: Settings) -> None:
    many = ", ".join(f"p{number}: {{min: 1, max: 1000000000}}" for number in range(120))

    planned = _plan(tmp_path, settings, "method: grid", "command: [a]", f"parameters: {{{many}}}")

    assert "10^1000" in planned["errors"][0]["message"]


def test_secrets_of_the_environment_are_not_shown(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_API_KEY", "hunter2")
    monkeypatch.setenv("REGION", "north")

    planned = _plan(
        tmp_path,
        settings,
        "method: grid",
        "command: [a, '${envvar:CANARY_API_KEY}', '${envvar:REGION}']",
        "parameters: {a: {value: 1}}",
    )

    assert planned["first"][0]["argv"] == ["a", "***", "north"]


def test_a_plan_reads_well(tmp_path: Path, settings: Settings) -> None:
    text = plan_text(
        _plan(
            tmp_path,
            settings,
            "name: demo",
            "method: random",
            "run_cap: 9",
            "command: [train, '${args}']",
            "metric: {name: loss}",
            "early_terminate: {type: hyperband, min_iter: 3}",
            "parameters: {lr: {min: 0.0, max: 1.0}, opt: {parameters: {m: {values: [1, 2]}}}}",
        )
    )

    assert "sweep demo, random" in text
    assert "9 trials" in text
    assert "lr: uniform median 0.5, min 0.0, max 1.0" in text
    assert "opt:\n      m: categorical" in text
    assert "hyperband at 3, 9, 27, 81" in text
    assert "trial 0: train --lr=" in text
    assert "last, trial 8: train" in text


def test_validate_says_one_line_for_a_good_file(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text("method: grid\ncommand: [a]\nparameters: {a: {value: 1}}\nxyzzy: 1\n")

    checked = check_file(file, settings, strict=False, local=False)
    strict = check_file(file, settings, strict=True, local=False)

    assert check_text(checked).splitlines()[0] == f"{file}: ok, 1 trial"
    assert "W&B would complain: 4:1" in check_text(checked)
    assert "first" not in checked
    assert strict["errors"]


def test_no_text_of_a_file_moves_a_cursor_or_makes_a_line(
    tmp_path: Path, settings: Settings
) -> None:
    parameters = '{"a\\u202e": {value: "b\\u2066 c\\nd"}, n\\u200b: {parameters: {k: {value: 1}}}}'
    file = tmp_path / "sweep.yaml"
    file.write_text(f"method: grid\nname: demo\nprogram: t.py\nparameters: {parameters}\n")

    text = plan_text(plan_file(file, settings, strict=False, local=False))

    assert "a\\u202e" in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("d") for line in text.split("\n"))
