import signal
import subprocess
import sys

import pytest

_FIRST = """
import os, signal, sys
from sweeper.bootstrap.first_process import stand_aside
from sweeper.local.orphans import adopt_orphans
adopt_orphans()
stand_aside()
"""
"""As process 1 begins, which gets all orphans."""

_ORPHAN = """
read, write = os.pipe()
if os.fork() == 0:
    orphan = os.fork()
    os.write(write, b"%d" % orphan) if orphan else None
    os._exit(0)
os.wait()
orphan = int(os.read(read, 20))
while True:
    try:
        os.kill(orphan, 0)
    except ProcessLookupError:
        break
    os.sched_yield()
print("reaped", flush=True)
"""

_WAITS = "print('waiting', flush=True); signal.pause()"


def _started(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _FIRST + program], stdout=subprocess.PIPE, text=True
    )


def _ran(program: str) -> tuple[str, int]:
    with _started(program) as process:
        said, _ = process.communicate(timeout=20)
    return said, process.returncode


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("sys.exit(3)", 3),
        ("print('well')", 0),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
    ],
    ids=["exit", "end", "kill"],
)
def test_the_first_process_ends_as_its_command_does(program: str, code: int) -> None:
    assert _ran(program)[1] == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_first_process_reaches_its_command(number: signal.Signals) -> None:
    answering = f"signal.signal({number.value}, lambda *_: sys.exit(7));" + _WAITS
    with _started(answering) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(number)

        assert process.wait(20) == 7


def test_a_command_that_answers_no_signal_is_ended_by_it() -> None:
    with _started(_WAITS) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.terminate()

        assert process.wait(20) == 128 + signal.SIGTERM


def test_orphans_are_reaped_while_the_command_runs() -> None:
    assert _ran(_ORPHAN) == ("reaped\n", 0)
