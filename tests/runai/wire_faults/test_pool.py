"""What a broken wire leaves behind in the client: nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sweeper.errors import ControlPlaneError
from sweeper.ports import ControlPlane
from sweeper.runai.gate import SLOTS
from sweeper.runai.operations import Operation
from tests.runai.wire_faults.calls import Place, Subject
from tests.runai.wire_faults.scene import Scene, place_here, scene_of
from tests.runai.wire_faults.table import ROWS, Moment, Row

SOME_MORE = SLOTS + 2
STANDING = [row for row in ROWS if row.moment is Moment.BEFORE]


def rows(*, waits: bool) -> list[object]:
    return [pytest.param(row, id=row.fault) for row in STANDING if row.waits is waits]


@pytest.mark.parametrize("row", rows(waits=False))
async def test_more_faults_than_the_pool_has_places_leave_it_as_it_was(
    row: Row, place: Place, ca_file: Path
) -> None:
    async with scene_of(row, place, ca_file) as scene:
        await strike_again_and_again(scene)


@pytest.mark.looptime
@pytest.mark.parametrize("row", rows(waits=True))
async def test_more_hanging_faults_than_the_pool_has_places_leave_it_as_it_was(
    row: Row, tmp_path: Path, ca_file: Path
) -> None:
    async with place_here(tmp_path) as place, scene_of(row, place, ca_file) as scene:
        await strike_again_and_again(scene)


async def strike_again_and_again(scene: Scene) -> None:
    """Let every other call meet the fault once; those between must all be answered."""
    async with reading(scene) as (plane, subject):
        for _ in range(SOME_MORE):
            await struck(scene, plane, subject)
            scene.relent()
            assert (await plane.get(subject.workload_id)).name == subject.name

    assert scene.proxy.breaks == SOME_MORE
    assert "pool" not in {status for _, status in scene.heard.requests}
    # Nothing ends this wait but the client's own end of each connection.
    await scene.server.all_closed()


@asynccontextmanager
async def reading(scene: Scene) -> AsyncIterator[tuple[ControlPlane, Subject]]:
    """Open a client, and give it something to read."""
    subject = await scene.judge.made()
    async with scene.client(needs_token=False) as plane:
        yield plane, subject


async def struck(scene: Scene, plane: ControlPlane, subject: Subject) -> None:
    """Read, while the next request meets the fault; a repeat may save the call."""
    scene.strike(Operation.GET, times=1)
    try:
        assert (await plane.get(subject.workload_id)).name == subject.name
    except ControlPlaneError:
        return
