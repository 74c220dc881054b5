"""Record what the boards show of a rehearsed fleet, for pictures of them.

    python -m tests.deploy.boards.recording FILE MINUTES

Everything is real but the trainings; see rehearsal.py.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeper.clock import pause, utc_now
from tests.acceptance.daemons import Place
from tests.deploy.boards.asking import FILES, Asked, asked
from tests.deploy.boards.rehearsal import Fleet, Script, rehearse

SCRAPE_SECONDS = 5

SIMULATION = """
seed: 4
startup: 3
duration: {kind: lognormal, median: 35, spread: 0.5}
failures: 0.12
term_seconds: 2
"""

FAULTS = """
seed: 7
rules:
- {fault: {kind: latency, seconds: 0.02, most: 0.12}}
- {fault: {kind: status, status: 503, when: after}, probability: 0.01}
- {fault: {kind: status, status: 429, retry_after: 1}, on: [create], every: 15}
- {fault: {kind: status, status: 503, when: before}, every: 1, since: 240, until: 290}
happenings:
- {at: 70, every: 100, misfortune: {kind: preempt, share: 0.35}}
- {at: 90, every: 130, misfortune: {kind: suspend, share: 0.1}}
"""


def _sweep(*lines: str) -> str:
    shared = (
        "metric: {name: loss, goal: minimize}",
        "training:",
        "  spec: {image: any, command: train, backoffLimit: 0, compute: {gpuDevicesRequest: 1}}",
        "retry: {application: {attempts: 1, backoff: 5}}",
        "resume: {backoff: 5}",
    )
    return "\n".join((*shared, *lines))


SWEEPS = {
    "resnet-nightly": _sweep(
        "method: random",
        "run_cap: 130",
        "seed: 3",
        "parameters: {lr: {distribution: log_uniform_values, min: 1e-5, max: 1e-1}}",
        "limits: {active: 8}",
    ),
    "bert-schedule": _sweep(
        "method: grid",
        "parameters:",
        "  lr: {values: [1e-5, 1e-4, 1e-3, 1e-2]}",
        "  warmup: {values: [1, 2, 3]}",
        "limits: {active: 4}",
    ),
    "explore-gpt": _sweep(
        "method: random",
        "seed: 9",
        "parameters: {lr: {distribution: log_uniform_values, min: 1e-6, max: 1}}",
        "limits: {active: 5, gpus: 6}",
    ),
}


async def record(minutes: float, write: Callable[[str], object]) -> None:
    """Rehearse for so long and write what the boards show, again every two minutes."""
    script = Script(
        simulation=SIMULATION,
        faults=FAULTS,
        sweeps=SWEEPS,
        gpus=14,
        scrape_seconds=SCRAPE_SECONDS,
    )
    with (
        tempfile.TemporaryDirectory(prefix="swp-") as runtime,
        tempfile.TemporaryDirectory() as folder,
    ):
        place = Place(folder=Path(folder), runtime=Path(runtime))
        async with rehearse(place, script) as fleet:
            since = utc_now().timestamp()
            for _ in range(max(round(minutes / 2), 1)):
                await pause(120)
                write(json.dumps(await shown(fleet, since)))


async def shown(fleet: Fleet, since: float) -> dict[str, Any]:
    """Return what all boards show of the time since then."""
    until = utc_now().timestamp()
    results: dict[str, Any] = {}
    # Read anew each time, so that a board can be changed while it is rehearsed.
    for item in (item for file in FILES for item in asked(file)):
        for sweep in fleet.daemons if item.board == "sweeper-sweeps" else (".*",):
            results[f"{item.name} {sweep}"] = await _result(fleet, item, since, until, sweep)
    return {"since": since, "until": until, "sweeps": [*fleet.daemons], "results": results}


async def _result(fleet: Fleet, item: Asked, since: float, until: float, sweep: str) -> Any:
    expr = item.for_prometheus(
        range_seconds=round(until - since), rate_seconds=4 * SCRAPE_SECONDS, sweep=sweep
    )
    if item.is_instant:
        return await fleet.now(expr)
    return await fleet.over(expr, since=since, until=until)


if __name__ == "__main__":
    asyncio.run(record(float(sys.argv[2]), Path(sys.argv[1]).write_text))
