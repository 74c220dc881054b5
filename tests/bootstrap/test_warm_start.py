import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.bootstrap.warm_start import learned_before
from sweeper.domain.record import Report
from sweeper.domain.result import Outcome
from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import Goal, ObjectiveSpec, SweepSpec
from sweeper.domain.trial import TrialState
from sweeper.errors import SettingsError
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from tests.support.builders import NOW, a_spec, a_sweep, a_trial

ROWS = [
    {"trial": 0, "params": {"lr": 0.1}, "state": "completed", "objective": 0.5},
    {"trial": 1, "params": {"lr": 0.2}, "state": "pruned", "objective": 2},
    {"trial": 2, "params": {"lr": 0.3}, "state": "failed", "objective": 0.1},
    {"trial": 3, "params": {"lr": 0.4}, "state": "completed", "objective": None},
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=str(tmp_path / "state"))


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> SweepFolder:
    found = folder_of(settings, "new")
    found.create(tmp_path / "new.yaml")
    return found


def learning(*names: str) -> SweepSpec:
    return a_spec(
        objective=ObjectiveSpec(name="loss"),
        search=SearchSpec(sampler=SamplerName.TPE, warm_start=names),
    )


async def an_old_sweep(settings: Settings, tmp_path: Path, objective: str = "loss") -> None:
    old = folder_of(settings, "old")
    old.create(tmp_path / "old.yaml")
    async with SqlStore(old.store) as store:
        await store.save_sweep(a_sweep(name="old", objective=objective, goal=Goal.MINIMIZE))
        trial = a_trial(0, params={"lr": 0.7}, state=TrialState.COMPLETED)
        await store.commit([replace(trial, version=0)])
        await store.add_reports([Report(trial=0, key="1", at=NOW, values={objective: 0.25})])


async def test_a_sweep_that_names_nothing_learns_from_nothing(
    folder: SweepFolder, settings: Settings
) -> None:
    assert await learned_before(learning(), folder, settings) == ()
    assert not (folder.path / "prior.json").exists()


async def test_results_in_a_file_are_learned_where_they_tell_something(
    folder: SweepFolder, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(ROWS), encoding="utf-8")

    found = await learned_before(learning(str(file)), folder, settings)

    assert [(one.params, one.outcome, one.value) for one in found] == [
        ({"lr": 0.1}, Outcome.COMPLETED, 0.5),
        ({"lr": 0.2}, Outcome.PRUNED, 2.0),
    ]


async def test_another_sweep_is_learned_from_as_it_stands_at_the_first_start(
    folder: SweepFolder, settings: Settings, tmp_path: Path
) -> None:
    await an_old_sweep(settings, tmp_path)
    first = await learned_before(learning("old"), folder, settings)
    folder_of(settings, "old").store.unlink()

    assert await learned_before(learning("old"), folder, settings) == first
    assert [(one.params, one.value) for one in first] == [({"lr": 0.7}, 0.25)]


async def test_a_sweep_with_another_objective_is_refused(
    folder: SweepFolder, settings: Settings, tmp_path: Path
) -> None:
    await an_old_sweep(settings, tmp_path, "accuracy")

    with pytest.raises(SettingsError, match="has the objective accuracy, this one loss"):
        await learned_before(learning("old"), folder, settings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("{}", "holds no list"),
        ("[3]", "a row without params"),
        ('[{"params": 3}]', "a row without params"),
        (None, "No such file"),
    ],
)
async def test_a_file_that_holds_no_results_is_refused(
    content: str | None, words: str, folder: SweepFolder, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError, match=words):
        await learned_before(learning(str(file)), folder, settings)
    assert not (folder.path / "prior.json").exists()


@pytest.mark.parametrize(("name", "words"), [("new", "this sweep itself"), ("none", "none")])
async def test_what_is_no_other_sweep_is_refused(
    name: str, words: str, folder: SweepFolder, settings: Settings
) -> None:
    with pytest.raises(SettingsError, match=words):
        await learned_before(learning(name), folder, settings)
