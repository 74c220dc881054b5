"""A local control plane with a fault plan, and those who talk to it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.extending import with_faults
from sweeper.local.faults.plan import NO_FAULTS, Fault, FaultPlan, Rule
from sweeper.local.places import CLUSTER_ID, Project
from sweeper.local.plane import LocalPlaneOptions, open_plane_on
from sweeper.local.running import inline
from sweeper.local.simulated import Play, SimulatedRuntime, endless
from sweeper.ports import ControlPlane, Now, TrainingRequest
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.operations import Observer, Operation
from sweeper.runai.tokens import Credentials, TokenVersion
from tests.local.planes import Client, loop_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """An open control plane: `client` and `remote` meet its faults; `calls` are the latter's."""

    client: Client
    remote: ControlPlane
    faults: Faults
    runtime: SimulatedRuntime
    calls: list[Operation]

    async def admin(self, word: str, **fields: Any) -> httpx.Response:
        """Let a misfortune happen."""
        return await self.client.http.post(f"/admin/{word}", json=fields)


@asynccontextmanager
async def faulty(
    folder: Path,
    plan: FaultPlan = NO_FAULTS,
    play: Play = endless,
    *,
    now: Now | None = None,
    admin: bool = True,
) -> AsyncIterator[Faulty]:
    """Open a control plane on simulated processes, with this plan."""
    clock = now or loop_clock()
    runtime = SimulatedRuntime(play, now=clock)
    faults = Faults(plan, now=clock)
    client = Client()
    options = LocalPlaneOptions(
        directory=folder,
        socket_directory=folder,
        gpu_lock_directory=folder / "gpus",
        gpus=0,
        environment={},
        working_directory=folder,
        extend=with_faults(faults, now=clock, admin=admin),
    )
    opened = open_plane_on(runtime, options, now=clock, on_change=client.changed.set, run=inline)
    async with opened as plane, client.enter(plane):
        address = Address(
            base_url="http://sweeper.local",
            credentials=Credentials(client_id=plane.client_id, secret=lambda: plane.client_secret),
            token_version=TokenVersion.V2,
            transport=httpx.ASGITransport(app=plane.app),
        )
        calls: list[Operation] = []

        def heard(operation: Operation, status: str, seconds: float) -> None:
            calls.append(operation)

        observer = Observer(on_request=heard)
        rng = random.Random(1)
        async with open_runai(address, now=clock, rng=rng, observer=observer) as connection:
            yield Faulty(
                client=client,
                remote=connection.control_plane(plane.project_id),
                faults=faults,
                runtime=runtime,
                calls=calls,
            )


def always(fault: Fault, *on: str, **fields: Any) -> FaultPlan:
    """Return a plan of one rule."""
    return FaultPlan(rules=(Rule(fault=fault, on=on, **fields),))  # type: ignore[arg-type] # words are operations


def request(name: str = "swp-1", **spec: Any) -> TrainingRequest:
    """Return what a create sends."""
    return TrainingRequest(
        name=name,
        project_id=Project().id,
        cluster_id=CLUSTER_ID,
        spec={"command": "true", **spec},
    )
