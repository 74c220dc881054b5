"""Plant bugs one at a time into a copy of the project, and let the tests find them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.planted.bug import Bug

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 900.0
"""A bug that makes tests hang is found, too; each of them has a timeout of its own."""

_PARTS = ("sweeper", "tests", "configs", "docs", "pyproject.toml", "README.md", "ARCHITECTURE.md")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What found a bug: the first test that failed ("": none), the first seed (None: none)."""

    bug: Bug
    test: str
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A copy of the project's files, in which bugs come and go."""

    path: Path

    @contextmanager
    def planted(self, bug: Bug) -> Iterator[None]:
        """Have the bug in the tree for a while."""
        file = self.path / bug.path
        sound = file.read_text(encoding="utf-8")
        bug.plant(self.path)
        _forget_bytecode(file)
        try:
            yield
        finally:
            file.write_text(sound, encoding="utf-8")
            _forget_bytecode(file)

    def first_failure(self, *arguments: str) -> str:
        """Run pytest up to the first test that fails; return its name, "" if none does.

        Raises:
            RuntimeError: pytest could not run the tests.
        """
        done = self._run("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments)
        if done is None:
            return "a timeout"
        found = _FAILED.search(done.stdout)
        if found is not None:
            return found[1]
        if done.returncode:
            raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout}{done.stderr}")
        return ""

    def first_seed(self, seeds: int) -> int | None:
        """Return the first of so many seeds of the simulation that shows a fault, None if none."""
        done = self._run("-m", "tests.planted.seeds", str(seeds))
        if done is None:
            raise RuntimeError(f"{seeds} seeds took longer than {TIMEOUT_SECONDS:.0f} s")
        if done.returncode:
            raise RuntimeError(f"the simulation ended with {done.returncode}: {done.stderr}")
        seed, *_ = done.stdout.split() or [""]
        return int(seed) if seed else None

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str] | None":
        environment = {**os.environ, "PYTHONPATH": str(self.path), "PYTHONHASHSEED": "0"}
        try:
            return subprocess.run(
                [sys.executable, *arguments],
                cwd=self.path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def copied() -> Iterator[Tree]:
    """Copy the project into a folder of its own for a while."""
    with TemporaryDirectory(prefix="planted-") as folder:
        path = Path(folder)
        copy_project(path)
        yield Tree(path=path)


def copy_project(folder: Path) -> None:
    """Copy what the tests need into a folder that is made if need be."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)


def _forget_bytecode(file: Path) -> None:
    """Remove what was compiled from a file: within a second, it would pass for fresh."""
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()
