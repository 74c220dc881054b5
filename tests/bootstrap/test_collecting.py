from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sweeper.bootstrap.collecting import Collection, delete_orphans, find_orphans, kept_plane
from sweeper.bootstrap.faces import Latest, verbs_face
from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.owning import own_store
from sweeper.clock import utc_now
from sweeper.domain.marks import labels_of
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.trial import TrialState
from sweeper.errors import (
    ControlPlaneError,
    SettingsError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import ControlPlane
from sweeper.settings import Settings
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import SWEEP_ID, a_sweep, a_trial, workload_name
from tests.support.clock import Clock
from tests.support.places import a_kept_sweep, settings_in
from tests.support.remote import Fault, Remote, Training

RUNAI = "https://demo.run.ai"


@dataclass(slots=True)
class Scene:
    """A sweep on a remote control plane with one trial at work, of number 0."""

    settings: Settings
    remote: Remote = field(default_factory=lambda: Remote(now=Clock()))

    @asynccontextmanager
    async def open_kept(
        self, settings: Settings, folder: SweepFolder, sweep: Mapping[str, Any]
    ) -> AsyncIterator[ControlPlane]:
        yield self.remote

    def there_is(self, number: int, attempt: int = 1, **fields: Any) -> Training:
        """Put a training on the server that has the name and the labels of an attempt."""
        labels = labels_of(SWEEP_ID, number, attempt, a_trial(number).submission.digest)
        training = self.remote.add(workload_name(number, attempt), labels, Phase.RUNNING)
        for name, value in fields.items():
            setattr(training, name, value)
        return training

    async def find(self, sweep: str | None = "demo") -> Collection:
        (found,) = await find_orphans(self.settings, sweep, open_kept=self.open_kept)
        return found

    async def delete(self, found: Collection) -> Collection:
        return await delete_orphans(self.settings, found, open_kept=self.open_kept)


@pytest.fixture
async def scene(settings: Settings) -> Scene:
    made = Scene(settings)
    owned = made.there_is(0)
    trial = a_trial(0, version=0, workload_id=owned.workload_id)
    sweep = a_sweep(control_plane=RUNAI, project_id="7")
    await a_kept_sweep(settings, sweep=sweep, trials=[trial])
    return made


async def test_what_a_row_owns_is_no_orphan(scene: Scene) -> None:
    assert (await scene.find()).orphans == ()


@pytest.mark.parametrize("sweep", ["demo", None], ids=["one sweep", "all sweeps"])
async def test_what_no_row_owns_is_found_and_deleted(scene: Scene, sweep: str | None) -> None:
    orphan = scene.there_is(7)

    found = await scene.find(sweep)
    done = await scene.delete(found)

    assert [(one.workload_id, one.trial) for one in found.orphans] == [(orphan.workload_id, 7)]
    assert orphan.desired is DesiredPhase.DELETED
    assert scene.remote.trainings[0].desired is DesiredPhase.RUNNING
    assert (found.left, done.left) == (1, 0)


async def test_finding_deletes_nothing(scene: Scene) -> None:
    scene.there_is(7)

    await scene.find()

    assert scene.remote.requests("delete") == 0


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": f"{workload_name(7)}-copy"}, id="a copy"),
        pytest.param({"labels": {"owner": "someone"}}, id="labels of another"),
        pytest.param({"phase": Phase.DELETING}, id="being deleted"),
        pytest.param({"name": "demo-other00000-7-1"}, id="another sweep"),
    ],
)
async def test_nothing_else_is_touched(scene: Scene, fields: dict[str, Any]) -> None:
    scene.there_is(7, **fields)

    assert (await scene.find()).orphans == ()


async def test_a_double_of_other_params_is_not_ours(scene: Scene) -> None:
    digest = "f" * 16
    scene.there_is(0, labels=labels_of(SWEEP_ID, 0, 1, digest))

    assert (await scene.find()).orphans == ()


async def test_what_goes_while_it_is_looked_at_is_no_orphan(scene: Scene) -> None:
    scene.there_is(7)
    scene.remote.faults = {("get", 1): Fault(error=TrainingGoneError("gone"))}

    assert (await scene.find()).orphans == ()


