import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from sweeper.wire.gpus import gpus_of
from tests.wire.generating import LIGHT, near_bodies


@pytest.mark.parametrize(
    ("compute", "gpus"),
    [
        ({}, 0),
        ({"gpuDevicesRequest": 2}, 2),
        ({"gpuDevicesRequest": 0}, 0),
        ({"gpuDevicesRequest": -1}, 0),
        ({"gpuDevicesRequest": None}, 0),
        ({"gpuDevicesRequest": "2"}, 0),
        ({"gpuDevicesRequest": True}, 0),
        ({"gpuDevicesRequest": 1, "gpuRequestType": "portion", "gpuPortionRequest": 0.1}, "1/10"),
        ({"gpuDevicesRequest": 2, "gpuRequestType": "portion", "gpuPortionRequest": 0.5}, 1),
        ({"gpuRequestType": "portion", "gpuPortionRequest": 0.25}, "1/4"),
        ({"gpuRequestType": "portion", "gpuPortionRequest": 1}, 1),
        ({"gpuRequestType": "portion", "gpuPortionRequest": -1}, 0),
        ({"gpuRequestType": "portion", "gpuPortionRequest": -0.5}, 0),
        ({"gpuRequestType": "portion", "gpuPortionRequest": "0.5"}, 1),
        ({"gpuRequestType": "portion", "gpuPortionRequest": math.nan}, 1),
        ({"gpuRequestType": "portion", "gpuPortionRequest": True}, 1),
        ({"gpuDevicesRequest": 1, "gpuRequestType": "memory", "gpuMemoryRequest": "1Gi"}, 1),
        ({"gpuDevicesRequest": 1, "gpuPortionRequest": 0.5}, 1),
    ],
)
def test_a_pod_holds_devices_times_portion(compute: dict[str, Any], gpus: Any) -> None:
    assert gpus_of({"compute": compute}) == Fraction(gpus)


@pytest.mark.parametrize(("parallelism", "gpus"), [(3, 6), (1, 2), (0, 2), (None, 2), ("3", 2)])
def test_pods_at_one_time_multiply(parallelism: Any, gpus: int) -> None:
    spec = {"compute": {"gpuDevicesRequest": 2}, "parallelism": parallelism}

    assert gpus_of(spec) == gpus


@pytest.mark.parametrize("spec", [None, {}, {"compute": None}, {"compute": []}])
def test_a_spec_that_asks_for_nothing_holds_nothing(spec: Any) -> None:
    assert gpus_of(spec) == 0


@given(near_bodies())
@LIGHT
def test_any_spec_has_an_answer(body: Any) -> None:
    spec = body.get("spec") if isinstance(body, dict) else None

    assert gpus_of(spec if isinstance(spec, dict) else None) >= 0


def test_numbers_of_any_size_have_an_answer() -> None:
    compute: dict[str, Any] = {"gpuRequestType": "portion", "gpuPortionRequest": 10**5000}

    assert gpus_of({"compute": compute, "parallelism": 10}) == 10**5001
