"""A probe of the local control plane, over real processes."""

import json

from tests.acceptance.daemons import Place


async def test_a_probe_of_this_machine_finds_all_well_and_leaves_nothing(place: Place) -> None:
    ended = await place.sweeper("probe", "--local", "--json")

    found = json.loads(ended.out)
    assert {one["step"]: one["message"] for one in found["steps"] if one["verdict"] != "ok"} == {}
    assert ended.code == 0
    assert found["file"] is None
