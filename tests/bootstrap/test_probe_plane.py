import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sweeper.bootstrap.capabilities import load_capabilities, save_capabilities
from sweeper.bootstrap.planes import PlaneRequest, open_plane
from sweeper.bootstrap.probe_plane import ProbeOptions, new_mark, probe_plane
from sweeper.domain.sweep import TrainingTemplate
from sweeper.errors import SettingsError
from sweeper.local.plane import LocalPlane, LocalPlaneOptions, open_plane_on
from sweeper.local.simulated import SimulatedRuntime, endless
from sweeper.ports import Now
from sweeper.runai.capabilities import Capabilities
from sweeper.runai.operations import Observer
from sweeper.runai.tokens import TokenVersion
from sweeper.settings import Settings
from sweeper.web.serving import bind_tcp, serve
from tests.runai.probed import Site, app_of
from tests.support.places import settings_in


@asynccontextmanager
async def served(site: Site, folder: Path, **fields: object) -> AsyncIterator[Settings]:
    """Serve a site; yield settings that lead there."""
    with bind_tcp("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with serve(app_of(site), [bound]):
            given = {"base_url": url, "client_id": "me", "client_secret": "hush", **fields}
            yield settings_in(folder, **given)


def _unheard(_line: str) -> None:
    pass


async def test_a_probe_tells_a_line_for_each_step_and_writes_down_what_it_found(
    tmp_path: Path,
) -> None:
    lines: list[str] = []
    async with served(Site(token="v1"), tmp_path, project="vision") as settings:
        report = await probe_plane(ProbeOptions(settings=settings), lines.append)

    assert report.code == 0
    assert [line.split()[0] for line in lines] == ["ok"] * 16
    assert load_capabilities(settings, settings.base_url or "").token_version is TokenVersion.V1
    assert str(report.found["file"]) in report.closing
    assert json.loads(json.dumps(report.found))["capabilities"]["names_unique"] is True


async def test_missing_permissions_are_asked_for_together(tmp_path: Path) -> None:
    site = Site(refused={"suspend": 403, "events": 403})
    async with served(site, tmp_path) as settings:
        report = await probe_plane(ProbeOptions(settings=settings, project="vision"), _unheard)

    asked = ["read on workloads", "update on workloads"]
    assert report.code == 1
    assert report.found["permissions_to_ask_for"] == asked
    assert "to give this account, on project vision:\n  read on workloads\n" in report.closing


async def test_remedies_stand_at_the_end(tmp_path: Path) -> None:
    async with served(Site(started="Failed"), tmp_path) as settings:
        report = await probe_plane(ProbeOptions(settings=settings, project="vision"), _unheard)

    assert "What can be done:\n  start: look at its events" in report.closing


async def test_a_probe_that_found_nothing_leaves_what_was_known(tmp_path: Path) -> None:
    async with served(Site(refused={"v1": 401, "v2": 401}), tmp_path) as settings:
        known = Capabilities(names_unique=False)
        save_capabilities(settings, settings.base_url or "", known)

        report = await probe_plane(ProbeOptions(settings=settings, project="vision"), _unheard)

    assert report.found["file"] is None
    assert load_capabilities(settings, settings.base_url or "") == known


async def test_a_signal_ends_a_probe_and_takes_away_what_it_made(tmp_path: Path) -> None:
    site, lines = Site(hangs="suspend"), list[str]()
    async with served(site, tmp_path) as settings, asyncio.TaskGroup() as group:
        options = ProbeOptions(settings=settings, project="vision")
        task = group.create_task(probe_plane(options, lines.append), name="probe")
        await site.hanging.wait()
        os.kill(os.getpid(), signal.SIGINT)
        report = await task
        site.released.set()

    assert report.code == 130
    assert site.trainings == []
    assert lines[-1].endswith("nothing is left behind")


async def test_this_machine_is_probed_in_a_folder_that_goes_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    @asynccontextmanager
    async def simulated(
        options: LocalPlaneOptions, *, now: Now, on_change: Callable[[], None]
    ) -> AsyncIterator[LocalPlane]:
        folders.append(options.directory)
        runtime = SimulatedRuntime(endless, now=now)
        async with open_plane_on(runtime, options, now=now, on_change=on_change) as plane:
            yield plane

    monkeypatch.setattr("sweeper.bootstrap.probe_plane.open_local_plane", simulated)
    monkeypatch.setattr("sweeper.runai.probe_training.POLL_SECONDS", 0.01)
    options = ProbeOptions(settings=settings_in(tmp_path), local=True)
    report = await probe_plane(options, _unheard)

    assert report.code == 0
    assert (report.found["control_plane"], report.found["file"]) == ("local", None)
    assert report.closing == ""
    assert not any(map(Path.exists, folders))


async def test_what_is_missing_of_the_settings_is_named(tmp_path: Path) -> None:
    nowhere = settings_in(tmp_path)
    nobody = settings_in(
        tmp_path, base_url="https://runai.example.com", client_id="me", client_secret="s"
    )

    with pytest.raises(SettingsError, match="RUNAI_BASE_URL"):
        await probe_plane(ProbeOptions(settings=nowhere), _unheard)
    with pytest.raises(SettingsError, match="RUNAI_PROJECT"):
        await probe_plane(ProbeOptions(settings=nobody), _unheard)


async def test_no_two_probes_share_a_name() -> None:
    marks = {new_mark() for _ in range(100)}

    assert len(marks) == 100
    assert all(mark.isalnum() and mark == mark.lower() for mark in marks)


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 180.0), ({"quarantine": 30.0}, 30.0)], ids=["unsaid", "said"]
)
async def test_a_sweep_heeds_what_a_probe_found_unless_told(
    tmp_path: Path, given: dict[str, object], seconds: float
) -> None:
    async with served(Site(), tmp_path, **given) as settings:
        save_capabilities(settings, settings.base_url or "", Capabilities(names_unique=False))

        async with open_plane(_request(settings)) as plane:
            assert plane.quarantine.total_seconds() == seconds


async def test_a_sweep_asks_for_tokens_where_a_probe_got_one(tmp_path: Path) -> None:
    site = Site(token="v1", refused={"v2": 500})
    async with served(site, tmp_path) as settings:
        found = Capabilities(token_version=TokenVersion.V1)
        save_capabilities(settings, settings.base_url or "", found)

        async with open_plane(_request(settings)) as plane:
            assert plane.project_id == "7"


def _request(settings: Settings) -> PlaneRequest:
    from sweeper.bootstrap.folders import folder_of

    return PlaneRequest(
        settings=settings,
        folder=folder_of(settings, "demo"),
        template=TrainingTemplate(spec={}, project="vision"),
        record=None,
        local=False,
        observer=Observer(),
        on_change=lambda: None,
    )
