"""Metrics of batch runs, taken by a real Pushgateway."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.daemons import Place
from tests.deploy.programs import exporting, free_address

pytestmark = pytest.mark.needs("prometheus-pushgateway")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the test's sweeps live; a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="swp-") as runtime:
        yield Place(folder=tmp_path, runtime=Path(runtime))


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    """The address of a gateway that has taken nothing yet."""
    address = free_address()
    async with exporting("prometheus-pushgateway", f"--web.listen-address={address}"):
        yield f"http://{address}"


async def _run(place: Place, name: str, gateway: str) -> None:
    place.script("")
    file = place.sweep(
        f"name: {name}",
        "program: train.py",
        "method: grid",
        "parameters: {a: {values: [1, 2]}}",
        name=f"{name.replace(' ', '-')}.yaml",
    )
    ended = await place.sweeper("run", file, "--pushgateway", gateway)
    assert ended.code == 0, ended.err
    assert "do not get to" not in ended.err


async def _held(gateway: str) -> dict[tuple[str, str], dict[str, float]]:
    """Return what the gateway exposes of us: by sweep and name, the values by state."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{gateway}/metrics")).text
    held: dict[tuple[str, str], dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.labels.get("job") == "sweeper":
                values = held.setdefault((sample.labels["sweep"], sample.name), {})
                values[sample.labels.get("state", "")] = sample.value
    return held


async def test_each_sweep_is_a_group_that_its_last_push_completes(
    place: Place, gateway: str
) -> None:
    await _run(place, "one", gateway)
    await _run(place, "two b", gateway)

    held = await _held(gateway)
    for sweep in ("one", "two b"):
        assert held[sweep, "sweeper_trial_outcomes_total"]["completed"] == 2
        assert held[sweep, "sweeper_owner"] == {"": 0}
        assert held[sweep, "push_failure_time_seconds"] == {"": 0}


async def test_a_sweep_that_goes_on_replaces_its_group(place: Place, gateway: str) -> None:
    await _run(place, "one", gateway)
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.put(f"{gateway}/metrics/job/sweeper/sweep/again", content="sweeper_relic 1\n")

    await _run(place, "again", gateway)

    held = await _held(gateway)
    assert ("again", "sweeper_relic") not in held
    assert held["one", "sweeper_sweep_progress_ratio"] == {"": 1}
