"""Programs that know nothing of sweeper, and where their values are found."""

import json
from pathlib import Path

from tests.acceptance.daemons import Place

PRINTING = """
import sys
x = float(sys.argv[1].partition("=")[2])
for epoch in range(3):
    print(f"epoch {epoch} val/loss: {x / (epoch + 1):.3f}")
sys.stdout.write("done, val/loss: nan")
"""

WRITING = """
import os, sys
x = float(sys.argv[1].partition("=")[2])
os.makedirs("out", exist_ok=True)
with open(f"out/{os.environ['SWEEPER_TRIAL']}.csv", "w") as file:
    file.write("epoch,loss\\n")
    for epoch in range(3):
        file.write(f"{epoch},{x / (epoch + 1)}\\n")
"""


def _sweep(place: Place, name: str, metric: str, source: str) -> Path:
    return place.sweep(
        f"name: {name}",
        "program: train.py",
        "method: grid",
        f"metric: {{name: {metric}}}",
        f"objective: {source}",
        "parameters: {x: {values: [6, 3]}}",
    )


async def test_what_a_program_prints_is_its_objective(place: Place) -> None:
    place.script(PRINTING)
    pattern = r"epoch (?P<step>\d+) val/loss: (?P<value>\S+)"
    file = _sweep(place, "prints", "val/loss", f"{{source: stdout, pattern: '{pattern}'}}")

    ended = await place.sweeper("run", file, "--json")

    assert ended.code == 0, ended.err
    assert [row["objective"] for row in json.loads(ended.out)] == [2.0, 1.0]
    shown = json.loads((await place.sweeper("show", file, "0", "--json")).out)
    assert [point["step"] for point in shown["curve"]] == [0, 1, 2]


async def test_what_a_program_writes_is_its_objective(place: Place) -> None:
    place.script(WRITING)
    file = _sweep(place, "writes", "loss", "{source: file, path: 'out/${trial}.csv', step: epoch}")

    ended = await place.sweeper("run", file, "--json")

    assert ended.code == 0, ended.err
    assert [row["objective"] for row in json.loads(ended.out)] == [2.0, 1.0]


async def test_an_objective_that_is_never_seen_is_said_everywhere(place: Place) -> None:
    place.script("print('loss 3')")
    file = _sweep(place, "silent", "loss", "stdout")

    ended = await place.sweeper("run", file)
    status = await place.sweeper("status", file)
    shown = await place.sweeper("show", file, "1")
    events = await place.sweeper("events", file)

    assert ended.code == 0, ended.err
    assert "trial 0 completed, and never reported loss" in ended.err
    assert "none: no trial has reported loss" in status.out
    assert "none was reported" in shown.out
    assert events.out.count("completed, and never reported loss") == 2
