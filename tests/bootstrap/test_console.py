import json
import logging
from pathlib import Path

import pytest

from sweeper.bootstrap.console import (
    KnownSecrets,
    asks_for_json,
    console_lines,
    log_fault,
    watching,
)
from sweeper.clock import utc_now
from sweeper.settings import Settings
from sweeper.telemetry.transitions import TransitionLog
from tests.support.places import settings_in

_log = logging.getLogger("tests.console")


def test_lines_are_json_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with console_lines(settings_in(tmp_path, log_format="json")):
        _log.info("said %s", 1)

    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("INFO", "said 1")


def test_no_line_holds_a_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "secret"
    file.write_text("canary-in-file\n")
    settings = settings_in(tmp_path, client_secret="canary-in-env", client_secret_file=file)

    with console_lines(settings):
        _log.warning("canary-in-env and canary-in-file")

    assert set(KnownSecrets(settings)()) == {"canary-in-env", "canary-in-file"}
    assert "canary" not in capsys.readouterr().err


def test_a_secret_that_was_rotated_is_hidden_beside_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "secret"
    file.write_text("canary-before\n")

    with console_lines(settings_in(tmp_path, client_secret_file=file)):
        _log.warning("first canary-before")
        file.write_text("canary-afterwards\n")
        _log.warning("then canary-afterwards and canary-before")

    err = capsys.readouterr().err
    assert "then *** and ***" in err
    assert "canary" not in err


def test_a_secret_file_that_is_missing_hides_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, client_secret_file=tmp_path / "nowhere")

    assert list(KnownSecrets(settings)()) == []


def test_without_a_terminal_every_transition_is_a_line(settings: Settings) -> None:
    with (
        console_lines(settings) as lines,
        watching(settings, lines, utc_now) as watchers,
    ):
        assert [type(watcher) for watcher in watchers] == [TransitionLog]


def int_of(text: str) -> int:
    """Fail with the text in the message."""
    return int(text)


def test_a_fault_is_told_with_its_traceback_and_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNAI_CLIENT_SECRET", "canary-secret")
    with pytest.raises(ValueError, match="broken") as fault:
        int_of("broken by canary-secret")

    log_fault(fault.value)

    err = capsys.readouterr().err
    assert "internal fault, please report it (exit 70)" in err
    assert "Traceback" in err
    assert "canary-secret" not in err


def test_a_fault_is_told_without_the_secret_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("canary-in-file")
    monkeypatch.setenv("RUNAI_CLIENT_SECRET_FILE", str(tmp_path / "secret"))

    log_fault(ValueError("broken by canary-in-file"))

    assert "broken by ***" in capsys.readouterr().err


def test_a_fault_of_the_settings_is_told_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPER_LOCAL_GPUS", "many")
    monkeypatch.setenv("RUNAI_CLIENT_SECRET", "canary-secret")

    log_fault(ValueError("broken by canary-secret"))

    assert "broken by ***" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ("run x.yaml --log-format json", {}, True),
        ("run x.yaml --log-format=JSON", {}, True),
        ("run x.yaml", {"SWEEPER_LOG_FORMAT": "json"}, True),
        ("run x.yaml --log-format text", {"SWEEPER_LOG_FORMAT": "json"}, False),
        ("run x.yaml --log-format", {}, False),
        ("status x", {"SWEEPER_LOG_FORMAT": "json"}, False),
        ("", {"SWEEPER_LOG_FORMAT": "json"}, False),
        ("run x.yaml", {}, False),
        # What cannot be read as a whole is asked for this alone.
        ("run x.yaml", {"SWEEPER_LOCAL_GPUS": "many", "SWEEPER_LOG_FORMAT": "json"}, True),
    ],
)
def test_a_command_line_or_the_environment_asks_for_json(
    monkeypatch: pytest.MonkeyPatch, arguments: str, variables: dict[str, str], expected: bool
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)

    assert asks_for_json(arguments.split()) is expected


def test_a_fault_is_a_json_line_where_those_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_fault(ValueError("broken"), ["run", "x.yaml", "--log-format", "json"])

    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]
