import json
import os
import resource
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import (
    all_folders,
    folder_of,
    private_folder,
    socket_directory,
    state_dir,
)
from sweeper.errors import SettingsError
from sweeper.settings import Settings


def test_a_sweep_gets_a_folder_that_only_its_owner_may_enter(settings: Settings) -> None:
    folder = folder_of(settings, "demo")

    folder.create(Path("sweep.yaml"))

    assert folder.exists()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.path / "sweep.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../../etc", "a/b", "ä ö", "x" * 200, "."])
def test_no_name_leads_out_of_the_state_directory(settings: Settings, name: str) -> None:
    folder = folder_of(settings, name)

    assert folder.path.parent == state_dir(settings) / "sweeps"
    assert len(folder.path.name) < 40


def test_names_that_look_alike_have_folders_of_their_own(settings: Settings) -> None:
    assert folder_of(settings, "A b").path != folder_of(settings, "a-b").path


def test_a_folder_remembers_its_sweep_whatever_file_starts_it(settings: Settings) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    before = folder.sweep_id

    folder.remember("abcdefghij")
    folder.create(Path("/other.yaml"))

    assert (before, folder.sweep_id) == (None, "abcdefghij")
    assert json.loads((folder.path / "sweep.json").read_text()) == {
        "name": "demo",
        "file": "/other.yaml",
        "sweep_id": "abcdefghij",
    }


@pytest.mark.parametrize("left", ["", "[1]", '{"sweep_id": 3}', "[" * 100_000])
def test_a_note_that_a_disk_lost_is_made_anew(settings: Settings, left: str) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    (folder.path / "sweep.json").write_text(left)

    assert folder.sweep_id is None
    folder.create(Path("sweep.yaml"))

    assert [one.name for one in all_folders(settings)] == ["demo"]


def test_making_a_folder_twice_keeps_its_secret(settings: Settings) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    key = folder.report_key()

    folder.create(Path("sweep.yaml"))

    assert folder.report_key() == key
    assert len(key) == 32
    assert stat.S_IMODE((folder.path / "report.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [b"", b"\0" * 64, b"ab", b"\xff"])
def test_a_secret_that_a_disk_lost_is_made_anew(settings: Settings, left: bytes) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    (folder.path / "report.key").write_bytes(left)

    key = folder.report_key()

    assert len(key) == 32
    assert folder.report_key() == key


def test_a_file_is_on_the_disk_before_it_takes_its_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        done.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

    def put(source: Path, target: Path) -> None:
        replace(source, target)
        done.append(f"put {target.name}")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", put)
    folder.report_key()

    assert done == ["sync report.key.part", "put report.key", f"sync {folder.path.name}"]


def test_a_new_folder_is_on_the_disk_with_all_above_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(os, "fsync", fsync)
    private_folder(tmp_path / "a" / "b")

    assert synced == [str(tmp_path), str(tmp_path / "a")]


@pytest.mark.parametrize("act", ["create", "report_key"])
def test_a_disk_without_room_is_told_with_the_remedy_and_keeps_what_was(
    settings: Settings, act: str
) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))
    before = (folder.path / "sweep.json").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SettingsError, match=r"File too large; make room there"):
            folder.create(Path("other.yaml")) if act == "create" else folder.report_key()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (folder.path / "sweep.json").read_bytes() == before
    assert not (folder.path / "report.key").exists()


def test_a_state_directory_that_is_a_file_is_told_with_the_remedy(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(SettingsError, match=r"cannot be written: .*--state-dir"):
        folder_of(settings, "demo").create(Path("sweep.yaml"))


def test_all_folders_are_found_by_name_and_strangers_left_out(settings: Settings) -> None:
    for name in ("b", "a"):
        folder_of(settings, name).create(Path("sweep.yaml"))
    (state_dir(settings) / "sweeps" / "stranger").mkdir()
    (state_dir(settings) / "sweeps" / "stranger" / "sweep.json").write_text("{}")

    assert [folder.name for folder in all_folders(settings)] == ["a", "b"]


def test_sockets_have_short_names_below_the_runtime_directory(settings: Settings) -> None:
    socket = folder_of(settings, "x" * 100).socket

    assert len(socket.name) == len("0123456789abcdef.sock")
    assert socket.parent == socket_directory(settings)


def test_a_socket_directory_that_others_may_enter_is_refused(settings: Settings) -> None:
    socket_directory(settings).chmod(0o755)

    with pytest.raises(SettingsError, match="nobody else may enter"):
        socket_directory(settings)


@pytest.fixture
def in_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where sockets would go, with nothing there yet."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "sweeper"


@pytest.mark.parametrize("target", ["somewhere", "nowhere"])
def test_a_link_in_the_place_of_the_socket_directory_is_refused(
    settings: Settings, in_the_way: Path, target: str
) -> None:
    in_the_way.with_name("somewhere").mkdir(mode=0o700)
    in_the_way.symlink_to(in_the_way.with_name(target))

    with pytest.raises(SettingsError, match="a folder of your own"):
        socket_directory(settings)

    assert list(in_the_way.with_name("somewhere").iterdir()) == []


def test_a_file_in_the_place_of_the_socket_directory_is_refused(
    settings: Settings, in_the_way: Path
) -> None:
    in_the_way.touch(mode=0o600)

    with pytest.raises(SettingsError, match="a folder of your own"):
        socket_directory(settings)


def test_a_socket_directory_of_someone_else_is_refused(
    settings: Settings, in_the_way: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way.mkdir(mode=0o700)
    owner = in_the_way.stat().st_uid
    monkeypatch.setattr("os.getuid", lambda: owner + 1)

    with pytest.raises(SettingsError, match="a folder of your own"):
        socket_directory(settings)


def test_folders_that_are_missing_above_are_private_too(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)

    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o700] * 3


def test_without_a_runtime_directory_sockets_go_to_one_for_the_user(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere/at/all")

    assert str(socket_directory(settings)) == f"/tmp/sweeper-{os.getuid()}"


def test_where_nothing_else_can_be_written_sockets_go_to_the_state_directory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    found = socket_directory(settings, shared=tmp_path / "nowhere")

    assert found == state_dir(settings) / "run"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_files_of_a_trial_have_their_places(settings: Settings) -> None:
    folder = folder_of(settings, "demo")

    assert folder.log_file("demo-x-0-1") == folder.local / "logs" / "demo-x-0-1.log"
    assert folder.report_file(3) == folder.local / "reports" / "3.jsonl"


def test_daemons_that_start_at_once_do_not_lose_each_others_notes(settings: Settings) -> None:
    folder = folder_of(settings, "demo")
    folder.create(Path("sweep.yaml"))

    def start(number: int) -> None:
        if number % 10 == 5:
            folder.remember(f"id{number}")
        folder.create(Path(f"/{number}.yaml"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(60)))

    assert folder.sweep_id is not None
    assert not list(folder.path.glob("*.part"))
