from pathlib import Path

import pytest

from sweeper.bootstrap.programs import require_program
from sweeper.errors import SettingsError


def test_what_can_be_found_is_fine(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()

    require_program(["/usr/bin/env", "python", "train.py", "--lr=1"], "train.py", tmp_path)


def test_an_interpreter_that_is_missing_is_told_with_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/canary/bin")

    with pytest.raises(SettingsError, match=r"'pythonn', which is nowhere on PATH \(/canary/bin\)"):
        require_program(["/usr/bin/env", "pythonn", "train.py"], "train.py", tmp_path)


def test_a_program_that_is_missing_is_told_with_the_directory(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"train.py: no such file in {tmp_path}"):
        require_program(["sh", "train.py"], "train.py", tmp_path)


def test_a_path_is_looked_for_from_the_directory_of_the_trials(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.touch(mode=0o755)

    require_program(["./run.sh"], None, tmp_path)

    script.chmod(0o644)
    with pytest.raises(SettingsError, match=r"'\./run.sh'"):
        require_program(["./run.sh"], None, tmp_path)


def test_env_that_sets_a_variable_is_taken_as_it_is(tmp_path: Path) -> None:
    require_program(["/usr/bin/env", "A=1", "nowhere"], None, tmp_path)
