"""What goes wrong on a person's machine: each told clearly, with the right exit code."""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

import pytest

from tests.acceptance.daemons import PATIENCE, Place, lines_of, waiting_at

ENDLESS = (
    "name: demo",
    "method: grid",
    "command: [sh, -c, 'read line < gate']",
    "parameters: {a: {value: 1}}",
)


async def test_a_second_daemon_on_the_same_sweep_exits_with_4_and_another_sweep_runs(
    place: Place,
) -> None:
    os.mkfifo(place.folder / "gate")
    file = place.sweep(*ENDLESS)
    other = place.sweep(
        "name: other",
        "method: grid",
        "command: ['true']",
        "parameters: {a: {value: 1}}",
        name="other.yaml",
    )

    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        second = await place.sweeper("run", file)
        beside = await place.sweeper("run", other)

    assert second.code == 4
    assert f"process {daemon.process.pid}" in second.err
    assert beside.code == 0, beside.err


async def test_verbs_speak_to_the_daemon_that_runs(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    file = place.sweep(*ENDLESS)

    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        status = await place.sweeper("status", "demo", "--json")
        health = await place.sweeper("health", "demo")
        cancel = await place.sweeper("cancel", file)
        ended = await daemon.end()

    assert json.loads(status.out)["daemon"]["trouble"] == ""
    assert (health.code, health.out) == (0, "ok\n")
    assert cancel.code == 0
    assert ended.code == 1
    assert "cancelled" in ended.err


async def test_pause_suspends_trainings_and_unpause_brings_them_back(place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo start >> ran.txt; test $(wc -l < ran.txt) -ge 2 || sleep 1000']",
        "parameters: {a: {value: 1}}",
    )

    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        await place.sweeper("pause", "demo", "--suspend")
        await daemon.says("active -> interrupted")
        await place.sweeper("unpause", "demo")
        ended = await daemon.end()

    assert ended.code == 0, ended.err
    assert lines_of(place.folder / "ran.txt") == ["start", "start"]


async def test_a_file_that_changed_since_the_start_is_refused_with_the_difference(
    place: Place,
) -> None:
    first = ["name: demo", "method: grid", "command: ['true']"]
    place_file = place.sweep(*first, "parameters: {a: {values: [1, 2]}}")
    await place.sweeper("run", place_file)
    place.sweep(*first, "parameters: {a: {values: [1, 3]}}")

    ended = await place.sweeper("run", place_file)

    assert ended.code == 2
    assert "parameters.a.values" in ended.err
    assert "2" in ended.err
    assert "3" in ended.err


async def test_limits_may_change_between_starts(place: Place) -> None:
    first = [
        "name: demo",
        "method: grid",
        "command: ['false']",
        "parameters: {a: {min: 1, max: 9}}",
    ]
    file = place.sweep(*first, "limits: {active: 1, failures: 1}")
    stopped = await place.sweeper("run", file)
    place.sweep(*first, "limits: {active: 3, failures: 20}")

    ended = await place.sweeper("run", file, "--json")

    assert stopped.code == 1
    assert "limits.failures: 1" in stopped.err
    assert ended.code == 1
    assert len(json.loads(ended.out)) == 9


async def test_a_sweep_that_was_stopped_repeats_its_reason_and_starts_nothing(
    place: Place,
) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo x >> ran.txt; exit 1']",
        "parameters: {a: {min: 1, max: 9}}",
        "limits: {active: 1, failures: 1}",
    )
    await place.sweeper("run", file)

    again = await place.sweeper("run", file)

    assert again.code == 1
    assert "limits.failures: 1" in again.err
    assert len(lines_of(place.folder / "ran.txt")) == 1


async def test_a_program_that_is_missing_is_told_before_the_first_trial(place: Place) -> None:
    file = place.sweep("program: nowhere.py", "method: grid", "parameters: {a: {value: 1}}")

    ended = await place.sweeper("run", file)

    assert ended.code == 2
    assert f"no such file in {place.folder}" in ended.err


async def test_a_sweep_with_nothing_to_start_is_refused(place: Place) -> None:
    ended = await place.sweeper("run", place.sweep("method: grid", "parameters: {a: {value: 1}}"))

    assert ended.code == 2
    assert "neither a program nor a command" in ended.err


async def test_every_fault_of_a_file_is_told_at_once(place: Place) -> None:
    file = place.sweep(
        "method: gird", "parameters: {a: {vlaues: [1]}, b: {min: 2, max: 1}}", "limits: {active: 0}"
    )

    ended = await place.sweeper("run", file)

    assert ended.code == 2
    for words in (":1:9: method", '"gird"', ":2:", "values", "parameters.b", ":3:", "active"):
        assert words in ended.err, words
    assert not (place.state / "sweeps").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"a: [1",
        b"a: &a [*a]",
        b"[" * 2000,
        "ä: \ud800".encode("utf-8", "surrogatepass"),
    ],
    ids=["empty", "binary", "unclosed", "cycle", "deep", "surrogate"],
)
async def test_rubbish_is_told_with_its_place_and_exits_with_2(
    place: Place, content: bytes
) -> None:
    file = place.folder / "sweep.yaml"
    file.write_bytes(content)

    run = await place.sweeper("run", file)
    plan = await place.sweeper("plan", file, "--json")

    assert run.code == plan.code == 2
    assert "Traceback" not in run.err + plan.err
    assert json.loads(plan.out)["errors"]


