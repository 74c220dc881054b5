"""A person changes a sweep that has started."""

import json
import os

from tests.acceptance.daemons import Place, waiting_at

_LINES = (
    "name: demo",
    "method: grid",
    "command: [sh, -c, 'test ${a} -ne 3']",
    "limits: {active: 1}",
)


async def test_a_finished_sweep_goes_on_with_the_points_that_a_person_adds(place: Place) -> None:
    file = place.sweep(*_LINES, "parameters: {a: {values: [1, 2]}}")
    first = await place.sweeper("run", file, "--json")

    added = await place.sweeper("enqueue", "demo", "--params", '{"a": 5}', "--params", '{"a": 2}')
    second = await place.sweeper("run", file, "--json")
    third = await place.sweeper("run", file, "--json")

    assert (first.code, added.code, second.code) == (0, 0, 0), added.err
    rows = json.loads(second.out)
    assert [row["params"]["a"] for row in rows] == [1, 2, 5, 2]
    assert [row["attempts"] for row in rows] == [1, 1, 1, 1]
    assert json.loads(third.out) == rows


async def test_a_running_sweep_tries_an_added_point_before_what_is_left(place: Place) -> None:
    gate = place.folder / "gate"
    file = place.sweep(
        "name: demo",
        "method: grid",
        f"command: [sh, -c, 'test ${{a}} -ne 1 || cat {gate}']",
        "limits: {active: 1}",
        "parameters: {a: {values: [1, 2]}}",
    )
    os.mkfifo(gate)
    async with place.run("run", file, "--json") as daemon:
        opened = await waiting_at(gate)
        added = await place.sweeper("enqueue", "demo", "--params", '{"a": 7}', "--json")
        await daemon.says("enqueued")
        os.close(opened)
        ended = await daemon.end()

    assert json.loads(added.out)["daemon"] is True
    assert [row["params"]["a"] for row in json.loads(ended.out)] == [1, 7, 2]
