import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweeper.local.leases import Leases
from sweeper.local.runtime import LeaseTakenError, StartError


@contextmanager
def locked_by_another(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_a_path_is_opened_once_however_many_use_it_and_however_it_is_spelled(
    tmp_path: Path,
) -> None:
    leases = Leases()
    path = tmp_path / "leases" / "gpu-0"

    one = leases.take([str(path)])
    other = leases.take([str(path.parent / ".." / "leases" / "gpu-0"), str(path)])

    assert list(one) == list(other)
    leases.release([str(path)])
    assert is_locked(path)
    leases.release([str(path)])
    assert not is_locked(path)


def test_a_released_path_may_be_taken_again(tmp_path: Path) -> None:
    leases = Leases()
    path = tmp_path / "gpu-0"

    for _ in range(2):
        leases.take([str(path)])
        leases.release([str(path)])

    assert not is_locked(path)


def test_of_several_paths_all_or_none_are_taken(tmp_path: Path) -> None:
    leases = Leases()
    free, taken = tmp_path / "free", tmp_path / "taken"

    with locked_by_another(taken), pytest.raises(LeaseTakenError, match="taken is locked"):
        leases.take([str(free), str(taken)])

    assert not is_locked(free)


def test_descriptors_are_not_inherited_unasked(tmp_path: Path) -> None:
    (descriptor,) = Leases().take([str(tmp_path / "gpu-0")])

    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("name", ["file/gpu-0", "file/", "nul\0"])
def test_a_path_that_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises((StartError, ValueError)):
        Leases().take([f"{tmp_path}/{name}x"])


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(StartError, match="gpu-0: No locks available"):
        Leases().take([str(tmp_path / "gpu-0")])
