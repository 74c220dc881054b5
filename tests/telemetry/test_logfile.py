import logging
from pathlib import Path

import pytest

from sweeper.errors import SettingsError
from sweeper.telemetry.logfile import FORMER_LOGS, LogFile
from sweeper.telemetry.logs import log_lines

_log = logging.getLogger("sweeper.test")


def logging_to(path: Path, *, smallest: int = 0) -> LogFile:
    file = LogFile(path, logging.Formatter("%(message)s"))
    file.maxBytes = smallest
    return file


def test_lines_are_appended_where_only_this_user_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "nightly.log"

    for line in ("first", "second"):
        with log_lines(secrets=tuple, more=lambda formatter: [LogFile(path, formatter)]):
            _log.info(line)

    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["first", "second"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_is_no_more_in_the_file_than_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "nightly.log"

    with log_lines(secrets=lambda: ["hunter22"], more=lambda form: [LogFile(path, form)]):
        _log.info("the password is %s", "hunter22")

    assert "the password is" in path.read_text()
    assert "hunter22" not in path.read_text()


def test_a_file_that_grows_is_turned_over_and_few_former_ones_are_kept(tmp_path: Path) -> None:
    file = logging_to(tmp_path / "n.log", smallest=20)

    for number in range(30):
        file.emit(logging.makeLogRecord({"msg": f"line number {number}"}))
    file.close()

    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["n.log", *(f"n.log.{number}" for number in range(1, FORMER_LOGS + 1))]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    assert (tmp_path / "n.log").read_text() == "line number 29\n"


def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"log_file: .*n\.log cannot be written: No such"):
        logging_to(tmp_path / "missing" / "n.log")


def test_a_file_that_cannot_be_written_any_more_loses_lines_and_says_so_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = logging_to(tmp_path / "n.log")
    assert file.stream is not None
    file.stream.close()

    for _ in range(3):
        file.emit(logging.makeLogRecord({"msg": "hunter22"}))

    said = capsys.readouterr().err
    assert said == f"sweeper: the log file {tmp_path / 'n.log'} loses lines (ValueError)\n"
