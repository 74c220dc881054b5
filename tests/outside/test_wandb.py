"""A program that reads `wandb.config` runs unmodified, with W&B's own client and no account."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.outside.servers import ROOT, SWEEPER

_PROGRAM = """\
import json, os, pathlib, sys
import wandb

run = wandb.init(project="p")
marker = pathlib.Path("first-%s" % run.id)
seen = {
    "config": dict(wandb.config),
    "id": run.id,
    "sweep": run.sweep_id,
    "variable": os.environ["WANDB_SWEEP_ID"],
    "attempt": os.environ["SWEEPER_ATTEMPT"],
}
with open("seen.jsonl", "a") as file:
    file.write(json.dumps(seen) + "\\n")
run.log({"loss": wandb.config.lr})
layers = wandb.config.layers
run.finish()
if layers == 2 and not marker.exists():
    marker.touch()
    sys.exit(1)
"""

_SWEEP = """\
name: wandb
method: grid
command: [{python}, train.py]
parameters:
  lr: {{values: [1e-5, 0.1]}}
  layers: {{values: [2, 3]}}
  opt: {{parameters: {{name: {{value: "a: b"}}, betas: {{value: [0.9, 1.0e-8]}}}}}}
limits: {{active: 2}}
retry: {{application: {{attempts: 1, backoff: 0}}}}
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the program saw, attempt by attempt."""
    folder: Path = tmp_path_factory.mktemp("sweep")
    (folder / "train.py").write_text(_PROGRAM, encoding="utf-8")
    (folder / "sweep.yaml").write_text(_SWEEP.format(python=sys.executable), encoding="utf-8")
    command = [*SWEEPER, "run", "sweep.yaml", "--state-dir", str(folder / "state"), "--quiet"]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=240)
    lines = (folder / "seen.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_config_holds_the_params_of_the_trial(seen: list[dict[str, Any]]) -> None:
    configs = {json.dumps(one["config"], sort_keys=True) for one in seen}

    assert configs == {
        json.dumps(
            {"lr": lr, "layers": layers, "opt": {"name": "a: b", "betas": [0.9, 1e-8]}},
            sort_keys=True,
        )
        for lr in (1e-5, 0.1)
        for layers in (2, 3)
    }


def test_every_trial_is_a_run_of_its_own_below_the_sweep(seen: list[dict[str, Any]]) -> None:
    assert len({one["id"] for one in seen}) == 4
    assert {one["sweep"] for one in seen} == {one["variable"] for one in seen}
    assert len({one["sweep"] for one in seen}) == 1


def test_a_trial_keeps_its_run_over_its_attempts(seen: list[dict[str, Any]]) -> None:
    again = {one["id"] for one in seen if one["attempt"] == "2"}

    assert len(again) == 2
    assert again == {one["id"] for one in seen if one["config"]["layers"] == 2}
