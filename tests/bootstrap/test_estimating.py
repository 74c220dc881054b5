import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sweeper.bootstrap.planning import plan_file, plan_text
from sweeper.settings import Settings

_LOCAL = "program: train.py\nmethod: grid\nparameters: {a: {min: 1, max: 12}}\n"
_REMOTE = (
    _LOCAL
    + "limits: {active: 6, gpus: 2, deadline: 15m}\n"
    + "training: {project: p, cluster: c, spec: {image: 'i:1', "
    + "compute: {gpuDevicesRequest: 1, gpuPortionRequest: 0.5, gpuRequestType: portion}}}\n"
)


def _plan(file: Path, settings: Settings, text: str, minutes: int = 10) -> dict[str, Any]:
    file.write_text(text, encoding="utf-8")
    length = timedelta(minutes=minutes)
    return plan_file(file, settings, strict=False, local=False, trial_duration=length)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sweep.yaml"


def test_a_plan_says_what_the_sweep_takes_at_a_trials_length(
    file: Path, settings: Settings
) -> None:
    planned = _plan(file, settings, _REMOTE)

    assert planned["estimate"] == {
        "trial_duration_seconds": 600.0,
        "wall_clock_seconds": 1800.0,
        "slots": 4,
        "gpu_hours": 1.0,
        "creates": 12,
        "listings": 480,
        "is_cut": True,
        "api_calls": 492,
    }
    assert json.loads(json.dumps(planned)) == planned
    assert (
        "  takes 30m00s at 10m00s a trial, 4 at a time; 1 GPU-hours, 492 API calls (12 creates); "
        "limits.deadline ends it before" in plan_text(planned).splitlines()
    )


def test_trials_on_this_machine_take_no_gpu_hours(file: Path, settings: Settings) -> None:
    assert _plan(file, settings, _LOCAL)["estimate"]["gpu_hours"] == 0


def test_a_sweep_without_an_end_takes_nobody_knows_how_long(file: Path, settings: Settings) -> None:
    planned = _plan(file, settings, _LOCAL.replace("grid", "random"))

    assert planned["estimate"] is None
    assert "nobody can say" in plan_text(planned)


def test_without_a_trials_length_nothing_is_estimated(file: Path, settings: Settings) -> None:
    file.write_text(_LOCAL, encoding="utf-8")

    assert "estimate" not in plan_file(file, settings, strict=False, local=False)
