from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from sweeper.local import gpus
from sweeper.local.gpus import find_gpus, lock_file


def nvml(*, uuid: Callable[[int], str | bytes], has_driver: bool = True) -> SimpleNamespace:
    """A module as NVML's, on a machine with two GPUs; `calls` tells whether it is open."""
    calls: list[str] = []

    def begin() -> None:
        if not has_driver:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
        calls.append("open")

    return SimpleNamespace(
        calls=calls,
        nvmlInit=begin,
        nvmlShutdown=lambda: calls.append("closed"),
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=uuid,
        NVMLError=pynvml.NVMLError,
    )


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with two GPUs; NVML must be closed again."""
    module = nvml(uuid=lambda index: f"GPU-{index}")
    monkeypatch.setattr(gpus, "pynvml", module)
    yield
    assert module.calls == ["open", "closed"]


def names(declared: int | None, visible: str | None = None) -> list[str]:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return [gpu.cuda_name for gpu in find_gpus(declared, environment)]


def test_declared_gpus_are_numbered() -> None:
    assert names(2) == ["0", "1"]


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        ("3,2", ["3", "2"]),
        ("3, 2, 1", ["3", "2"]),
        ("3", ["0", "1"]),
        ("GPU-a,GPU-b", ["0", "1"]),
        ("", ["0", "1"]),
    ],
)
def test_declared_gpus_are_the_first_visible_ones(visible: str, found: list[str]) -> None:
    assert names(2, visible) == found


def test_nvml_names_the_gpus_of_the_machine(two_gpus: None) -> None:
    assert names(None) == ["GPU-0", "GPU-1"]


@pytest.mark.parametrize(
    ("visible", "found"),
    [("1", ["GPU-1"]), ("GPU-0, 1", ["GPU-0", "GPU-1"]), ("", []), ("-1", [])],
)
def test_of_nvmls_gpus_only_the_visible_ones_are_handed_out(
    two_gpus: None, visible: str, found: list[str]
) -> None:
    assert names(None, visible) == found


def test_older_bindings_give_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "pynvml", nvml(uuid=lambda index: f"GPU-{index}".encode()))

    assert names(None) == ["GPU-0", "GPU-1"]


def test_without_a_driver_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nvml(uuid=str, has_driver=False)
    monkeypatch.setattr(gpus, "pynvml", module)

    assert names(None) == []


def test_a_lock_stands_for_each_gpu_of_the_machine() -> None:
    assert lock_file(Path("/run/gpus"), 3) == "/run/gpus/gpu-3.lock"
