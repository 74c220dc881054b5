import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemons import Place


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests with real processes the time that those take on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
            item.add_marker(pytest.mark.timeout(240))


def _open_gates(folder: Path) -> None:
    """Let go of trainings that still wait, so that nothing outlives its test."""
    for gate in folder.glob("gate"):
        with contextlib.suppress(OSError):
            os.close(os.open(gate, os.O_RDWR | os.O_NONBLOCK))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the test's sweeps live; a socket's path must be short."""
    runtime = Path(tempfile.mkdtemp(prefix="swp-"))
    yield Place(folder=tmp_path, runtime=runtime)
    _open_gates(tmp_path)
    shutil.rmtree(runtime, ignore_errors=True)
