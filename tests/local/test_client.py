"""The client for Run:ai, which finds the same control plane here."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sweeper.domain.judging import judge
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.trial import FailureClass
from sweeper.errors import NameTakenError, RejectedError, TrainingGoneError
from sweeper.local.simulated import Course
from sweeper.ports import ControlPlane, TrainingRequest
from sweeper.runai.opening import Address, Connection, open_runai
from sweeper.runai.tokens import Credentials, TokenVersion
from tests.local.planes import Client, World, world

pytestmark = pytest.mark.looptime


@asynccontextmanager
async def connected(
    here: World, version: TokenVersion = TokenVersion.V2
) -> AsyncIterator[tuple[Connection, ControlPlane, Client]]:
    async with here.open() as client:
        plane = client.plane
        assert plane is not None
        address = Address(
            base_url="http://sweeper.local",
            credentials=Credentials(client_id=plane.client_id, secret=lambda: plane.client_secret),
            token_version=version,
            transport=httpx.ASGITransport(app=plane.app),
        )
        async with open_runai(address, now=here.now, rng=random.Random(1)) as connection:
            yield connection, connection.control_plane(plane.project_id), client


def request(here: World, name: str = "swp-1", **spec: Any) -> TrainingRequest:
    labels: Mapping[str, Any] = {"labels": [{"name": "sweeper-trial", "value": "1"}]}
    return TrainingRequest(
        name=name,
        project_id="1",
        cluster_id="5eeb0000-10ca-4000-8000-000000000001",
        spec={"command": "true", **labels, **spec},
    )


@pytest.mark.parametrize("version", TokenVersion)
async def test_every_token_call_opens_the_door(tmp_path: Path, version: TokenVersion) -> None:
    here = world(tmp_path)
    async with connected(here, version) as (connection, _, _):
        project = await connection.directory.resolve_project("default")

        assert project.project_id == "1"
        assert project.cluster_id == await connection.directory.resolve_cluster("local")


async def test_a_training_is_created_and_found_again(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with connected(here) as (_, plane, _):
        created = await plane.create(request(here))
        (observed,) = await plane.observe("swp-", created.created_at)
        (found,) = await plane.find("swp-1")
        got = await plane.get(created.workload_id)

        ids = {one.workload_id for one in (created, observed, found, got)}
        assert ids == {created.workload_id}
        assert created.phase is Phase.CREATING
        assert created.labels == got.labels == {"sweeper-trial": "1"}
        assert got.desired_phase is DesiredPhase.RUNNING


async def test_refusals_have_their_class(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with connected(here) as (_, plane, _):
        await plane.create(request(here))

        with pytest.raises(NameTakenError):
            await plane.create(request(here))
        with pytest.raises(RejectedError) as refusal:
            await plane.create(request(here, "swp-2", backoffLimit="1"))
        assert refusal.value.compliance


async def test_a_failure_is_judged_by_its_events(tmp_path: Path) -> None:
    here = world(tmp_path, lambda order: Course(seconds=0, exit_code=3))
    async with connected(here) as (_, plane, client):
        created = await plane.create(request(here, backoffLimit=0))
        await client.until(created.workload_id, "Failed")

        verdict = judge(await plane.events(created.workload_id))

        assert (verdict.failure, verdict.exit_code) == (FailureClass.APPLICATION, 3)


async def test_commands_reach_the_training(tmp_path: Path) -> None:
    here = world(tmp_path)
    async with connected(here) as (_, plane, client):
        workload_id = (await plane.create(request(here))).workload_id

        await plane.suspend(workload_id)
        assert (await plane.get(workload_id)).desired_phase is DesiredPhase.STOPPED
        await plane.resume(workload_id)
        await plane.delete(workload_id)
        await client.until(workload_id, "gone")

        with pytest.raises(TrainingGoneError):
            await plane.get(workload_id)
        (gone,) = await plane.find("swp-1", deleted=True)
        assert gone.workload_id == workload_id
