import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.owning import own_store
from sweeper.bootstrap.planes import Plane, PlaneRequest
from sweeper.bootstrap.rebuilding import RebuildOptions, Survey, survey, write
from sweeper.clock import utc_now
from sweeper.domain.marks import labels_of
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState
from sweeper.domain.trial import Trial, TrialState
from sweeper.domain.values import digest
from sweeper.errors import SettingsError, SweepOwnedError, UnsupportedError
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from tests.support.builders import NOW, SWEEP_ID, a_sweep, after, workload_name
from tests.support.clock import Clock
from tests.support.places import a_kept_sweep, settings_in
from tests.support.remote import Remote, Training

RUNAI = "https://demo.run.ai"
CLUSTER = "5eeb0000-10ca-4000-8000-000000000001"
TEXT = """
name: demo
method: grid
parameters: {a: {values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}}
training: {project: p, spec: {image: IMAGE, command: train}}
"""


@dataclass(slots=True)
class Scene:
    """A sweep file of twelve trials, and what a remote control plane has of them."""

    file: Path
    settings: Settings
    remote: Remote = field(default_factory=lambda: Remote(now=Clock()))

    @asynccontextmanager
    async def opening(self, request: PlaneRequest) -> AsyncIterator[Plane]:
        yield Plane(
            name=RUNAI,
            control_plane=self.remote,
            project_id="7",
            cluster_id=CLUSTER,
            quarantine=timedelta(seconds=20),
            is_local=False,
        )

    def there_is(
        self,
        number: int,
        attempt: int = 1,
        phase: Phase = Phase.RUNNING,
        *,
        sweep_id: str = SWEEP_ID,
        **fields: Any,
    ) -> Training:
        labels = labels_of(sweep_id, number, attempt, digest({"a": number}))
        name = workload_name(number, attempt).replace(SWEEP_ID, sweep_id)
        training = self.remote.add(name, labels, phase)
        for key, value in fields.items():
            setattr(training, key, value)
        return training

    async def survey(self, **fields: Any) -> Survey:
        options = RebuildOptions(file=self.file, settings=self.settings, **fields)
        return await survey(options, opening=self.opening)

    async def trials(self) -> Mapping[int, Trial]:
        return {change.trial.number: change.trial for change in (await self.survey()).changes}

    @property
    def folder(self) -> SweepFolder:
        return folder_of(self.settings, "demo")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    file = tmp_path / "sweep.yaml"
    file.write_text(TEXT, encoding="utf-8")
    given = {"base_url": RUNAI, "client_id": "me", "client_secret": "s"}
    return Scene(file, settings_in(tmp_path, **given))


async def test_living_trainings_give_their_trials_back(scene: Scene) -> None:
    scene.there_is(0, phase=Phase.COMPLETED)
    scene.there_is(1, phase=Phase.FAILED)
    scene.there_is(1, 2, created_at=after(seconds=-5))

    found = await scene.survey()

    assert found.states == {"completed": 1, "active": 1}
    assert (found.record.id, found.record.project_id) == (SWEEP_ID, "7")
    assert found.record.created_at == after(seconds=-5)
    assert [change.trial.submission.attempt for change in found.changes] == [1, 2]
    assert found.changes[1].trial.params == {"a": 1}


async def test_what_was_deleted_after_it_ended_is_found_among_the_deleted(scene: Scene) -> None:
    scene.there_is(0, phase=Phase.COMPLETED, deleted_at=NOW)
    scene.there_is(1, phase=Phase.FAILED)
    scene.there_is(1, 2, Phase.COMPLETED, deleted_at=NOW)
    scene.there_is(2)
    scene.there_is(4, phase=Phase.COMPLETED, deleted_at=NOW)

    trials = await scene.trials()

    states = {number: trial.state for number, trial in trials.items()}
    assert states == {
        0: TrialState.COMPLETED,
        1: TrialState.COMPLETED,
        2: TrialState.ACTIVE,
        3: TrialState.FAILED,
        4: TrialState.COMPLETED,
    }
    assert trials[1].submission.attempt == 2
    assert "no trace" in trials[3].reason


async def test_a_failed_one_without_a_later_attempt_is_looked_into_by_the_daemon(
    scene: Scene,
) -> None:
    scene.there_is(0, phase=Phase.FAILED)

    (trial,) = (await scene.trials()).values()

    assert (trial.state, trial.submission.phase) == (TrialState.ACTIVE, Phase.FAILED)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"labels": {"owner": "someone"}}, id="labels of another"),
        pytest.param({"name": f"{workload_name(1)}-copy"}, id="a copy"),
    ],
)
async def test_what_is_not_ours_is_no_trace(scene: Scene, fields: dict[str, Any]) -> None:
    scene.there_is(0)
    scene.there_is(1, **fields)

    assert [*await scene.trials()] == [0]


