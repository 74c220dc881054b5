"""kill -9 at any moment: nothing lost, nothing twice."""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemons import PATIENCE, Daemon, Place, lines_of, processes_of, waiting_at
from tests.acceptance.forking import Forks, fork_server

TRAINING = """
import os, sys, time, sweeper
number = os.environ["SWEEPER_TRIAL"]
def note(word):
    with open("ran.txt", "a") as file:
        file.write(f"{word} {number}\\n")
note("start")
total = 0
for step in range(20):
    total += sum(i * i for i in range(20000))
    sweeper.report(loss=step + int(number), step=step)
note("end")
"""


def _trained(place: Place) -> Path:
    place.script(TRAINING)
    return place.sweep(
        "name: demo",
        "program: train.py",
        "method: grid",
        "metric: {name: loss}",
        "parameters: {a: {min: 0, max: 11}}",
        "limits: {active: 3}",
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_ten_kills_at_random_moments_lose_nothing_and_run_nothing_twice(
    place: Place, seed: int
) -> None:
    file = _trained(place)
    moments = random.Random(seed)

    for _ in range(10):
        async with place.run("run", file) as daemon:
            await _some_lines(daemon, moments.randint(0, 6))
            await daemon.kill()
    ended = await place.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    ran = Counter(lines_of(place.folder / "ran.txt"))
    assert ended.code == 0, ended.err
    assert [(row["trial"], row["state"], row["attempts"]) for row in rows] == [
        (number, "completed", 1) for number in range(12)
    ]
    assert ran == Counter(f"{word} {number}" for word in ("start", "end") for number in range(12))
    assert [row["objective"] for row in rows] == list(range(12))


async def _some_lines(daemon: Daemon, count: int) -> None:
    """Read some lines of what a daemon says, fewer if it ends before."""
    assert daemon.process.stderr is not None
    for _ in range(count):
        async with asyncio.timeout(PATIENCE):
            if not await daemon.process.stderr.readline():
                return


async def test_trainings_outlive_a_killed_daemon_and_are_adopted_with_their_true_end(
    place: Place,
) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo start >> ran.txt; read line < gate; exit 7']",
        "parameters: {a: {value: 1}}",
    )
    os.mkfifo(place.folder / "gate")
    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        await daemon.kill()

    os.write(gate, b"go\n")
    os.close(gate)
    ended = await place.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    assert ended.code == 1
    assert "exit code 7" in rows[0]["reason"]
    assert lines_of(place.folder / "ran.txt") == ["start"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_stops_the_daemon_and_leaves_trainings_alone(
    place: Place, number: signal.Signals, code: int
) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'read line < gate; echo end >> ran.txt']",
        "parameters: {a: {value: 1}}",
    )
    os.mkfifo(place.folder / "gate")
    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        daemon.send(number)
        stopped = await daemon.end()

    os.write(gate, b"go\n")
    os.close(gate)
    ended = await place.sweeper("run", file)

    assert stopped.code == code
    assert f"`sweeper run {file}` goes on" in stopped.err
    assert "`sweeper cancel demo` gives up" in stopped.err
    assert ended.code == 0, ended.err
    assert lines_of(place.folder / "ran.txt") == ["end"]


async def test_what_a_training_reports_while_no_daemon_runs_is_not_lost(place: Place) -> None:
    place.script(
        "import sweeper\n"
        "with open('gate') as gate:\n"
        "    gate.read()\n"
        "sweeper.report(loss=0.5, step=1)\n"
    )
    os.mkfifo(place.folder / "gate")
    file = place.sweep(
        "name: demo",
        "program: train.py",
        "method: grid",
        "metric: {name: loss}",
        "parameters: {a: {value: 1}}",
    )
    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        await daemon.kill()

    os.close(gate)
    ended = await place.sweeper("run", file, "--json")

    assert json.loads(ended.out)[0]["objective"] == 0.5


async def test_max_runtime_stops_with_work_left_and_exits_with_3(place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'read line < gate']",
        "parameters: {a: {value: 1}}",
    )
    os.mkfifo(place.folder / "gate")

    stopped = await place.sweeper("run", file, "--max-runtime", "2s")
    gate = await waiting_at(place.folder / "gate")
    os.write(gate, b"go\n")
    os.close(gate)
    ended = await place.sweeper("run", file)

    assert stopped.code == 3
    assert "--max-runtime is over" in stopped.err
    assert ended.code == 0, ended.err


BOUNCES = 30
TRIALS = 80


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with fork_server() as found:
        yield found


@pytest.mark.timeout(600)
async def test_thirty_bounces_lose_nothing_of_eighty_trials(forks: Forks, place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo $SWEEPER_TRIAL >> ran.txt']",
        f"parameters: {{a: {{min: 1, max: {TRIALS}}}}}",
        "limits: {active: 2}",
    )
    moments = random.Random(1)
    seen: Counter[int] = Counter()

    for bounce in range(BOUNCES):
        # The first of each life's crossings is before the store is open.
        at = moments.randint(1, 90)
        if bounce % 3 == 0:
            seen[(await forks.run(place, "run", file, at=at)).code] += 1
        elif bounce % 3 == 1:
            seen[(await forks.run(place, "run", file, at=at, signal=signal.SIGTERM)).code] += 1
        else:
            async with asyncio.TaskGroup() as group:
                both = [
                    group.create_task(forks.run(place, "run", file, at=place_in_life))
                    for place_in_life in (at + 30, at + 60)
                ]
            seen.update(task.result().code for task in both)
    ended = await forks.run(place, "run", file, "--json")

    assert ended.code == 0, ended.err
    assert [row["state"] for row in json.loads(ended.out)] == ["completed"] * TRIALS
    assert Counter(lines_of(place.folder / "ran.txt")) == Counter(map(str, range(TRIALS)))
    killed, stopped, refused = -signal.SIGKILL, 128 + signal.SIGTERM, 4
    assert min(seen[killed], seen[stopped]) > 3
    assert seen.keys() <= {killed, stopped, refused, 0}


async def test_what_ran_on_a_lost_node_starts_again_and_is_completed_once(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo start >> ran.txt; read line < gate; echo end >> ran.txt']",
        "parameters: {a: {value: 1}}",
    )
    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        for process in processes_of(place):
            process.kill()
        await daemon.kill()
    os.close(gate)

    async with place.run("run", file, "--json") as daemon:
        gate = await waiting_at(place.folder / "gate")
        os.write(gate, b"go\n")
        os.close(gate)
        ended = await daemon.end()

    rows = json.loads(ended.out)
    assert [(row["state"], row["attempts"]) for row in rows] == [("completed", 1)], ended.err
    assert lines_of(place.folder / "ran.txt") == ["start", "start", "end"]
