import os
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import folder_of
from sweeper.bootstrap.sweeps import find_sweep, started_from
from sweeper.errors import SettingsError
from sweeper.settings import Settings


def _started(settings: Settings, name: str, file: Path, at: int = 0) -> None:
    folder = folder_of(settings, name)
    folder.create(file)
    os.utime(folder.path / "sweep.json", (at, at))


def test_a_sweep_is_found_by_its_name(settings: Settings, tmp_path: Path) -> None:
    _started(settings, "demo", tmp_path / "a.yaml")

    found = find_sweep(settings, "demo")

    assert found.name == "demo"
    assert started_from(found) == tmp_path / "a.yaml"


def test_a_sweep_is_found_by_its_file(settings: Settings, tmp_path: Path) -> None:
    _started(settings, "demo", tmp_path / "a.yaml")

    assert find_sweep(settings, str(tmp_path / "a.yaml")).name == "demo"


def test_of_the_sweeps_that_a_file_started_the_newest_is_meant(
    settings: Settings, tmp_path: Path
) -> None:
    _started(settings, "nightly-2026-03-02", tmp_path / "a.yaml", at=200)
    _started(settings, "nightly-2026-03-01", tmp_path / "a.yaml", at=100)

    assert find_sweep(settings, str(tmp_path / "a.yaml")).name == "nightly-2026-03-02"


def test_a_mistyped_name_is_answered_with_the_nearest(settings: Settings) -> None:
    _started(settings, "resnet", Path("a.yaml"))

    with pytest.raises(SettingsError, match="no sweep is called 'resnett': did you mean resnet"):
        find_sweep(settings, "resnett")


def test_a_strange_name_is_answered_with_those_there_are(settings: Settings) -> None:
    for number in range(12):
        _started(settings, f"sweep-{number:02}", Path("a.yaml"))

    with pytest.raises(SettingsError, match=r"there are sweep-00, .*sweep-09 and 2 more"):
        find_sweep(settings, "zzz")


def test_a_file_that_started_nothing_says_how_to_start_it(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "new.yaml"
    file.touch()

    with pytest.raises(SettingsError, match="no sweep was started from this file"):
        find_sweep(settings, str(file))


def test_an_empty_state_directory_says_where_it_looked(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="no sweep was ever started here"):
        find_sweep(settings, "demo")


def test_a_note_that_was_damaged_tells_no_file(settings: Settings) -> None:
    _started(settings, "demo", Path("a.yaml"))
    folder = folder_of(settings, "demo")
    (folder.path / "sweep.json").write_text("[]")

    assert started_from(folder) is None
