import asyncio

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.settings import Settings
from tests.cli.conftest import Run
from tests.support.builders import a_sweep, a_trial, workload_name
from tests.support.places import a_kept_sweep


def _printed(folder: SweepFolder, number: int, text: str, attempt: int = 1) -> None:
    file = folder.log_file(workload_name(number, attempt))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_logs_are_what_the_newest_attempt_printed(
    sweeper: Run, demo: SweepFolder, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _printed(demo, 2, "epoch 1\nepoch 2\n")

    assert sweeper("logs", "demo", "2") == 0
    assert capfdbinary.readouterr().out == b"epoch 1\nepoch 2\n"


def test_following_ends_with_a_trial_that_is_settled(
    sweeper: Run, demo: SweepFolder, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _printed(demo, 0, "done\n")

    assert sweeper("logs", "demo", "0", "--follow") == 0
    assert capfdbinary.readouterr().out == b"done\n"


def test_an_attempt_may_be_named(
    sweeper: Run, demo: SweepFolder, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _printed(demo, 1, "first\n")

    assert sweeper("logs", "demo", "1", "--attempt", "1") == 0
    assert sweeper("logs", "demo", "1", "--attempt", "2") == 2

    out, err = capfdbinary.readouterr()
    assert out == b"first\n"
    assert b"--attempt 2: trial 1 has had 1" in err


@pytest.mark.usefixtures("demo")
def test_a_log_that_is_not_there_is_told_with_its_place(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("logs", "demo", "0") == 2
    assert "has not started yet, or its log was deleted" in capsys.readouterr().err


def test_logs_of_a_cluster_are_where_the_cluster_keeps_them(
    sweeper: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = a_sweep(control_plane="https://runai.example.com")
    asyncio.run(a_kept_sweep(settings, sweep=sweep, trials=[a_trial(0, version=0)]))

    assert sweeper("logs", "demo", "0") == 2
    assert "`runai training logs NAME`" in capsys.readouterr().err
