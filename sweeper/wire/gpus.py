"""How many GPUs a training holds, exactly."""

import math
from collections.abc import Mapping
from fractions import Fraction

from sweeper.domain.values import JsonValue


def gpus_of(spec: Mapping[str, JsonValue] | None) -> Fraction:
    """Return the GPUs that a training of this spec holds while all its pods are at work.

    Devices times portion times parallelism. A request by memory or MIG profile counts one for
    each device, since only the device's size would tell the fraction. A request for a share that
    names no number of devices counts as one device. What is malformed counts as not given, so
    any spec has an answer.
    """
    if spec is None:
        return Fraction(0)
    compute = spec.get("compute")
    if not isinstance(compute, Mapping):
        return Fraction(0)
    pods = _whole(spec.get("parallelism"))
    return _per_pod(compute) * max(pods if pods is not None else 1, 1)


def _per_pod(compute: Mapping[str, JsonValue]) -> Fraction:
    kind = compute.get("gpuRequestType")
    devices = _whole(compute.get("gpuDevicesRequest"))
    if devices is None:
        devices = 0 if kind is None else 1
    portion = _portion(compute.get("gpuPortionRequest")) if kind == "portion" else Fraction(1)
    return max(devices, 0) * portion


def _portion(value: JsonValue) -> Fraction:
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(max(value, 0))
    if isinstance(value, float) and math.isfinite(value):
        # By way of text, 0.1 is one tenth and not the double nearest to it.
        return max(Fraction(str(value)), Fraction(0))
    return Fraction(1)


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
