import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from sweeper.errors import AuthError, SettingsError, TransientError
from sweeper.runai.directory import CLUSTERS, PROJECTS, Directory, ResolvedProject
from tests.runai.scripted import Script, token_answer, wired

pytestmark = pytest.mark.looptime

DATA = Path(__file__).parent.parent / "data" / "runai"
ON_PREM = "71f69d83-ba66-4822-adf5-55ce55efd210"
CLOUD = "81f69d83-ba66-4822-adf5-55ce55efd211"


def recorded(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def with_projects(**changes: Any) -> Script:
    return Script().on(PROJECTS, httpx.Response(200, json={**recorded("projects"), **changes}))


def with_clusters() -> Script:
    return Script().on(CLUSTERS, httpx.Response(200, json=recorded("clusters")))


@asynccontextmanager
async def directory_of(script: Script) -> AsyncIterator[Directory]:
    script.on("/api/v2/token", token_answer())
    async with wired(script) as link:
        yield Directory(partial(link.calls.make, auth=link.auth))


async def test_a_project_is_found_by_its_name() -> None:
    script = with_projects()

    async with directory_of(script) as directory:
        found = await directory.resolve_project("vision")

    assert found == ResolvedProject(project_id="4501004", cluster_id=ON_PREM)
    first = script.requests[1].url.params
    assert dict(first) == {"limit": "500", "filterBy": "name==vision", "offset": "0"}


async def test_a_projects_id_serves_as_its_name() -> None:
    async with directory_of(with_projects()) as directory:
        found = await directory.resolve_project("4501005")

    assert found.project_id == "4501005"


async def test_an_id_that_the_filter_for_names_does_not_find_is_looked_for_among_all() -> None:
    everything = httpx.Response(200, json=recorded("projects"))
    script = Script().on(PROJECTS, httpx.Response(200, json={"projects": []}), everything)

    async with directory_of(script) as directory:
        found = await directory.resolve_project("4501005")

    assert found.project_id == "4501005"
    assert "filterBy" not in script.requests[-1].url.params


async def test_every_page_of_projects_is_looked_at() -> None:
    pages = [
        httpx.Response(200, json={"projects": [{"id": "1", "name": "a"}], "next": 1}),
        httpx.Response(200, json={"projects": [{"id": "2", "name": "vision"}]}),
    ]
    script = Script().on(PROJECTS, *pages)

    async with directory_of(script) as directory:
        found = await directory.resolve_project("vision")

    assert found.project_id == "2"


async def test_a_name_that_exists_twice_is_refused_and_its_clusters_named() -> None:
    async with directory_of(with_projects()) as directory:
        with pytest.raises(SettingsError, match=f"exists 2 times.*{ON_PREM}, {CLOUD}"):
            await directory.resolve_project("speech")


async def test_the_cluster_tells_two_projects_of_one_name_apart() -> None:
    async with directory_of(with_projects()) as directory:
        found = await directory.resolve_project("speech", CLOUD)

    assert found == ResolvedProject(project_id="4501007", cluster_id=CLOUD)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("visoin", "near it: vision"),
        ("zzz", "there are: speech, speech, vision, vision-2"),
        ("visi,on", "near it: vision"),
    ],
    ids=["near", "far", "with a comma"],
)
async def test_a_project_that_does_not_exist_is_told_with_those_that_do(
    name: str, words: str
) -> None:
    script = with_projects()

    async with directory_of(script) as directory:
        with pytest.raises(SettingsError) as caught:
            await directory.resolve_project(name)

    assert words in str(caught.value)
    assert all("," not in one.url.params.get("filterBy", "") for one in script.requests)


async def test_an_account_that_sees_no_project_is_told_so() -> None:
    async with directory_of(with_projects(projects=[])) as directory:
        with pytest.raises(SettingsError, match="sees no project at all"):
            await directory.resolve_project("vision")


async def test_projects_with_odd_members_are_left_out() -> None:
    odd = [None, 7, {}, {"name": "vision"}, {"id": 5, "name": "vision"}, {"id": "1", "name": None}]
    script = with_projects(projects=[*odd, {"id": "9", "name": "vision"}])

    async with directory_of(script) as directory:
        found = await directory.resolve_project("vision")

    assert found == ResolvedProject(project_id="9", cluster_id=None)


async def test_names_from_the_server_are_made_harmless() -> None:
    script = with_projects(projects=[{"id": "1", "name": "visi\x1b[2Jon"}])

    async with directory_of(script) as directory:
        with pytest.raises(SettingsError) as caught:
            await directory.resolve_project("vision")

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_where_names_cannot_be_looked_up_the_id_is_asked_for(status: int) -> None:
    script = Script().on(PROJECTS, httpx.Response(status)).on(CLUSTERS, httpx.Response(status))

    async with directory_of(script) as directory:
        with pytest.raises(SettingsError, match="give the project's id"):
            await directory.resolve_project("vision")
        with pytest.raises(SettingsError, match="give the cluster's id"):
            await directory.resolve_cluster("on-prem")


async def test_a_control_plane_that_is_down_is_no_settings_error() -> None:
    async with directory_of(Script().on(PROJECTS, httpx.Response(503))) as directory:
        with pytest.raises(TransientError):
            await directory.resolve_project("vision")


async def test_credentials_that_are_refused_are_no_settings_error() -> None:
    async with directory_of(Script().on(PROJECTS, httpx.Response(401))) as directory:
        with pytest.raises(AuthError):
            await directory.resolve_project("vision")


@pytest.mark.parametrize("name", ["on-prem", ON_PREM], ids=["name", "id"])
async def test_a_cluster_is_found_by_name_or_id(name: str) -> None:
    async with directory_of(with_clusters()) as directory:
        assert await directory.resolve_cluster(name) == ON_PREM


async def test_a_cluster_that_does_not_exist_is_told_with_those_that_do() -> None:
    async with directory_of(with_clusters()) as directory:
        with pytest.raises(SettingsError, match="no cluster 'onprem'; near it: on-prem"):
            await directory.resolve_cluster("onprem")


async def test_a_cluster_name_that_exists_twice_is_refused_and_the_ids_given() -> None:
    twice = [{"uuid": ON_PREM, "name": "a"}, {"uuid": CLOUD, "name": "a"}]
    script = Script().on(CLUSTERS, httpx.Response(200, json={"clusters": twice}))

    async with directory_of(script) as directory:
        with pytest.raises(SettingsError, match=f"give one id of {ON_PREM}, {CLOUD}"):
            await directory.resolve_cluster("a")
