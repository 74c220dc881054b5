import subprocess
import sys
from pathlib import Path

import pytest


def _lines_of(module: str, *arguments: Path) -> list[str]:
    command = [sys.executable, "-m", f"tests.store.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.timeout(60)
def test_a_commit_cut_short_by_a_kill_leaves_all_or_nothing(tmp_path: Path) -> None:
    *cut_short, whole = _lines_of("crashing", tmp_path)

    assert set(cut_short) == {"1 1 1"}
    assert len(cut_short) >= 8
    assert whole == "5 2 5"


@pytest.mark.timeout(60)
def test_a_disk_without_room_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    refusal, outcome = _lines_of("filling", tmp_path / "store.db")

    assert "the disk fails, is full" in refusal
    assert outcome == "True True"
