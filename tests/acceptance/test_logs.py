"""What a daemon logs as JSON over a whole sweep in which much goes wrong."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema

from tests.acceptance.daemons import PATIENCE, Daemon, Place

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "logs.schema.json").read_text(encoding="utf-8")
)

COURSE = """\
seed: 3
startup: 0
duration: {kind: uniform, shortest: 1, longest: 3}
failures: 0.5
term_seconds: 0
"""

FAULTS = """\
seed: 1
rules:
- {fault: {kind: status, status: 503, when: after}, on: [create], times: 1}
happenings:
- {at: 2, misfortune: {kind: preempt, share: 0.5}}
- {at: 10, misfortune: {kind: preempt, share: 0.5}}
"""

SWEEP = (
    "name: demo",
    "method: grid",
    "parameters: {lr: {min: 1, max: 6, distribution: int_uniform}}",
    "training: {spec: {image: any, command: train, backoffLimit: 0}}",
    "limits: {active: 3}",
    "flavour: vanilla",  # a key that is warned of
)

SETTLED = {"completed", "failed"}

TRIAL_FIELDS = {"sweep", "project_id", "trial", "attempt", "workload_name", "from", "to"}


def checked(text: str) -> Sequence[dict[str, Any]]:
    """Return the lines of a log, if each is as the schema says."""
    held = [json.loads(line) for line in text.splitlines()]
    for line in held:
        jsonschema.validate(line, SCHEMA)
    return held


async def _told(server: Daemon) -> dict[str, Any]:
    assert server.process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        told: dict[str, Any] = json.loads(await server.process.stdout.readline())
    return told


async def test_every_line_of_a_sweep_with_faults_and_a_kill_is_as_the_schema_says(
    place: Place,
) -> None:
    plan = place.script(COURSE, "course.yaml")
    faults = place.script(FAULTS, "faults.yaml")
    serve = ("local", "serve", "--listen", "127.0.0.1:0", "--json", "--runtime", "simulated")
    flags = ("--log-format", "json", "--log-level", "debug", "--log-file", "demo.log")
    async with place.run(*serve, "--simulation", plan, "--faults", faults) as server:
        remote = replace(place, variables=(await _told(server))["environment"])
        file = remote.sweep(*SWEEP)

        async with remote.run("run", file, *flags) as daemon:
            settled = await daemon.line(lambda line: json.loads(line).get("to") in SETTLED)
            await daemon.kill()
        ended = await remote.sweeper("run", file, *flags)

    # The kill may come between the two places that a line is written to.
    lines = [*checked(settled), *checked((place.folder / "demo.log").read_text())]
    assert checked(ended.err)
    moves = [line for line in lines if "from" in line]
    assert all({*line} >= TRIAL_FIELDS for line in moves)
    ends = {line["trial"]: line["to"] for line in moves if line["to"] in SETTLED}
    assert ends.keys() == {*range(6)}
    assert ended.code == int("failed" in ends.values())
    assert all("workload_id" in line for line in moves if line["from"] == "active")
    assert {"INFO", "WARNING"} <= {line["level"] for line in lines}
    assert all(line.get("sweep") == "demo" for line in lines)
    assert remote.variables["RUNAI_CLIENT_SECRET"] not in ended.err + json.dumps(lines)


async def test_an_error_that_ends_a_daemon_is_a_line_too(place: Place) -> None:
    ended = await place.sweeper("run", "missing.yaml", "--log-format=json")
    without = await place.sweeper("run", "missing.yaml")

    (line,) = checked(ended.err)
    assert ended.code == 2
    assert (line["level"], line["message"]) == (
        "ERROR",
        without.err.strip().removeprefix("sweeper: "),
    )


async def test_the_environment_asks_for_lines_as_well_as_the_flag(place: Place) -> None:
    asking = replace(place, variables={"SWEEPER_LOG_FORMAT": "json"})

    ended = await asking.sweeper("run", "missing.yaml")
    shown = await asking.sweeper("status", "missing")

    assert len(checked(ended.err)) == 1
    assert shown.err.startswith("sweeper: ")
