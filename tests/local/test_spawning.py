import os
from pathlib import Path

import pytest

from sweeper.local.runtime import StartError, StartOrder
from sweeper.local.spawning import check_texts, find_program, spawn


def an_order(tmp_path: Path, *argv: str, path: str = "/bin", log: str = "log") -> StartOrder:
    return StartOrder(
        key="a",
        argv=argv,
        directory=str(tmp_path),
        environment={"PATH": path},
        log_file=str(tmp_path / log),
    )


def a_program(path: Path, mode: int = 0o700) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_name_is_looked_up_in_the_path_of_the_order(tmp_path: Path) -> None:
    a_program(tmp_path / "first" / "train", mode=0o600)
    (tmp_path / "second" / "train").mkdir(parents=True)
    program = a_program(tmp_path / "third" / "train")

    order = an_order(tmp_path, "train", path=f"first:{tmp_path}/second:third")

    assert find_program(order) == str(program)


def test_an_empty_place_of_the_path_is_the_directory_of_the_order(tmp_path: Path) -> None:
    program = a_program(tmp_path / "train")

    assert find_program(an_order(tmp_path, "train", path="/bin:")) == str(program)


def test_a_name_with_a_slash_is_looked_for_in_the_directory_alone(tmp_path: Path) -> None:
    program = a_program(tmp_path / "bin" / "train")

    assert find_program(an_order(tmp_path, "bin/train")) == str(program)
    assert find_program(an_order(tmp_path, str(program))) == str(program)


def test_a_program_that_may_not_be_executed_is_named(tmp_path: Path) -> None:
    program = a_program(tmp_path / "train", mode=0o600)

    with pytest.raises(StartError, match=f"{program} is not executable"):
        find_program(an_order(tmp_path, "train", path=str(tmp_path)))


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no directory .*gone to work in"):
        find_program(an_order(tmp_path / "gone", "true"))


@pytest.mark.parametrize("log", ["file/log", "folder", "pipe"])
def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path, log: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(StartError, match=f"the log file .*{log} cannot be opened"):
        spawn(an_order(tmp_path, "true", log=log), [])


@pytest.mark.parametrize(
    ("texts", "message"), [("a\0b", "NUL"), ("\ud800", "no text")], ids=["nul", "surrogate"]
)
def test_text_that_no_process_can_hold_is_refused(tmp_path: Path, texts: str, message: str) -> None:
    with pytest.raises(StartError, match=message):
        check_texts(an_order(tmp_path, "true", path=texts))
