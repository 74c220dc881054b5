import errno
import io
import sys

import pytest

from sweeper.cli import main as cli
from sweeper.cli.exits import Exit
from sweeper.errors import StoreError
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "arguments", [("--nope",), ("nope",), ("run",), ("show", "demo"), ("show", "demo", "x")]
)
def test_a_command_line_that_makes_no_sense_exits_with_2(
    sweeper: Run, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper(*arguments) == 2
    assert "Error:" in capsys.readouterr().err


def test_without_arguments_the_help_is_shown(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper() == 2
    assert "Usage: sweeper" in "".join(capsys.readouterr())


def test_help_names_every_verb_and_the_exit_codes(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("--help") == 0

    out = capsys.readouterr().out
    verbs = {command.name or "" for command in cli.app.registered_commands}
    assert {"run", "plan", "results", "cancel", "retry", "health"} <= verbs
    assert [verb for verb in verbs if verb not in out] == []
    assert "4 another daemon owns" in " ".join(out.split())


@pytest.mark.parametrize(
    "flag", ["--client-secret=hunter2", "--token=hunter2", "--password=hunter2"]
)
def test_a_secret_on_the_command_line_is_refused_and_never_repeated(
    sweeper: Run, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("run", "sweep.yaml", flag) == 2

    err = capsys.readouterr().err
    assert "RUNAI_CLIENT_SECRET_FILE" in err
    assert "hunter2" not in err


def test_a_fault_of_ours_exits_with_70_and_tells_the_whole_story(
    sweeper: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(cli, "app", broken)

    assert sweeper("ls") == Exit.INTERNAL
    err = capsys.readouterr().err
    assert "internal fault" in err
    assert "ZeroDivisionError: canary" in err


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the output: No space left"),
        (OSError(errno.EIO, "Input/output error", "/state/x"), "/state/x: Input/output error"),
    ],
)
def test_a_disk_that_is_full_or_fails_is_no_fault_of_ours(
    sweeper: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    place: str,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", full)
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    assert sweeper("ls") == Exit.INTERNAL
    err = capsys.readouterr().err
    assert err.startswith(f"sweeper: {place}")
    assert "make room" in err


def test_an_error_of_ours_is_one_line_without_a_traceback(
    sweeper: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(cli, "app", broken)

    assert sweeper("ls") == Exit.INTERNAL
    assert capsys.readouterr().err == "sweeper: the disk is full\n"


def test_a_reader_that_has_seen_enough_is_no_error(
    sweeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(cli, "app", closed)
    monkeypatch.setattr("sys.stdout", None)

    assert sweeper("ls") == 0


def test_an_interrupted_verb_exits_as_a_shell_expects(
    sweeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)

    assert sweeper("ls") == 130
