"""Real daemons in processes of their own, awaited by what they print."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_OURS = (" -m sweeper", "multiprocessing.forkserver")
"""What is in the command line of every daemon and verb that tests start."""

PATIENCE = 60.0
"""Seconds after which something that should have happened is given up."""


@dataclass(kw_only=True)
class Place:
    """Where sweeps of a test live: a state directory, a runtime directory, an environment."""

    folder: Path
    runtime: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.folder / "state"

    def environment(self) -> dict[str, str]:
        """Return the environment of a daemon, with nothing of the machine's own but the path."""
        kept = {name: text for name, text in os.environ.items() if _is_kept(name)}
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "SWEEPER_STATE_DIR": str(self.state),
            "SWEEPER_LISTEN": "127.0.0.1:0",
            "PYTHONUNBUFFERED": "1",
            **self.variables,
        }

    def sweep(self, *lines: str, name: str = "sweep.yaml") -> Path:
        """Write a sweep file and return its path."""
        file = self.folder / name
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def script(self, text: str, name: str = "train.py") -> Path:
        """Write a training program and return its path."""
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file

    @asynccontextmanager
    async def run(self, *arguments: str | Path) -> AsyncIterator["Daemon"]:
        """Start `sweeper` with these arguments; it is killed when the block ends before it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sweeper",
            *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env=self.environment(),
            cwd=self.folder,
        )
        daemon = Daemon(process=process)
        try:
            yield daemon
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    async def sweeper(self, *arguments: str | Path) -> "Ended":
        """Run a command line to its end."""
        async with self.run(*arguments) as daemon:
            return await daemon.end()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


@dataclass(kw_only=True)
class Daemon:
    """A process of `sweeper`, and what it has said on stderr so far."""

    process: Process
    said: list[str] = field(default_factory=list)

    async def says(self, words: str) -> str:
        """Wait for a line that holds `words`, and return it."""
        return await self.line(lambda line: words in line)

    async def line(self, fits: Callable[[str], bool]) -> str:
        """Wait for a line that fits, and return it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while raw := await self.process.stderr.readline():
                line = raw.decode()
                self.said.append(line)
                if fits(line):
                    return line
        raise AssertionError("it ended without saying so:\n" + "".join(self.said))

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    async def kill(self) -> None:
        """Kill the process as nothing can be caught or finished, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()

    async def end(self) -> Ended:
        """Wait for the end."""
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        code = self.process.returncode
        assert code is not None
        return Ended(code=code, out=out.decode(), err="".join(self.said) + err.decode())


async def waiting_at(gate: Path) -> int:
    """Wait until a training has opened the pipe `gate` to read from it; return its other end."""
    opening = asyncio.get_running_loop().run_in_executor(None, os.open, gate, os.O_WRONLY)
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.shield(opening)
    except TimeoutError:
        # Nobody came: a reader of our own lets go of the thread that waits.
        os.close(os.open(gate, os.O_RDWR))
        os.close(await opening)
        raise


def lines_of(file: Path) -> Sequence[str]:
    """Return the lines of a file, none when there is no file."""
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def processes_of(place: Place) -> Sequence[psutil.Process]:
    """Return the supervisors and trainings of a place: its processes that are no `sweeper`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline())
            is_here = process.cwd() == str(place.folder) or str(place.folder) in words
            if is_here and not any(mark in words for mark in _OURS):
                found.append(process)
    return found


def _is_kept(name: str) -> bool:
    # Coverage of processes is switched on by its own variables.
    return name.startswith(("COV", "LANG", "LC_", "TERM", "TMP"))
