"""systemd itself reads the unit, and judges how much it may do."""

import configparser
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from sweeper.cli.exits import Exit
from sweeper.daemon.service import STOP_GRACE, STUCK_AFTER

_UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "sweeper@.service"

_MOST_EXPOSED = 25
"""Tenths, of 100; what a unit without any of it has is 96."""


@pytest.fixture
def service() -> configparser.SectionProxy:
    """The section [Service], in which a name that comes again counts by its last value."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(_UNIT, encoding="utf-8")
    return parser["Service"]


@pytest.mark.needs("systemd-analyze")
def test_systemd_has_nothing_against_the_unit(tmp_path: Path) -> None:
    # It looks for the program as well.
    program = Path(sys.executable).with_name("sweeper")
    instance = tmp_path / "sweeper@nightly.service"
    text = _UNIT.read_text(encoding="utf-8").replace("/usr/local/bin/sweeper", str(program))
    instance.write_text(text, encoding="utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", str(instance)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_little_that_the_daemon_may_do() -> None:
    asked = ["security", "--offline=yes", f"--threshold={_MOST_EXPOSED}", str(_UNIT)]

    done = subprocess.run(["systemd-analyze", *asked], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-3000:]


def test_the_watchdog_waits_longer_than_a_tick_may_take(service: configparser.SectionProxy) -> None:
    longest = timedelta(minutes=float(service["WatchdogSec"].removesuffix("min")))

    assert longest.total_seconds() > STUCK_AFTER


def test_a_stop_waits_longer_than_the_daemon_gives_its_tick(
    service: configparser.SectionProxy,
) -> None:
    assert float(service["TimeoutStopSec"].removesuffix("s")) > STOP_GRACE


def test_only_the_daemon_is_told_to_end(service: configparser.SectionProxy) -> None:
    assert service["KillMode"] == "process"


def test_a_daemon_is_not_started_again_where_a_person_has_to_act(
    service: configparser.SectionProxy,
) -> None:
    final = {Exit.UNFINISHED, Exit.USAGE, Exit.OWNED}

    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == final
    assert {int(code) for code in service["SuccessExitStatus"].split()} == {
        Exit.OUT_OF_TIME,
        Exit.SIGTERM,
    }
