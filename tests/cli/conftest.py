import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.phase import Phase
from sweeper.domain.record import Report
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.settings import Settings
from tests.support.builders import NOW, a_sweep, a_trial
from tests.support.places import a_kept_sweep, settings_in

Run: TypeAlias = Callable[..., int]


@pytest.fixture(autouse=True)
def _own_places(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test an environment and a state directory of its own."""
    for name in tuple(os.environ):
        if name.startswith(("RUNAI_", "SWEEPER_", "XDG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("h")))
    monkeypatch.setenv("SWEEPER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings that a verb of the test reads from its environment."""
    return settings_in(tmp_path)


@pytest.fixture
def sweeper() -> Run:
    """Runs a command line and returns its exit code."""
    from sweeper.cli.main import run_command

    def run(*arguments: str | Path) -> int:
        return run_command([str(argument) for argument in arguments])

    return run


@pytest.fixture
def demo(settings: Settings) -> SweepFolder:
    """A sweep called demo: one trial completed, one failed, one at work."""
    trials = [
        a_trial(0, state=TrialState.COMPLETED, phase=Phase.COMPLETED, version=0),
        a_trial(1, state=TrialState.FAILED, phase=Phase.FAILED, version=0, exit_code=3),
        a_trial(2, version=0),
    ]
    reports = [_report(0, 0.25), _report(2, 0.75)]
    sweep = a_sweep(objective="loss", goal=Goal.MINIMIZE)
    return asyncio.run(
        a_kept_sweep(settings, sweep=sweep, trials=trials, reports=reports, file=Path("demo.yaml"))
    )


def _report(trial: int, loss: float) -> Report:
    return Report(trial=trial, key=f"key-{trial}", at=NOW, values={"loss": loss}, step=1)


def write_sweep(folder: Path, *lines: str, name: str = "sweep.yaml") -> Path:
    """Write a sweep file and return its path."""
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def lines_of(text: str) -> Sequence[str]:
    """Return the lines of an output without those that are empty."""
    return [line for line in text.splitlines() if line.strip()]
