import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.bootstrap.service_manager import ServiceManager
from sweeper.domain.record import Totals
from sweeper.domain.trial import TrialState
from tests.support.builders import a_sweep
from tests.telemetry.builders import a_tick


@pytest.fixture(params=["file", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """What a service manager listens at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        # Without a name of its own the kernel picks one that has no file.
        listener.bind(str(tmp_path / "notify") if request.param == "file" else "")
        listener.setblocking(False)
        yield listener


@pytest.fixture
def manager(heard: socket.socket) -> ServiceManager:
    name = heard.getsockname()
    return ServiceManager(name if isinstance(name, str) else "@" + name[1:].decode())


def test_a_start_is_told(manager: ServiceManager, heard: socket.socket) -> None:
    manager.started()

    assert heard.recv(1000) == b"READY=1"


def test_each_tick_feeds_the_watchdog_and_says_how_the_sweep_is(
    manager: ServiceManager, heard: socket.socket
) -> None:
    totals = Totals(
        states={TrialState.ACTIVE: 2, TrialState.COMPLETED: 3, TrialState.FAILED: 1}, next_number=6
    )
    tick = a_tick(totals=totals, trouble="creates fail:\n503")

    manager.ticked(tick)
    manager.recorded(tick.sweep, [])

    assert heard.recv(1000).decode() == (
        f"WATCHDOG=1\nSTATUS={a_sweep().name} is open; "
        "2 active, 4 waiting, 3 completed, 1 failed; creates fail: 503"
    )
    with pytest.raises(BlockingIOError):
        heard.recv(1000)


def test_after_the_last_tick_the_watchdog_waits_no_more(
    manager: ServiceManager, heard: socket.socket
) -> None:
    manager.ticks_ended()
    manager.ending()

    assert [heard.recv(1000), heard.recv(1000)] == [b"WATCHDOG_USEC=0", b"STOPPING=1"]


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "x" * 200])
def test_a_manager_that_does_not_listen_does_no_harm(address: str | None) -> None:
    ServiceManager(address).started()


def test_trainings_are_not_given_the_daemons_service_manager(heard: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "2", "A": "b"}

    ServiceManager.taken_from(environment)

    assert environment == {"A": "b"}
