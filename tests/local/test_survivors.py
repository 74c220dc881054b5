import subprocess
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from sweeper.local.identity import ProcessIdentity, identify
from sweeper.local.runtime import RuntimeUnavailableError
from sweeper.local.survivors import end_survivors

Child = subprocess.Popen[bytes]


@pytest.fixture
def child() -> Iterator[Child]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as made:
        yield made
        made.kill()


def still_runs(child: Child) -> bool:
    child.communicate(b"")
    return child.returncode == 0


def test_a_process_that_lives_is_killed(child: Child) -> None:
    process = psutil.Process(child.pid)

    end_survivors([identify(child.pid)])

    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_rest_of_a_session_is_killed_when_its_leader_is_gone() -> None:
    script = "timeout 1000 sleep 1000 & read line"
    with subprocess.Popen(
        ["sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as leader:
        identity = identify(leader.pid)
        assert leader.stdin is not None
        assert leader.stdout is not None
        leader.stdin.close()
        leader.wait()

        end_survivors([identity])

        assert leader.stdout.read() == b""  # nobody has it open any more


def test_a_process_with_the_number_of_another_is_left_alone(child: Child) -> None:
    identity = identify(child.pid)
    assert identity.started is not None

    end_survivors([replace(identity, started=identity.started - 1)])

    assert still_runs(child)


@pytest.mark.parametrize("change", [{"world": "another"}, {"started": None}], ids=str)
def test_a_process_that_cannot_be_told_from_another_is_left_alone(
    child: Child, change: dict[str, str | None]
) -> None:
    identity = identify(child.pid)

    end_survivors(
        [
            ProcessIdentity(
                pid=identity.pid,
                started=None if "started" in change else identity.started,
                world=change.get("world") or identity.world,
            )
        ]
    )

    assert still_runs(child)


def test_a_process_that_is_gone_needs_nothing(child: Child) -> None:
    identity = identify(child.pid)
    child.kill()
    end_survivors([identity])  # a zombie

    child.wait()

    end_survivors([identity])


def test_a_process_that_does_not_end_is_named(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "kill", lambda _: None)
    monkeypatch.setattr("sweeper.local.survivors._ROUNDS", 2)
    monkeypatch.setattr("sweeper.local.survivors._ROUND_SECONDS", 0)

    with pytest.raises(RuntimeUnavailableError, match=f"do not end: {child.pid}; end them"):
        end_survivors([identify(child.pid)])
