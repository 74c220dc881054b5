"""The power is cut at any moment of a local control plane, and its record opened again."""

from pathlib import Path

import pytest

from sweeper.local.keeping import open_keeper
from sweeper.local.running import inline
from sweeper.local.simulation import SimulationPlan, Uniform
from tests.local.planes import memory_folder
from tests.store.disk.images import losses
from tests.store.disk.replaying import Content, content, laid_down, replay_of
from tests.store.disk.statements import Statements, listening
from tests.store.sqlite import raw
from tests.support.simulated_daemon import Rehearsal, sweep_text

IMAGES = 150
COURSES = SimulationPlan(
    seed=5, startup=2, duration=Uniform(shortest=5, longest=20), failures=0.3, term_seconds=1
)

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(240)]


async def _said(folder: Path) -> Statements:
    """Return what the record of a control plane said to SQLite, but for questions."""
    said: Statements = []
    text = sweep_text(5, 3, backoffLimit=0)
    here = Rehearsal(directory=folder, text=text, simulation=COURSES, gpus=3)
    with listening(said):
        async with here.server():
            await here.run_sweep()
    return [one for one in said if not one.startswith("SELECT")]


async def _kept(path: Path) -> Content:
    async with open_keeper(path, inline, {}) as keeper:
        await keeper.live()
    with raw(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return content(lambda statement: connection.execute(statement).fetchall())


@pytest.mark.parametrize("synchronous", ["full", "normal"])
async def test_only_a_record_that_syncs_each_commit_loses_nothing_acknowledged(
    synchronous: str,
) -> None:
    with memory_folder() as folder:
        said = await _said(folder)
    first, *rest = (one.replace("synchronous=2", f"synchronous={synchronous}") for one in said)
    replay = replay_of([first, "PRAGMA wal_autocheckpoint=12", *rest])

    lost = []
    for commit, image in losses(replay.acts, IMAGES, 1):
        with memory_folder() as folder:
            found = await _kept(laid_down(folder, image))
        if found not in replay.at(commit):
            lost.append(commit)

    assert bool(lost) is (synchronous == "normal")
