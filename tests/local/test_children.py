"""The parent's side on its own, with processes that are real and a journal that may fail."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from sweeper.local.children import Children
from sweeper.local.journal import Entry, Journal
from sweeper.local.runtime import (
    LeaseTakenError,
    ProcessEnd,
    RuntimeUnavailableError,
    StartError,
    StartOrder,
)
from sweeper.local.spawning import Gated
from tests.local.supervising import ENVIRONMENT, SECONDS
from tests.support.builders import NOW

# Forking would warn where the tests have threads; this shell waits at its gate in the same way.
_GATE = 'read go <&3; [ "$go" = "!" ] || exit 127; exec 3<&- 4>&-; exec "$@"'


def spawn_shell(order: StartOrder, inherited: Sequence[int]) -> Gated:
    """Make a process that waits for its gate, in a group of its own."""
    (gate_end, gate), (reasons, reasons_end) = os.pipe(), os.pipe()
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _GATE, "sh", *order.argv],
        ENVIRONMENT,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, gate_end, 3),
            (os.POSIX_SPAWN_DUP2, reasons_end, 4),
        ],
        setpgroup=0,
    )
    os.close(gate_end)
    os.close(reasons_end)
    return Gated(pid=pid, gate=gate, reasons=reasons)


class FailingJournal(Journal):
    """A journal whose next writes fail, and whose every rewrite fails if `is_full`."""

    failures = 0
    is_full = False

    def append(self, entries: Sequence[Entry]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(entries)

    def compact(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")


class Parent:
    """Children with what they told: `happened` holds ends and answers in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = FailingJournal.open(folder / "processes.jsonl")
        self.happened: list[ProcessEnd | Exception | None] = []
        self.changes = 0
        self._news = asyncio.Event()
        self.children = Children(
            self.journal,
            spawn=self.spawn,
            now=lambda: NOW,
            told=self.hear,
            changed=self.count,
        )
        self.refusal: OSError | None = None
        self.gated: list[Gated] = []

    def spawn(self, order: StartOrder, inherited: Sequence[int]) -> Gated:
        if self.refusal is not None:
            raise self.refusal
        self.gated.append(spawn_shell(order, inherited))
        return self.gated[-1]

    def order(self, key: str, *argv: str, locks: tuple[str, ...] = ()) -> StartOrder:
        return StartOrder(
            key=key,
            argv=argv,
            directory="/",
            environment={},
            log_file=str(self.folder / "log"),
            lock_files=locks,
        )

    def start(self, key: str, *argv: str, locks: tuple[str, ...] = ()) -> None:
        self.children.start(self.order(key, *argv, locks=locks), self.hear)

    def hear(self, news: ProcessEnd | Exception | None) -> None:
        self.happened.append(news)
        self._news.set()

    def count(self) -> None:
        self.changes += 1
        self._news.set()

    async def until(self, count: int) -> list[ProcessEnd | Exception | None]:
        """Return what happened, once it is so much."""
        async with asyncio.timeout(SECONDS):
            while len(self.happened) < count:
                self._news.clear()
                await self._news.wait()
        return self.happened

    async def until_changes(self, count: int) -> None:
        """Return once so many writes were tried."""
        async with asyncio.timeout(SECONDS):
            while self.changes < count:
                self._news.clear()
                await self._news.wait()

    def end(self, key: str, code: int) -> ProcessEnd:
        return ProcessEnd(key=key, at=NOW, exit_code=code)


def die(gated: Gated) -> None:
    """Kill a process and return once it is a zombie."""
    os.kill(gated.pid, signal.SIGKILL)
    os.waitid(os.P_PID, gated.pid, os.WEXITED | os.WNOWAIT)


def end(gated: Gated) -> None:
    """Kill and reap a process that may be reaped already."""
    with suppress(ProcessLookupError):
        os.killpg(gated.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(gated.pid, 0)


@pytest.fixture
async def parent(tmp_path: Path) -> AsyncIterator[Parent]:
    made = Parent(tmp_path)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, made.children.reap)
    yield made
    loop.remove_signal_handler(signal.SIGCHLD)
    for gated in made.gated:
        end(gated)
    made.journal.close()


async def test_starts_of_one_turn_are_recorded_by_one_write(parent: Parent) -> None:
    for key in ("a", "b", "c"):
        parent.start(key, "sleep", "1000")

    assert await parent.until(3) == [None, None, None]
    assert parent.changes == 1
    assert set(parent.journal.running) == {"a", "b", "c"}


async def test_what_cannot_be_recorded_is_not_run_and_may_be_ordered_again(
    parent: Parent,
) -> None:
    parent.journal.failures = 1
    parent.start("a", "sh", "-c", f"echo ran >> {parent.folder}/ran")
    parent.start("a", "true")  # waits with the first order, and hears what it hears

    refused = list(await parent.until(2))
    assert (
        list(map(str, refused))
        == ["the journal of processes cannot be written: No space left on device"] * 2
    )
    assert parent.children.is_empty
    parent.start("a", "sh", "-c", f"echo ran >> {parent.folder}/ran")

    assert (await parent.until(4))[2:] == [None, parent.end("a", 0)]
    assert (parent.folder / "ran").read_text(encoding="utf-8") == "ran\n"


