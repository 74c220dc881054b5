"""Every query of every board, asked of a real Prometheus that scrapes real daemons."""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sweeper.clock import pause, utc_now
from tests.acceptance.daemons import Place
from tests.deploy.boards.asking import ALL, FILES, Asked, load, panels
from tests.deploy.boards.pictures import pictures
from tests.deploy.boards.recording import shown
from tests.deploy.boards.rehearsal import Fleet, Script, rehearse

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.timeout(600)]

SVG = "{http://www.w3.org/2000/svg}"

SIMULATION = """
seed: 1
startup: 0
duration: {kind: lognormal, median: 6, spread: 0.4}
failures: 0.2
term_seconds: 0
"""

FAULTS = """
seed: 7
rules:
- {fault: {kind: status, status: 503, when: before}, probability: 0.05}
- {fault: {kind: status, status: 503, when: before}, every: 1, since: 25, until: 40}
happenings:
- {at: 8, every: 6, misfortune: {kind: preempt, share: 0.7}}
- {at: 12, every: 20, misfortune: {kind: suspend, share: 0.3}}
"""

SWEEP = """
method: bayes
run_cap: 10000
seed: 3
metric: {name: loss, goal: minimize}
parameters: {lr: {distribution: log_uniform_values, min: 1e-5, max: 1e-1}}
training: {spec: {image: any, command: train, compute: {gpuDevicesRequest: 1}}}
limits: {active: 6, gpus: 8}
retry: {application: {attempts: 1, backoff: 1}, infrastructure: {attempts: 5, backoff: 1}}
resume: {backoff: 1, hold_after: 0}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where the test's sweeps live; a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="swp-") as runtime:
        yield Place(folder=tmp_path, runtime=Path(runtime))


@pytest.fixture
async def fleet(place: Place) -> AsyncIterator[Fleet]:
    script = Script(simulation=SIMULATION, faults=FAULTS, sweeps={"rehearsal": SWEEP}, gpus=4)
    async with rehearse(place, script) as fleet:
        yield fleet


def _has_numbers(result: Sequence[Any]) -> bool:
    samples = [
        sample for series in result for sample in series.get("values", [series.get("value")])
    ]
    return any(number not in {"NaN", "+Inf", "-Inf"} for _, number in samples)


async def _lacking(fleet: Fleet, items: Sequence[Asked], since: float) -> list[Asked]:
    lacking = []
    until = utc_now().timestamp()
    for item in items:
        expr = item.for_prometheus(range_seconds=600, rate_seconds=10)
        if item.is_instant:
            result = await fleet.now(expr)
        else:
            result = await fleet.over(expr, since=since, until=until)
        if not _has_numbers(result):
            lacking.append(item)
    return lacking


async def test_every_query_returns_data_while_a_sweep_meets_with_faults(fleet: Fleet) -> None:
    since = utc_now().timestamp()
    lacking: Sequence[Asked] = ALL
    # There is nothing to wait for but what Prometheus answers once it has looked often enough.
    for _ in range(60):
        lacking = await _lacking(fleet, lacking, since)
        if not lacking:
            break
        await pause(3)

    assert [item.name for item in lacking] == []

    # What the pictures in docs/images are made by draws this fleet, too.
    drawn = {
        name: {text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")}
        for name, picture in pictures(await shown(fleet, since))
    }
    titles = {file.stem: {panel["title"] for panel in panels(load(file))} for file in FILES}
    assert drawn.keys() == titles.keys()
    assert [name for name in titles if titles[name] - drawn[name]] == []
    assert [name for name in drawn if "No data" in drawn[name]] == []
