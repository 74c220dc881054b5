import os
from pathlib import Path

import pytest

from sweeper.settings import Settings
from tests.support.places import settings_in


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep sockets short and settings away from the machine's."""
    for name in tuple(os.environ):
        if name.startswith(("RUNAI_", "SWEEPER_", "XDG_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("h")))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that keep sweeps below the test's own folder."""
    return settings_in(tmp_path)
