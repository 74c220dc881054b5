"""What the local control plane takes from a training's spec: what it needs, and how it lives.

A spec was checked when it was created, yet any JSON has an answer here: what has the wrong type
reads as not given.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType

from sweeper.domain.values import JsonValue
from sweeper.wire.amounts import read_amount

Spec = Mapping[str, JsonValue]

DEFAULT_GRACE_SECONDS = 30.0
DEFAULT_BACKOFF_LIMIT = 6
DEFAULT_AUTO_DELETION = timedelta(days=30)
DEFAULT_PRIORITY = "train"

PRIORITIES: Mapping[str, int] = MappingProxyType(
    {
        "build": 100,
        "interactive-preemptible": 75,
        "train": 50,
        "very-low": 25,
        "low": 40,
        "medium-low": 65,
        "medium": 80,
        "medium-high": 90,
        "high": 125,
        "very-high": 150,
    }
)
"""Place in the queue by word; the first three are those of API 2.21, the others came later."""

PREEMPTIBLE_BELOW = 100

_LONGEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a training holds while it has a process.

    `gpu_share` is of each of `gpu_devices`; `memory` is in bytes. Zero needs nothing and is
    never bounded. A higher `priority` comes first.
    """

    gpu_devices: int = 0
    gpu_share: Fraction = Fraction(1)
    cores: Fraction = Fraction(0)
    memory: Fraction = Fraction(0)
    priority: int = PRIORITIES[DEFAULT_PRIORITY]

    @property
    def is_preemptible(self) -> bool:
        """Whether what comes before it in the queue may take its place."""
        return self.priority < PREEMPTIBLE_BELOW

    @property
    def gpus(self) -> Fraction:
        """GPUs in all."""
        return self.gpu_devices * self.gpu_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """How a training is stopped, tried again and deleted.

    `restarts` is false where a failed process is never tried again, whatever the limit.
    """

    grace_seconds: float = DEFAULT_GRACE_SECONDS
    backoff_limit: int = DEFAULT_BACKOFF_LIMIT
    restarts: bool = True
    auto_deletion: timedelta = DEFAULT_AUTO_DELETION
    ends_when_preempted: bool = False


def read_spec(text: str | None) -> Spec:
    """Return the spec that was kept as JSON text; one that is absent or null is empty.

    It was read with care before it was kept, so here it is read fast.
    """
    value = None if text is None else json.loads(text)
    return value if isinstance(value, Mapping) else {}


def read_need(spec: Spec) -> Need:
    """Return what one process of this spec holds; `parallelism` counts as one."""
    compute = spec.get("compute")
    members = compute if isinstance(compute, Mapping) else {}
    return Need(
        gpu_devices=_devices(members),
        gpu_share=_share(members),
        cores=_number(members.get("cpuCoreRequest")),
        memory=_amount(members.get("cpuMemoryRequest")),
        priority=PRIORITIES.get(priority_word(spec), PRIORITIES[DEFAULT_PRIORITY]),
    )


def priority_word(spec: Spec) -> str:
    """Return the priority class, as it was given."""
    word = spec.get("priorityClass")
    return word if isinstance(word, str) else DEFAULT_PRIORITY


def read_lifecycle(spec: Spec) -> Lifecycle:
    """Return how a training of this spec lives."""
    grace = _whole(spec.get("terminationGracePeriodSeconds"))
    limit = _whole(spec.get("backoffLimit"))
    deletion = _whole(spec.get("autoDeletionTimeAfterCompletionSeconds"))
    longest = int(_LONGEST.total_seconds())
    return Lifecycle(
        grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else float(min(grace, longest)),
        backoff_limit=DEFAULT_BACKOFF_LIMIT if limit is None else limit,
        restarts=spec.get("restartPolicy") != "Never",
        auto_deletion=(
            DEFAULT_AUTO_DELETION if deletion is None else timedelta(seconds=min(deletion, longest))
        ),
        ends_when_preempted=spec.get("terminateAfterPreemption") is True,
    )


def _devices(compute: Spec) -> int:
    devices = _whole(compute.get("gpuDevicesRequest"))
    if devices is None:
        # A share that names no number of devices is of one.
        return 0 if compute.get("gpuRequestType") is None else 1
    return devices


def _share(compute: Spec) -> Fraction:
    """Return the share of each device; by memory or MIG profile it is the whole device."""
    portion = compute.get("gpuPortionRequest")
    if compute.get("gpuRequestType") != "portion" or portion is None:
        return Fraction(1)
    return min(_number(portion), Fraction(1))


def _whole(value: JsonValue) -> int | None:
    """Return a whole number, at least 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return max(value, 0)


def _number(value: JsonValue) -> Fraction:
    """Return an exact number, at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Fraction(0)
    # By way of text, 0.1 is one tenth and not the double nearest to it.
    return max(Fraction(str(value)), Fraction(0))


def _amount(value: JsonValue) -> Fraction:
    amount = read_amount(value) if isinstance(value, str) else None
    return max(amount or Fraction(0), Fraction(0))