async def test_what_has_gone_meanwhile_is_not_left(scene: Scene) -> None:
    orphan = scene.there_is(7)
    found = await scene.find()
    orphan.is_hidden = True

    done = await scene.delete(found)

    assert [one.outcome for one in done.orphans] == ["gone"]
    assert done.left == 0


async def test_what_belongs_to_a_trial_meanwhile_is_kept(scene: Scene) -> None:
    orphan = scene.there_is(1)
    found = await scene.find()
    async with own_store(found.folder, utc_now) as store:
        await store.commit([a_trial(1, version=0, workload_id=orphan.workload_id)])

    done = await scene.delete(found)

    assert "belongs to a trial" in done.orphans[0].outcome
    assert orphan.desired is DesiredPhase.RUNNING


async def test_a_delete_that_fails_leaves_the_orphan_with_the_reason(scene: Scene) -> None:
    scene.there_is(7)
    found = await scene.find()
    scene.remote.faults = {("delete", 1): Fault(error=TransientError("503"))}

    done = await scene.delete(found)

    assert (done.left, done.orphans[0].outcome) == (1, "503")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnsupportedError("404"), "without a listing, orphans cannot be found: 404"),
        (TransientError("no answer"), "no answer"),
    ],
)
async def test_a_sweep_that_cannot_be_looked_through_says_why(
    scene: Scene, error: ControlPlaneError, words: str
) -> None:
    scene.remote.down = error

    assert (await scene.find()).trouble == words


async def test_what_cannot_be_opened_again_is_not_deleted(scene: Scene) -> None:
    orphan = scene.there_is(7)
    found = await scene.find()
    found.folder.store.unlink()

    done = await scene.delete(found)

    assert "has no store" in done.trouble
    assert orphan.desired is DesiredPhase.RUNNING


async def test_a_sweep_that_never_had_a_place_is_skipped(settings: Settings) -> None:
    await a_kept_sweep(settings, sweep=a_sweep(control_plane=RUNAI))

    assert "never got as far" in (await Scene(settings).find()).skipped


async def test_the_control_plane_of_this_machine_is_left_to_its_daemon(settings: Settings) -> None:
    folder = await a_kept_sweep(settings)
    latest = Latest(now=utc_now, started=utc_now())
    metrics = Metrics(version="1", now=utc_now)

    async with (
        own_store(folder, utc_now) as store,
        verbs_face(folder, store, latest, metrics, lambda: None),
    ):
        found = await Scene(settings).find()

    assert "its daemon holds" in found.skipped


async def test_a_sweep_of_this_machine_is_looked_through_without_a_daemon(
    settings: Settings,
) -> None:
    await a_kept_sweep(settings, trials=[a_trial(0, state=TrialState.COMPLETED, version=0)])

    (found,) = await find_orphans(settings, "demo")

    assert (found.orphans, found.trouble, found.skipped) == ((), "", "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, f"RUNAI_BASE_URL is not set: set it to {RUNAI}"),
        (
            {"base_url": "https://other.run.ai", "client_id": "me", "client_secret": "s"},
            "RUNAI_BASE_URL is https://other.run.ai",
        ),
    ],
)
async def test_another_control_plane_is_refused(
    settings: Settings, tmp_path: Any, fields: dict[str, str], words: str
) -> None:
    folder = folder_of(settings, "demo")

    with pytest.raises(SettingsError, match=words):
        async with kept_plane(settings_in(tmp_path, **fields), folder, {"control_plane": RUNAI}):
            pass


async def test_the_same_control_plane_is_opened_for_the_sweeps_project(
    settings: Settings, tmp_path: Any
) -> None:
    given = {"base_url": RUNAI, "client_id": "me", "client_secret": "s"}
    sweep = {"control_plane": RUNAI, "project_id": "7"}

    async with kept_plane(
        settings_in(tmp_path, **given), folder_of(settings, "demo"), sweep
    ) as one:
        assert one is not None
