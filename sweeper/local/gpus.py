"""The GPUs of this machine: found through NVML, or declared."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pynvml

logger = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU: its index on this machine, and what CUDA calls it."""

    index: int
    cuda_name: str


def find_gpus(declared: int | None, environment: Mapping[str, str]) -> Sequence[Gpu]:
    """Return the GPUs to hand out: `declared` ones, else those of NVML.

    Where `CUDA_VISIBLE_DEVICES` in `environment` names GPUs, only those are meant: of NVML's the
    others are left out, and declared ones are the first of them, if there are so many.
    """
    visible = environment.get(VISIBLE)
    names = None if visible is None else [name.strip() for name in visible.split(",")]
    if declared is not None:
        return _declared(declared, names or [])
    found = _from_nvml()
    if names is None:
        return found
    return [gpu for gpu in found if {str(gpu.index), gpu.cuda_name} & set(names)]


def _declared(count: int, names: Sequence[str]) -> Sequence[Gpu]:
    """Return so many GPUs; only numbers tell which ones of the machine they are."""
    if len(names) < count or not all(name.isdecimal() for name in names):
        names = [str(index) for index in range(count)]
    return [Gpu(index=int(name), cuda_name=name) for name in names[:count]]


def lock_file(directory: Path, index: int) -> str:
    """Return the path of the lock that stands for a GPU, machine-wide."""
    return str((directory / f"gpu-{index}.lock").absolute())


def _from_nvml() -> Sequence[Gpu]:
    """Return what NVML tells; where it is missing or does not answer there are none."""
    try:
        with _nvml():
            return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        logger.debug("no GPUs: NVML does not answer: %s", error)
        return []


def _gpu(index: int) -> Gpu:
    uuid = pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index))
    return Gpu(index=index, cuda_name=uuid if isinstance(uuid, str) else uuid.decode())


@contextmanager
def _nvml() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()
