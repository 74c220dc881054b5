from pathlib import Path

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


def test_the_type_of_this_machines_own_mounts_is_known(tmp_path: Path) -> None:
    assert file_system_of(Path("/proc/self")) == "proc"
    assert file_system_of(tmp_path / "not" / "there" / "yet") not in {None, "proc"}
