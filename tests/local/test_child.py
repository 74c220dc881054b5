import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from sweeper.local.child import Child
from sweeper.local.spawning import Gated


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as made:
        yield made
        made.kill()


def a_child(pid: int) -> Child:
    gated = Gated(pid=pid, gate=-1, reasons=-1)
    return Child(key="a", gated=gated, lock_files=(), answers=[])


def test_a_signal_reaches_a_process_that_leads_no_group_yet(
    process: subprocess.Popen[bytes],
) -> None:
    a_child(process.pid).signal(signal.SIGTERM)

    assert process.wait() == -signal.SIGTERM


def test_a_signal_that_is_not_allowed_or_comes_too_late_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = a_child(2**22 + 1)
    child.signal(signal.SIGTERM)

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)

    child.kill()

    assert child.was_killed


def test_everybody_is_answered_once() -> None:
    child = a_child(2**22 + 1)
    heard: list[Exception | None] = []
    child.answers += [heard.append, heard.append]

    child.answer()
    child.answer()

    assert heard == [None, None]