async def test_a_state_directory_that_cannot_be_made_is_named(place: Place) -> None:
    blocker = place.folder / "blocker"
    blocker.touch()
    file = place.sweep("method: grid", "command: ['true']", "parameters: {a: {value: 1}}")

    ended = await place.sweeper("run", file, "--state-dir", blocker / "state")

    assert ended.code == 2
    assert str(blocker) in ended.err
    assert "--state-dir" in ended.err


async def test_a_full_disk_ends_the_daemon_and_loses_nothing(place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo ${a} >> ran.txt']",
        "parameters: {a: {min: 1, max: 40}}",
        "limits: {active: 2}",
    )
    code, err = await _with_little_room(place, file)

    ended = await place.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    assert code == 70
    assert "store.db cannot be read or written: the disk fails, is full" in err
    assert ended.code == 0, ended.err
    assert [row["state"] for row in rows] == ["completed"] * 40
    assert sorted(map(int, lines_of(place.folder / "ran.txt"))) == list(range(1, 41))


async def _with_little_room(place: Place, file: Path) -> tuple[int | None, str]:
    """Run a sweep in a process that may not write a file larger than 130 kB.

    Returns its exit code and its words.
    """

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (130_000, resource.RLIM_INFINITY))

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from sweeper.cli.main import main; main(sys.argv[1:])",
        "run",
        str(file),
        # Coverage would meet the full disk, too, and in its own way.
        env={k: v for k, v in place.environment().items() if not k.startswith("COV")},
        cwd=place.folder,
        preexec_fn=bound,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return process.returncode, err.decode()


@pytest.mark.parametrize("verb", ["run", "results", "status"])
async def test_output_without_room_is_told_without_a_traceback_and_loses_nothing(
    place: Place, verb: str
) -> None:
    file = place.sweep(
        "name: demo", "method: grid", "command: ['true']", "parameters: {a: {values: [1, 2]}}"
    )
    if verb != "run":
        await place.sweeper("run", file)

    full = os.open("/dev/full", os.O_WRONLY)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sweeper", verb, str(file), "--json"),
        stdout=full,
        stderr=asyncio.subprocess.PIPE,
        env=place.environment(),
        cwd=place.folder,
    )
    os.close(full)
    async with asyncio.timeout(PATIENCE):
        _, err = await process.communicate()
    again = await place.sweeper("results", file, "--json")

    assert process.returncode == 70
    assert b"the output: No space left on device" in err
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
    assert [row["state"] for row in json.loads(again.out)] == ["completed"] * 2


@pytest.mark.parametrize("left", [None, b""], ids=["gone", "empty"])
async def test_a_store_that_is_lost_is_not_begun_anew(place: Place, left: bytes | None) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'echo ${a} >> ran.txt']",
        "parameters: {a: {values: [1, 2]}}",
    )
    await place.sweeper("run", file)
    (store,) = place.state.glob("sweeps/*/store.db")
    store.unlink()
    if left is not None:
        store.write_bytes(left)

    ended = await place.sweeper("run", file)

    assert ended.code == 70
    assert "is lost" in ended.err
    assert "sweeper rebuild" in ended.err
    assert len(lines_of(place.folder / "ran.txt")) == 2


async def test_cancel_without_a_daemon_ends_the_trainings_at_once(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    place.script("trap 'echo stopped >> ran.txt; exit 1' TERM; read line < gate & wait", "stop.sh")
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, stop.sh]",
        "parameters: {a: {min: 1, max: 5}}",
        "limits: {active: 1}",
    )
    async with place.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        await daemon.kill()

    cancel = await place.sweeper("cancel", "demo")
    status = await place.sweeper("status", "demo", "--json")
    os.close(gate)

    assert (cancel.code, cancel.out) == (0, "demo: cancel done\n"), cancel.err
    view = json.loads(status.out)
    assert view["sweep"]["state"] == "cancelled"
    assert view["live_count"] == 0
    assert lines_of(place.folder / "ran.txt") == ["stopped"]


async def test_a_file_may_be_mended_after_a_start_that_was_refused(place: Place) -> None:
    lines = ("name: demo", "method: grid", "parameters: {a: {value: 1}}")
    file = place.sweep(*lines, "program: nowhere.py")
    refused = await place.sweeper("run", file)
    place.script("print('here')")
    place.sweep(*lines, "program: train.py")

    ended = await place.sweeper("run", file)

    assert refused.code == 2
    assert ended.code == 0, ended.err
