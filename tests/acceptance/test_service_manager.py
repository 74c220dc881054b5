"""What a service manager hears of a real daemon."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.acceptance.daemons import PATIENCE, Place, lines_of, waiting_at


@pytest.fixture
def manager(place: Place) -> Iterator[socket.socket]:
    """The socket that a service manager listens at, which the daemon is told of."""
    address = place.runtime / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.setblocking(False)
        place.variables = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "360000000"}
        yield listener


async def _hear(manager: socket.socket, last: str) -> list[str]:
    """Return the first word of each message, until one that begins with `last`."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while not heard or heard[-1] != last:
            message = await asyncio.get_running_loop().sock_recv(manager, 4096)
            heard.append(message.decode().split("\n")[0])
    return heard


async def test_a_service_manager_hears_of_the_start_of_ticks_and_of_the_end(
    place: Place, manager: socket.socket
) -> None:
    file = place.sweep("method: grid", "command: ['true']", "parameters: {a: {value: 1}}")

    async with place.run("run", file) as daemon:
        heard = await _hear(manager, "STOPPING=1")
        ended = await daemon.end()

    assert ended.code == 0, ended.err
    assert heard[0] == "READY=1"
    assert set(heard[1:-2]) == {"WATCHDOG=1"}
    assert heard[-2:] == ["WATCHDOG_USEC=0", "STOPPING=1"]


async def test_a_sweep_that_is_over_has_started_for_its_service_manager(
    place: Place, manager: socket.socket
) -> None:
    file = place.sweep("method: grid", "command: ['true']", "parameters: {a: {value: 1}}")
    async with place.run("run", file) as daemon:
        await _hear(manager, "STOPPING=1")
        await daemon.end()

    async with place.run("run", file) as daemon:
        heard = await _hear(manager, "READY=1")
        ended = await daemon.end()

    assert (ended.code, heard) == (0, ["READY=1"])


async def test_trainings_hear_nothing_of_it_and_live_on_when_it_stops_the_daemon(
    place: Place, manager: socket.socket
) -> None:
    os.mkfifo(place.folder / "gate")
    file = place.sweep(
        "method: grid",
        "command: [sh, -c, 'env >> seen; cat gate']",
        "parameters: {a: {value: 1}}",
    )
    async with place.run("run", file) as daemon:
        gate = await waiting_at(place.folder / "gate")
        await _hear(manager, "WATCHDOG=1")

        daemon.send(signal.SIGTERM)
        heard = await _hear(manager, "STOPPING=1")
        stopped = await daemon.end()
        os.close(gate)
    again = await place.sweeper("run", file)

    assert (stopped.code, again.code) == (143, 0)
    assert heard[-2:] == ["WATCHDOG_USEC=0", "STOPPING=1"]
    seen = lines_of(place.folder / "seen")
    assert sum(line.startswith("SWEEPER_TRIAL=") for line in seen) == 1
    assert not [line for line in seen if line.startswith(("NOTIFY_SOCKET=", "WATCHDOG_"))]
