import subprocess
import sys

import pytest

from sweeper.local.orphans import end_orphans


def test_a_child_in_the_session_of_a_process_that_ended_is_killed() -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as child:
        is_left = end_orphans(child.pid, known=())

        assert child.wait() == -9
    assert is_left
    assert not end_orphans(child.pid, known=())


def test_children_that_are_no_orphans_are_left_alone() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as child:
        end_orphans(child.pid, known=[child.pid])

        child.communicate(b"")
    assert child.returncode == 0


def test_a_group_of_another_user_counts_as_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr("os.killpg", refuse)

    assert end_orphans(2**22 + 1, known=())


def test_a_system_without_adoption_or_lists_of_children_does_without() -> None:
    script = (
        "import ctypes, pathlib, sweeper.local.orphans as orphans; "
        "ctypes.CDLL = lambda _: None; orphans.adopt_orphans(); "
        "pathlib.Path.read_text = lambda *_, **__: open('/no/such/file'); "
        "print(orphans.end_orphans(2**22 + 1, ()))"
    )

    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)

    assert said.stdout == b"False\n"
