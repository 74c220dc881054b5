"""The verbs about sweep files: plan, validate, schema."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, lines_of, write_sweep

GOOD = ("name: demo", "method: grid", "command: [train]", "parameters: {a: {values: [1, 2]}}")


def test_plan_shows_what_a_file_means(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("plan", write_sweep(tmp_path, *GOOD)) == 0

    out = capsys.readouterr().out
    assert "sweep demo, grid" in out
    assert "2 trials" in out


def test_plan_says_what_a_sweep_takes_when_a_trials_length_is_given(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("plan", write_sweep(tmp_path, *GOOD), "--trial-duration", "10m") == 0
    assert "at 10m00s a trial" in capsys.readouterr().out


def test_a_length_that_is_none_is_refused(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("plan", write_sweep(tmp_path, *GOOD), "--trial-duration", "soon") == 2
    assert "--trial-duration: 'soon' is no length of time" in capsys.readouterr().err


def test_plan_goes_on_after_a_bad_file_and_exits_with_2_at_the_end(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write_sweep(tmp_path, "method: gird", name="bad.yaml")
    good = write_sweep(tmp_path, *GOOD)

    assert sweeper("plan", bad, good, "--json") == 2

    first, second = (json.loads(line) for line in lines_of(capsys.readouterr().out))
    assert first["file"] == str(bad)
    assert set(first["errors"][0]) == {"line", "column", "path", "message"}
    assert second["trials"] == 2


def test_faults_go_to_stderr_unless_json_is_asked_for(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("plan", write_sweep(tmp_path, "method: gird")) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "sweep.yaml:1:9: method" in err


def test_a_file_that_does_not_exist_is_a_fault_of_it(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("plan", tmp_path / "nowhere.yaml", "--json") == 2
    assert json.loads(capsys.readouterr().out)["errors"][0]["line"] == 0


def test_validate_has_a_line_for_each_good_file(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_sweep(tmp_path, *GOOD)

    assert sweeper("validate", file, file) == 0
    assert lines_of(capsys.readouterr().out) == [f"{file}: ok, 2 trials"] * 2


@pytest.mark.parametrize("verb", ["plan", "validate"])
def test_fields_of_a_later_version_pass_with_that_version(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    training = "training: {project: p, spec: {image: i, command: c, preemptibility: preemptible}}"
    file = write_sweep(tmp_path, *GOOD[:2], GOOD[3], training)

    assert sweeper(verb, file) == 2
    assert "needs --api-version 2.24" in capsys.readouterr().err
    assert sweeper(verb, file, "--api-version", "2.24") == 0


def test_validate_names_every_fault(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_sweep(tmp_path, "method: gird", "parameters: {}")

    assert sweeper("validate", file) == 2
    assert sweeper("validate", file, "--json") == 2

    out, err = capsys.readouterr()
    assert len(lines_of(err)) == len(json.loads(out)["errors"]) == 2


def test_strict_refuses_what_is_only_a_warning(sweeper: Run, tmp_path: Path) -> None:
    file = write_sweep(tmp_path, *GOOD, "xyzzy: 1")

    assert sweeper("validate", file) == 0
    assert sweeper("validate", file, "--strict") == 2


def test_the_schema_is_one_json_document(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("schema") == 0

    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "parameters" in schema["properties"]