async def test_an_end_is_told_only_once_it_is_recorded(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.local.children._RECORD_AGAIN_SECONDS", 0)
    parent.start("a", "sleep", "1000")
    await parent.until(1)

    parent.journal.failures = 3
    parent.children.stop("a", 0)

    assert (await parent.until(2))[1:] == [parent.end("a", 137)]
    assert parent.journal.failures == 0
    assert parent.changes == 5
    assert parent.children.is_empty


async def test_a_start_is_recorded_at_once_while_an_end_waits_to_be(parent: Parent) -> None:
    parent.start("a", "sleep", "1000")
    await parent.until(1)
    parent.journal.failures = 1
    parent.children.stop("a", 0)
    await parent.until_changes(2)

    parent.start("b", "sleep", "1000")

    assert (await parent.until(3))[1:] == [parent.end("a", 137), None]
    assert parent.changes == 3


async def test_a_process_killed_at_its_gate_has_started_and_ended(parent: Parent) -> None:
    parent.start("a", "sleep", "1000")
    die(parent.gated[0])
    parent.children.reap()

    assert await parent.until(2) == [None, parent.end("a", 137)]
    assert dict(parent.children.known()) == {"a": parent.end("a", 137)}


async def test_a_process_that_is_being_made_is_not_known_yet(parent: Parent) -> None:
    parent.start("a", "sleep", "1000")
    assert dict(parent.children.known()) == {}
    await parent.until_changes(1)  # it is recorded, but its shell has hardly begun
    assert dict(parent.children.known()) == {}

    await parent.until(1)

    assert dict(parent.children.known()) == {"a": None}
    assert not parent.children.is_empty


async def test_a_process_that_ended_at_its_gate_unrecorded_is_not_told(parent: Parent) -> None:
    parent.journal.failures = 1
    parent.start("a", "sleep", "1000")
    die(parent.gated[0])
    parent.children.reap()

    (refused,) = await parent.until(1)
    parent.start("b", "true")

    assert isinstance(refused, RuntimeUnavailableError)
    assert (await parent.until(3))[1:] == [None, parent.end("b", 0)]


async def test_forgetting_waits_for_the_record(parent: Parent) -> None:
    parent.start("a", "true")
    await parent.until(2)
    parent.journal.failures = 1

    parent.children.forget(["a"], parent.hear)
    assert isinstance((await parent.until(3))[2], RuntimeUnavailableError)
    assert dict(parent.children.known()) == {"a": parent.end("a", 0)}
    parent.children.forget(["a"], parent.hear)

    assert (await parent.until(4))[3] is None
    assert dict(parent.children.known()) == {}


async def test_a_machine_without_room_makes_no_process_and_keeps_no_lease(
    parent: Parent,
) -> None:
    lock = str(parent.folder / "gpu-0")
    parent.refusal = OSError(errno.EAGAIN, "Resource temporarily unavailable")
    parent.start("a", "true", locks=(lock,))
    parent.refusal = None

    (refused,) = await parent.until(1)
    other = Children(
        parent.journal, spawn=parent.spawn, now=lambda: NOW, told=parent.hear, changed=parent.count
    )
    other.start(parent.order("b", "sleep", "1000", locks=(lock,)), parent.hear)
    parent.start("c", "true", locks=(lock,))

    assert str(refused) == "no process can be made: Resource temporarily unavailable"
    assert isinstance((await parent.until(3))[1], LeaseTakenError)


async def test_text_that_no_process_can_hold_is_refused(parent: Parent) -> None:
    parent.start("a", "a\0b")

    assert isinstance((await parent.until(1))[0], StartError)


async def test_a_journal_that_cannot_be_written_anew_is_no_trouble(
    parent: Parent, caplog: pytest.LogCaptureFixture
) -> None:
    parent.journal.is_full = True

    parent.start("a", "true")

    assert await parent.until(2) == [None, parent.end("a", 0)]
    assert "the journal cannot be written anew" in caplog.text


class Leftovers:
    """Stands for processes that take some looks to end."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def __call__(self, session: int, known: Collection[int]) -> bool:
        self.looks -= 1
        return self.looks >= 0


async def test_an_end_waits_for_what_the_process_left_behind(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    leftovers = Leftovers(3)
    monkeypatch.setattr("sweeper.local.children.end_orphans", leftovers)
    monkeypatch.setattr("sweeper.local.children._LOOK_AGAIN_SECONDS", 0)

    parent.start("a", "true")

    assert (await parent.until(2))[1] == parent.end("a", 0)
    assert leftovers.looks == -1


async def test_what_outlives_sigkill_holds_an_end_up_for_a_while_only(
    parent: Parent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sweeper.local.children.end_orphans", Leftovers(1000))
    monkeypatch.setattr("sweeper.local.children._LEFTOVER_SECONDS", 0)

    parent.start("a", "true")

    assert (await parent.until(2))[1] == parent.end("a", 0)
    assert "of a outlives SIGKILL" in caplog.text


async def test_two_ends_that_wait_are_told_when_each_is_clear(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.local.children.end_orphans", Leftovers(6))
    monkeypatch.setattr("sweeper.local.children._LOOK_AGAIN_SECONDS", 0)
    parent.start("a", "sleep", "1000")
    parent.start("b", "sleep", "1000")
    await parent.until(2)

    parent.children.stop("a", 0)
    parent.children.stop("b", 0)

    told = (await parent.until(4))[2:]
    assert sorted(map(str, told)) == sorted(map(str, [parent.end("a", 137), parent.end("b", 137)]))


async def test_a_number_that_is_anothers_by_now_has_no_leftovers(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.local.children.end_orphans", Leftovers(1000))
    parent.start("a", "sleep", "1000")
    parent.start("b", "sleep", "1000")
    await parent.until(2)
    first, second = parent.gated
    parent.children._by_pid[first.pid], late = (
        parent.children._by_pid[second.pid],
        parent.children._by_pid[first.pid],
    )

    assert not parent.children._has_leftovers(late)
