import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.planes import LOCAL, Plane, PlaneRequest, open_plane, runs_locally
from sweeper.domain.record import SweepRecord
from sweeper.domain.sweep import TrainingTemplate
from sweeper.errors import SettingsError
from sweeper.runai.operations import Observer
from sweeper.settings import Settings
from sweeper.web.serving import bind_tcp, serve
from tests.support.builders import a_sweep
from tests.support.places import settings_in

CLUSTER = "5eeb0000-10ca-4000-8000-000000000001"
TEMPLATE = TrainingTemplate(spec={}, project="vision")


def _folder(settings: Settings) -> SweepFolder:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    return folder


def _request(
    settings: Settings,
    template: TrainingTemplate | None,
    record: SweepRecord | None = None,
    *,
    local: bool = False,
) -> PlaneRequest:
    return PlaneRequest(
        settings=settings,
        folder=_folder(settings),
        template=template,
        record=record,
        local=local,
        observer=Observer(),
        on_change=lambda: None,
    )


def _answering(tokens: list[int]) -> Callable[..., Any]:
    """Return an app that gives tokens with the statuses of `tokens`, and knows one project."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/api/v2/token"):
            status = tokens.pop(0) if len(tokens) > 1 else tokens[0]
            body: Any = {"access_token": "t", "expires_in": 3600}
        elif scope["path"] == "/api/v1/org-unit/projects":
            status, body = 200, {"projects": [{"id": "7", "name": "vision", "clusterId": CLUSTER}]}
        else:
            status, body = 200, [{"uuid": CLUSTER, "name": "west"}]
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return app


@asynccontextmanager
async def _runai(tmp_path: Path, tokens: list[int], **fields: object) -> AsyncIterator[Settings]:
    """Serve a control plane that can only be looked at; yield settings that lead there."""
    with bind_tcp("127.0.0.1", 0) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with serve(_answering(tokens), [bound]):
            given = {"base_url": url, "client_id": "me", "client_secret": "s", **fields}
            yield settings_in(tmp_path, **given)


async def _opened(request: PlaneRequest) -> Plane:
    async with open_plane(request) as plane:
        return plane


def test_a_sweep_without_a_training_section_always_runs_here(settings: Settings) -> None:
    assert runs_locally(None, settings, local=False)


def test_a_training_section_runs_here_only_when_told_so(settings: Settings) -> None:
    assert runs_locally(TEMPLATE, settings, local=True)
    with pytest.raises(SettingsError, match="RUNAI_BASE_URL is not set"):
        runs_locally(TEMPLATE, settings, local=False)


async def test_the_local_control_plane_needs_nothing(settings: Settings) -> None:
    plane = await _opened(_request(settings, None))

    assert (plane.name, plane.is_local) == (LOCAL, True)
    assert plane.quarantine.total_seconds() == 0


async def test_projects_and_clusters_are_found_by_name(tmp_path: Path) -> None:
    async with _runai(tmp_path, [200], quarantine=7.0) as settings:
        plane = await _opened(_request(settings, TEMPLATE))

    assert (plane.project_id, plane.cluster_id) == ("7", CLUSTER)
    assert plane.quarantine.total_seconds() == 7


async def test_the_project_may_come_from_the_environment_and_the_cluster_by_name(
    tmp_path: Path,
) -> None:
    async with _runai(tmp_path, [200], project="vision", cluster="west") as settings:
        plane = await _opened(_request(settings, TrainingTemplate(spec={})))

    assert (plane.project_id, plane.cluster_id) == ("7", CLUSTER)


async def test_ids_that_are_given_are_not_looked_up(tmp_path: Path) -> None:
    template = TrainingTemplate(spec={}, project_id="9", cluster_id=CLUSTER)
    async with _runai(tmp_path, [500]) as settings:
        plane = await _opened(_request(settings, template))

    assert (plane.project_id, plane.cluster_id) == ("9", CLUSTER)


async def test_a_sweep_stays_where_its_first_start_put_it(tmp_path: Path) -> None:
    record = a_sweep(project_id="3", cluster_id=CLUSTER)
    async with _runai(tmp_path, [500]) as settings:
        plane = await _opened(_request(settings, TEMPLATE, record))

    assert plane.project_id == "3"


async def test_a_control_plane_that_does_not_answer_yet_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.bootstrap.planes._START_PATIENCE", (0.0,))
    async with _runai(tmp_path, [503] * 5 + [200]) as settings:
        plane = await _opened(_request(settings, TEMPLATE))

    assert plane.project_id == "7"
    assert "does not answer yet" in caplog.text


async def test_refused_credentials_are_told_as_such(tmp_path: Path) -> None:
    async with _runai(tmp_path, [401]) as settings:
        with pytest.raises(SettingsError, match="refuses the credentials"):
            await _opened(_request(settings, TEMPLATE))


async def test_a_sweep_without_a_project_is_told_where_to_name_one(tmp_path: Path) -> None:
    async with _runai(tmp_path, [200]) as settings:
        with pytest.raises(SettingsError, match=r"set training\.project in the sweep file"):
            await _opened(_request(settings, TrainingTemplate(spec={})))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"client_id": None}, "RUNAI_CLIENT_ID is not set"),
        ({"client_secret": None}, "RUNAI_CLIENT_SECRET is not set"),
        ({"client_secret_file": Path("/nowhere/secret")}, "No such file"),
        ({"ca_file": Path("/nowhere/ca.pem")}, "CA file"),
    ],
)
async def test_what_is_missing_to_call_is_named(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    async with _runai(tmp_path, [200], **fields) as settings:
        with pytest.raises(SettingsError, match=words):
            await _opened(_request(settings, TEMPLATE))


async def test_a_secret_may_lie_in_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s")
    file.chmod(0o644)
    async with _runai(tmp_path, [200], client_secret=None, client_secret_file=file) as settings:
        with pytest.raises(SettingsError, match="others may read it"):
            await _opened(_request(settings, TEMPLATE))
        file.chmod(0o600)
        plane = await _opened(_request(settings, TEMPLATE))

    assert plane.project_id == "7"
    assert httpx.URL(plane.name).host == "127.0.0.1"
