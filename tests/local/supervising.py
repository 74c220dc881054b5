"""What the tests of real processes share: a place for a supervisor, orders, and ends to await."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sweeper.local.journal import Journal
from sweeper.local.launching import SupervisorOptions
from sweeper.local.runtime import ProcessEnd, Runtime, StartOrder
from sweeper.local.supervisor import JOURNAL
from tests.support.builders import NOW

SECONDS = 8.0
ENVIRONMENT = {"PATH": os.environ["PATH"]}


class Place:
    """A folder with all that one supervisor and its processes need."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.options = SupervisorOptions(
            directory=self.state, socket_directory=root / "sockets", now=lambda: NOW
        )

    def order(
        self,
        key: str,
        *argv: str,
        environment: Mapping[str, str] | None = None,
        locks: tuple[str, ...] = (),
    ) -> StartOrder:
        """Return an order that works in this folder and logs to `<key>.log`."""
        return StartOrder(
            key=key,
            argv=argv,
            directory=str(self.root),
            environment=ENVIRONMENT if environment is None else environment,
            log_file=str(self.root / "logs" / f"{key}.log"),
            lock_files=locks,
        )

    def script(self, key: str, text: str, locks: tuple[str, ...] = ()) -> StartOrder:
        """Return an order of a shell script."""
        return self.order(key, "sh", "-c", text, locks=locks)

    def log(self, key: str) -> str:
        """Return what a process wrote."""
        return (self.root / "logs" / f"{key}.log").read_text(encoding="utf-8")

    def fifo(self, name: str) -> Path:
        """Make a pipe that a process can wait at, or say something through."""
        path = self.root / name
        os.mkfifo(path)
        return path

    def supervisor_pid(self) -> int:
        """Return the process of the supervisor, which must have answered already."""
        return int((self.state / "supervisor.lock").read_text(encoding="ascii"))

    def wait_for_its_end(self) -> None:
        """Return once no supervisor of this place is left; blocks."""
        with (self.state / "supervisor.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    def end(self) -> None:
        """End all that still runs here."""
        if not (self.state / JOURNAL).exists():
            return
        journal = Journal.open(self.state / JOURNAL)
        journal.close()
        for identity in journal.running.values():
            with suppress(ProcessLookupError):
                os.killpg(identity.pid, signal.SIGKILL)
        self.wait_for_its_end()


@contextmanager
def a_place() -> Iterator[Place]:
    """Give a place below a short path, as sockets need; end and remove it afterwards."""
    root = Path(tempfile.mkdtemp(prefix="sweeper-"))
    place = Place(root)
    try:
        yield place
    finally:
        place.end()
        shutil.rmtree(root)


class Ends:
    """Hears the ends of a runtime, and keeps them in order."""

    def __init__(self, runtime: Runtime) -> None:
        self.heard: list[ProcessEnd] = []
        self._news = asyncio.Event()
        runtime.listen(self._hear)

    async def of(self, key: str) -> ProcessEnd:
        """Return the end of a process, waiting for it."""
        async with asyncio.timeout(SECONDS):
            while True:
                for end in self.heard:
                    if end.key == key:
                        return end
                self._news.clear()
                await self._news.wait()

    def _hear(self, end: ProcessEnd) -> None:
        self.heard.append(end)
        self._news.set()


async def said(pipe: Path) -> str:
    """Return what the next writer to a named pipe says."""
    async with asyncio.timeout(SECONDS):
        return await asyncio.to_thread(pipe.read_text, encoding="utf-8")


async def say(pipe: Path, text: str) -> None:
    """Write to a named pipe, waiting for a reader."""
    async with asyncio.timeout(SECONDS):
        await asyncio.to_thread(pipe.write_text, text, encoding="utf-8")
