"""Real processes of `sweeper` in a tenth of the time: forked from one that has imported it."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGKILL, Signals

import pytest

from tests.acceptance import dying
from tests.acceptance.daemons import Place
from tests.acceptance.dying import NOWHERE, Command

LONGEST = 120.0
"""Seconds after which a process that should have ended is given up: many of them run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """How a forked command line ended: its exit code, or minus the number of a signal."""

    code: int
    out: str
    err: str
    crossings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forks:
    """Starts command lines of `sweeper` in processes forked from one fork server."""

    context: ForkServerContext

    async def run(
        self, place: Place, *arguments: str | Path, at: int = NOWHERE, signal: Signals = SIGKILL
    ) -> Forked:
        """Run a command line to its end, with the signal at the crossing `at`, or unwatched."""
        async with self.start(place, *arguments, at=at, signal=signal) as process:
            return await process.end()

    @asynccontextmanager
    async def start(
        self, place: Place, *arguments: str | Path, at: int = NOWHERE, signal: Signals = SIGKILL
    ) -> AsyncIterator["Fork"]:
        """Start a command line; it is killed when the block ends before it."""
        folder = place.folder / f"process-{len(list(place.folder.glob('process-*')))}"
        folder.mkdir()
        command = Command(
            arguments=[*map(str, arguments)],
            environment=_uncovered(place.environment()),
            folder=place.folder,
            out=folder / "out",
            err=folder / "err",
            trace=folder / "trace" if at != NOWHERE else None,
            at=at,
            signal=signal,
        )
        process = self.context.Process(target=dying.live, args=(command,))
        process.start()
        try:
            yield Fork(process, command)
        finally:
            process.kill()
            process.join()


@dataclass(frozen=True, slots=True)
class Fork:
    """A process that runs."""

    process: BaseProcess
    command: Command

    async def end(self) -> Forked:
        """Wait for its end."""
        async with asyncio.timeout(LONGEST):
            await self._ended()
        code = self.process.exitcode
        assert code is not None
        trace = self.command.trace
        crossings = trace.read_text().splitlines() if trace and trace.exists() else []
        return Forked(
            code=code,
            out=self.command.out.read_text(),
            err=self.command.err.read_text(),
            crossings=tuple(crossings),
        )

    async def _ended(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
        self.process.join()


@contextmanager
def fork_server() -> Iterator[Forks]:
    """Have a process that has everything imported; it ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([dying.__name__])
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - _uncovered(os.environ).keys():
            patch.delenv(name)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        first = context.Process(target=_nothing)
        first.start()
    first.join()
    yield Forks(context)


def _nothing() -> None:
    """Be there, so that the server is."""


def _uncovered(environment: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """Leave out what measures coverage: who is killed leaves none, and would only take longer."""
    return {name: text for name, text in environment.items() if not name.startswith("COV")}


def below(place: Place, name: str) -> Place:
    """Return a place of its own within another one."""
    folder = place.folder / name
    folder.mkdir()
    return replace(place, folder=folder)
