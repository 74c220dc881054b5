from pathlib import Path

import pytest

from sweeper.bootstrap.faces import Latest, verbs_face
from sweeper.bootstrap.folders import folder_of
from sweeper.bootstrap.listing import list_sweeps
from sweeper.bootstrap.owning import own_store
from sweeper.bootstrap.probing import probe
from sweeper.bootstrap.verbs import listens, open_verbs
from sweeper.clock import utc_now
from sweeper.errors import SettingsError
from sweeper.settings import Settings
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import a_sweep, a_trial
from tests.support.places import a_kept_sweep


def _latest() -> Latest:
    return Latest(now=utc_now, started=utc_now())


def _metrics() -> Metrics:
    return Metrics(version="1", now=utc_now)


async def test_without_a_daemon_a_verb_opens_the_store_itself(settings: Settings) -> None:
    await a_kept_sweep(settings, trials=[a_trial(version=0)])

    async with open_verbs(settings, "demo", "status") as verbs:
        view = await verbs.client.sweep()

    assert not verbs.has_daemon
    assert view["trials"]["states"]["active"] == 1


async def test_a_verb_asks_the_daemon_that_owns_the_store(settings: Settings) -> None:
    folder = await a_kept_sweep(settings)
    wishes: list[str] = []

    async with (
        own_store(folder, utc_now) as store,
        verbs_face(folder, store, _latest(), _metrics(), lambda: wishes.append("heard")),
        open_verbs(settings, "demo", "pause") as verbs,
    ):
        await verbs.client.wish("pause")
        kept = await store.wishes()

    assert verbs.has_daemon
    assert [wish.kind for wish in kept] == ["pause"]
    assert wishes == ["heard"]
    assert not listens(folder.socket)


async def test_a_sweep_whose_first_start_failed_early_says_so(settings: Settings) -> None:
    folder_of(settings, "demo").create(Path("sweep.yaml"))

    with pytest.raises(SettingsError, match="no store yet"):
        async with open_verbs(settings, "demo", "status"):
            pass


async def test_sweeps_are_listed_by_name_with_how_they_stand(settings: Settings) -> None:
    await a_kept_sweep(settings, sweep=a_sweep(name="b"), trials=[a_trial(version=0)])
    await a_kept_sweep(settings, sweep=a_sweep(name="a"))
    folder_of(settings, "c").create(Path("c.yaml"))

    rows = await list_sweeps(settings)

    assert [row["name"] for row in rows] == ["a", "b", "c"]
    assert [row["state"] for row in rows] == ["open", "open", None]
    assert rows[1]["planned"] == 10
    assert "no store yet" in rows[2]["trouble"]


async def test_health_asks_the_daemon_over_its_socket(settings: Settings) -> None:
    folder = await a_kept_sweep(settings)

    async with (
        own_store(folder, utc_now) as store,
        verbs_face(folder, store, _latest(), _metrics(), lambda: None),
    ):
        assert await probe(settings, "demo") == (True, "ok")

    well, words = await probe(settings, "demo")
    assert not well
    assert "the daemon of demo does not answer" in words
