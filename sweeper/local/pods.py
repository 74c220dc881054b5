"""The places in which a training's processes run: each holds one process after the other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Process(StrEnum):
    """What is known of the newest process of a pod."""

    NONE = "none"
    ORDERED = "ordered"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One place of a training: as Kubernetes' pod, but that its next process may follow here.

    - `index` counts the places of a training from 0; the next process of a place has it, too
    - `start` is the number of its newest start among all starts of its training
    - `devices` are the GPUs, and `node` the name of the machine, that it holds, between two
      processes as well
    - `is_ready` is what the readiness probe has found; without a probe it is true
    - `not_before` is when the next process starts, where there is none
    """

    index: int = 0
    start: int = 1
    process: Process = Process.RUNNING
    devices: tuple[int, ...] = ()
    node: str = ""
    is_ready: bool = True
    not_before: datetime | None = None

    @property
    def has_process(self) -> bool:
        """Whether a process runs in it, or may run."""
        return self.process is not Process.NONE

    @property
    def is_up(self) -> bool:
        """Whether its process runs and is ready."""
        return self.process is Process.RUNNING and self.is_ready
