"""Whole sweeps by the real daemon, in which each create meets one fault of the wire.

The control plane's own record says what came of it: every trial has one training, which ran once.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sweeper.clock import pause
from sweeper.domain.trial import TrialState
from sweeper.local.simulation import Fixed, SimulationPlan
from sweeper.ports import ControlPlane
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.operations import Operation
from sweeper.runai.tokens import Credentials, TokenVersion
from tests.local.planes import memory_folder
from tests.runai.wire_faults.breaking import BREAKINGS
from tests.runai.wire_faults.network import Network, Reach, network
from tests.runai.wire_faults.scene import REACHES
from tests.runai.wire_faults.table import ROWS, Moment, Row
from tests.runai.wire_server import wire_server
from tests.support.fault_proxy import Arrival, Fault, FaultProxy
from tests.support.simulated_daemon import CREDENTIALS, History, Rehearsal, sweep_text

pytestmark = pytest.mark.looptime

TRIALS = 2
COURSES = SimulationPlan(seed=1, startup=1, duration=Fixed(seconds=20))
UNREACHABLE_SECONDS = 60.0


STRIKING = [row for row in ROWS if row.moment is not Moment.NOWHERE]


@pytest.mark.parametrize("row", STRIKING, ids=lambda row: row.name)
async def test_each_trial_runs_once_whatever_its_create_met(row: Row, ca_file: Path) -> None:
    proxy = proxy_of(row)
    with memory_folder() as folder, network():
        history = await run_sweep(rehearsal(folder), proxy, ca_file)

    judge(history)
    creates = Counter(name_of(one) for one in proxy.arrivals if one.operation is Operation.CREATE)
    assert proxy.breaks == TRIALS
    assert set(creates.values()) == {1 if row.moment is Moment.AFTER else 2}
    assert len(creates) == TRIALS


@pytest.mark.parametrize("fault", REACHES)
async def test_each_trial_runs_once_when_nothing_could_be_reached(
    fault: str, ca_file: Path
) -> None:
    with memory_folder() as folder, network() as there:
        async with asyncio.TaskGroup() as group:
            group.create_task(be_away(there, REACHES[fault]), name="outage")
            proxy = FaultProxy(origin="http://sweeper.simulated")
            history = await run_sweep(rehearsal(folder), proxy, ca_file)

    judge(history)
    assert proxy.count(Operation.CREATE) == TRIALS


def rehearsal(folder: Path) -> Rehearsal:
    return Rehearsal(
        directory=folder, text=sweep_text(TRIALS, TRIALS), simulation=COURSES, gpus=TRIALS
    )


def proxy_of(row: Row) -> FaultProxy:
    """Return a proxy that lets the first create of each name meet the fault."""
    struck: set[str] = set()

    def hits(arrival: Arrival, _before: int) -> bool:
        if arrival.operation is not Operation.CREATE or name_of(arrival) in struck:
            return False
        struck.add(name_of(arrival))
        return True

    fault = Fault(breaking=BREAKINGS[row.fault], after=row.moment is Moment.AFTER, hits=hits)
    return FaultProxy(origin="http://sweeper.simulated", fault=fault)


def name_of(arrival: Arrival) -> str:
    return str(json.loads(arrival.content)["name"])


async def be_away(there: Network, reach: Reach) -> None:
    there.reach = reach
    await pause(UNREACHABLE_SECONDS)
    there.reach = Reach.THERE


@asynccontextmanager
async def client(here: Rehearsal, proxy: FaultProxy, ca_file: Path) -> AsyncIterator[ControlPlane]:
    """Open the real client over the proxy."""
    async with wire_server(proxy.play) as server:
        address = Address(
            base_url=server.url.replace("127.0.0.1", "localhost"),
            credentials=Credentials(
                client_id=CREDENTIALS.client_id, secret=lambda: CREDENTIALS.client_secret
            ),
            token_version=TokenVersion.V2,
            ca_file=ca_file,
        )
        async with open_runai(address, now=here.now, rng=random.Random(1)) as connection:
            yield connection.control_plane("1")


async def run_sweep(here: Rehearsal, proxy: FaultProxy, ca_file: Path) -> History:
    """Let the daemon run the sweep to its end; return what the control plane has on record."""
    proxy.upstream = here.line
    async with here.server() as server, client(here, proxy, ca_file) as control_plane:
        service = await here.daemon(control_plane)
        await service.run()
        history = await server.history()
    totals = await here.store.totals()
    assert totals.states[TrialState.COMPLETED] == TRIALS
    return history


def judge(history: History) -> None:
    """One training for each trial, which was completed, and no other."""
    assert {number: len(made) for number, made in history.by_trial.items()} == dict.fromkeys(
        range(TRIALS), 1
    )
    assert history.completed == dict.fromkeys(range(TRIALS), 1)