async def test_several_sweeps_of_the_name_must_be_told_apart(scene: Scene) -> None:
    scene.there_is(0)
    scene.there_is(0, sweep_id="zzzzzzzzzz", phase=Phase.COMPLETED)

    with pytest.raises(SettingsError, match=r"--sweep-id: abcdefghij \(1 trainings\), zzzzzz"):
        await scene.survey()

    assert (await scene.survey(sweep_id="zzzzzzzzzz")).states == {"completed": 1}


@pytest.mark.parametrize("sweep_id", [None, "zzzzzzzzzz"])
async def test_without_a_trace_there_is_nothing_to_rebuild(
    scene: Scene, sweep_id: str | None
) -> None:
    with pytest.raises(SettingsError, match="nothing to rebuild from"):
        await scene.survey(sweep_id=sweep_id)


async def test_only_deleted_trainings_are_enough_where_the_id_is_given(scene: Scene) -> None:
    scene.there_is(0, phase=Phase.COMPLETED, deleted_at=NOW)

    assert (await scene.survey(sweep_id=SWEEP_ID)).states == {"completed": 1}


@pytest.mark.parametrize(
    ("number", "point", "words"),
    [(3, 99, "other params than the file gives trial 3"), (12, 12, "has only 12 trials")],
)
async def test_a_file_that_does_not_fit_the_trainings_is_refused(
    scene: Scene, number: int, point: int, words: str
) -> None:
    scene.there_is(number, labels=labels_of(SWEEP_ID, number, 1, digest({"a": point})))

    with pytest.raises(SettingsError, match=words):
        await scene.survey()


async def test_without_a_listing_nothing_can_be_found(scene: Scene) -> None:
    scene.remote.down = UnsupportedError("404")

    with pytest.raises(SettingsError, match="without a listing"):
        await scene.survey()


async def test_a_lost_store_is_written_and_gone_on_with(scene: Scene) -> None:
    scene.there_is(0)

    assert await write(await scene.survey(), NOW) is None

    async with SqlStore(scene.folder.store) as store:
        sweep = await store.load_sweep()
        assert sweep is not None
        assert (sweep.id, sweep.state) == (SWEEP_ID, SweepState.OPEN)
        assert [trial.number for trial in await store.live_trials()] == [0]
        outcomes = [event.outcome for event in await store.events()]
    assert outcomes == ["rebuilt", "found", "adopted", "active"]
    assert sorted(path.name for path in scene.folder.path.glob("store.db*")) == ["store.db"]


async def test_a_broken_store_is_kept_beside_the_new_one(scene: Scene) -> None:
    scene.there_is(0)
    scene.folder.create(scene.file)
    scene.folder.store.write_bytes(b"no database at all" * 100)
    scene.folder.store.with_name("store.db-shm").write_bytes(b"its index")

    aside = await write(await scene.survey(), NOW)

    assert aside is not None
    assert aside.name == "store.db.broken-20260301T120000Z"
    assert aside.read_bytes().startswith(b"no database")
    assert aside.with_name(f"{aside.name}-shm").read_bytes() == b"its index"
    with sqlite3.connect(scene.folder.store) as connection:
        assert connection.execute("SELECT id FROM sweeps").fetchall() == [(SWEEP_ID,)]
    connection.close()


async def test_a_healthy_store_is_left_alone_unless_forced(scene: Scene) -> None:
    scene.there_is(0)
    await a_kept_sweep(scene.settings, sweep=a_sweep(control_plane=RUNAI))

    with pytest.raises(SettingsError, match="is well: `sweeper run` goes on with it"):
        await scene.survey()

    assert await write(await scene.survey(force=True), NOW) is not None


async def test_a_store_that_a_daemon_holds_is_left_alone_in_any_case(scene: Scene) -> None:
    folder = await a_kept_sweep(scene.settings, sweep=a_sweep(control_plane=RUNAI))

    async with own_store(folder, utc_now):
        with pytest.raises(SweepOwnedError):
            await scene.survey(force=True)


async def test_a_store_that_somebody_made_meanwhile_is_not_overwritten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.there_is(0)
    found = await scene.survey()
    monkeypatch.setattr(Path, "exists", lambda self: False)
    scene.folder.store.write_bytes(b"new")

    with pytest.raises(SettingsError, match=r"was made at .* meanwhile"):
        await write(found, NOW)

    assert scene.folder.store.read_bytes() == b"new"


async def test_what_goes_between_listing_and_reading_is_looked_up_among_the_deleted(
    scene: Scene,
) -> None:
    training = scene.there_is(0)
    listed = await scene.remote.observe("demo-")
    training.phase, training.deleted_at = Phase.COMPLETED, NOW

    class Stale(Remote):
        async def observe(self, prefix: str, since: Any = None) -> Any:
            return listed

    scene.remote = Stale(now=Clock(), trainings=scene.remote.trainings)

    assert (await scene.survey()).states == {"completed": 1}
