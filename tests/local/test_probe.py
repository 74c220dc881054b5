"""A probe, which finds nothing missing here."""

import random
from pathlib import Path

import httpx
import pytest

from sweeper.runai.findings import Finding, Heard
from sweeper.runai.opening import Address, open_runai
from sweeper.runai.probe import Probe
from sweeper.runai.probing import ProbeOrder
from sweeper.runai.tokens import Credentials
from tests.local.planes import world

pytestmark = pytest.mark.looptime


async def test_a_probe_finds_this_control_plane_well(tmp_path: Path) -> None:
    here, heard, told = world(tmp_path), Heard(), list[Finding]()
    async with here.open() as client:
        plane = client.plane
        assert plane is not None
        address = Address(
            base_url="http://sweeper.local",
            credentials=Credentials(client_id=plane.client_id, secret=lambda: plane.client_secret),
            transport=httpx.ASGITransport(app=plane.app),
        )
        order = ProbeOrder(
            base_url=address.base_url,
            project=plane.project_id,
            cluster=plane.cluster_id,
            image="busybox",
            mark="k3f7qd2mzxpa",
        )
        async with open_runai(
            address, now=here.now, rng=random.Random(1), observer=heard.observer()
        ) as connection:
            probe = Probe(connection, order, heard=heard, now=here.now, tell=told.append)
            await probe.run()
        left = (await client.listing())["workloads"]

    assert {one.step: one.words for one in told if one.verdict != "ok"} == {}
    assert left == []
    assert probe.capabilities.names_unique is True
