from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sweeper.bootstrap.filesystems import NETWORK, file_system_of, refuse_network
from sweeper.bootstrap.folders import folder_of
from sweeper.errors import SettingsError
from sweeper.settings import Settings


@pytest.mark.parametrize("kind", sorted(NETWORK))
def test_a_network_file_system_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_network(tmp_path, lambda path: kind)

    assert f"{tmp_path} is on {kind}" in str(refused.value)
    assert "--state-dir" in str(refused.value)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", None])
def test_a_local_one_passes_and_so_does_what_is_unknown(tmp_path: Path, kind: str | None) -> None:
    refuse_network(tmp_path, lambda path: kind)


def test_no_folder_is_made_where_a_store_cannot_be(settings: Settings) -> None:
    folder = folder_of(settings, "demo")

    with pytest.raises(SettingsError, match="is on nfs4"):
        folder.create(Path("sweep.yaml"), kind_of=lambda path: "nfs4")

    assert not folder.path.exists()


@dataclass(frozen=True)
class Mount:
    """One line of the table of mounts."""

    mountpoint: str
    fstype: str


def mounted(monkeypatch: pytest.MonkeyPatch, *mounts: Mount) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **asked: mounts)


def test_the_nearest_mount_above_a_path_counts_and_of_two_there_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mounted(
        monkeypatch,
        Mount("/", "ext4"),
        Mount("/srv", "xfs"),
        Mount("/srv/state", "ext4"),
        Mount("/srv/state", "nfs4"),
        Mount("/srv/state2", "tmpfs"),
    )

    kinds = [file_system_of(Path(path)) for path in ("/srv/state/a", "/srv/stat", "/home")]

    assert kinds == ["nfs4", "xfs", "ext4"]


def test_a_machine_that_does_not_tell_its_mounts_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounted(monkeypatch)
    assert file_system_of(tmp_path) is None

    def fail(**asked: bool) -> None:
        raise OSError("no /proc here")

    monkeypatch.setattr(psutil, "disk_partitions", fail)
    assert file_system_of(tmp_path) is None


def test_the_type_of_this_machines_own_mounts_is_known(tmp_path: Path) -> None:
    assert file_system_of(Path("/proc/self")) == "proc"
    assert file_system_of(tmp_path / "not" / "there" / "yet") not in {None, "proc"}
