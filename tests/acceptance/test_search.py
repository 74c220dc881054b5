"""A search that learns from results, killed on the way."""

import json
from pathlib import Path

from tests.acceptance.daemons import Daemon, Place

TRAINING = """
import json, os, sweeper
params = json.loads(os.environ["SWEEPER_PARAMS"])
sweeper.report(loss=(params["x"] - 1) ** 2 + (params["y"] - 2) ** 2, step=1)
"""


def _searched(place: Place, name: str) -> Path:
    place.script(TRAINING)
    return place.sweep(
        f"name: {name}",
        "program: train.py",
        "method: bayes",
        "run_cap: 24",
        "seed: 3",
        "metric: {name: loss}",
        "parameters: {x: {min: -5.0, max: 10.0}, y: {min: 0.0, max: 15.0}}",
        "limits: {active: 1}",
    )


async def test_kills_on_the_way_change_nothing_of_what_is_tried(place: Place) -> None:
    whole = await place.sweeper("run", _searched(place, "whole"), "--json")
    file = _searched(place, "killed")
    for lines in (12, 20, 9):
        async with place.run("run", file) as daemon:
            await _read(daemon, lines)
            await daemon.kill()
    killed = await place.sweeper("run", file, "--json")

    assert (whole.code, killed.code) == (0, 0), killed.err
    expected, found = json.loads(whole.out), json.loads(killed.out)
    assert [row["params"] for row in found] == [row["params"] for row in expected]
    losses = [row["objective"] for row in found]
    assert min(losses[10:]) < min(losses[:10])


async def _read(daemon: Daemon, count: int) -> None:
    assert daemon.process.stderr is not None
    for _ in range(count):
        if not await daemon.process.stderr.readline():
            return
