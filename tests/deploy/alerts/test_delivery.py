"""An alert on its whole way: daemon, Prometheus, Alertmanager, a message."""

import asyncio
import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.daemons import PATIENCE, Daemon, Place
from tests.deploy.alerts.rules import write_hasty
from tests.deploy.alerts.servers import alertmanager, prometheus, receiving

pytestmark = pytest.mark.needs("prometheus", "prometheus-alertmanager")

LONG_TRAININGS = "duration: {kind: fixed, seconds: 86400}\nstartup: 0\n"

SWEEP = (
    "name: demo",
    "method: grid",
    "parameters: {lr: {values: [0.1, 0.2]}}",
    "training: {spec: {image: any, command: train}}",
    "limits: {active: 2}",
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the test's sweeps live; a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="swp-") as runtime:
        yield Place(folder=tmp_path, runtime=Path(runtime))


async def _told(server: Daemon) -> dict[str, Any]:
    """Wait for what a control plane prints once it answers."""
    assert server.process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        told: dict[str, Any] = json.loads(await server.process.stdout.readline())
    return told


def _serve(place: Place, address: str) -> list[str]:
    plan = place.script(LONG_TRAININGS, "simulation.yaml")
    return [
        *("local", "serve", "--json", "--listen", address),
        *("--runtime", "simulated", "--simulation", str(plan)),
    ]


async def test_a_person_hears_of_a_control_plane_that_is_gone_and_of_its_return(
    place: Place, measured: Callable[[str], None]
) -> None:
    rules = place.folder / "sweeper.rules.yaml"
    write_hasty(rules)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        receiver = await enter(receiving())
        manager = await enter(alertmanager(place.folder, receiver.url))
        server = await enter(place.run(*_serve(place, "127.0.0.1:0")))
        told = await _told(server)
        remote = replace(place, variables=told["environment"])
        daemon = await enter(remote.run("run", remote.sweep(*SWEEP)))
        target = (await daemon.says("metrics and health: ")).split("/")[2]
        await daemon.says("trial 1: submitting -> active")
        await enter(prometheus(place.folder, target=target, rules=rules, alertmanager=manager))

        server.send(signal.SIGTERM)
        await server.end()
        gone_at = loop.time()
        firing = await receiver.hears("SweeperBreakerOpen", "firing")
        heard_at = loop.time()
        await _told(await enter(place.run(*_serve(place, told["base_url"].split("/")[2]))))
        back_at = loop.time()
        resolved = await receiver.hears("SweeperBreakerOpen", "resolved")
        relieved_at = loop.time()

    assert firing["labels"]["instance"] == target
    assert resolved["fingerprint"] == firing["fingerprint"]
    measured(
        f"SweeperBreakerOpen with `for: 1s` was heard {heard_at - gone_at:.1f} s after the control "
        f"plane was gone, and {relieved_at - back_at:.1f} s after it was back"
    )
