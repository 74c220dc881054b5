"""`sweeper run` as cron starts it: night after night, by a line that people copy."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import httpx
import pytest

from tests.acceptance.daemons import PATIENCE, Ended, Place, lines_of, processes_of, waiting_at

README = Path(__file__).parents[2] / "README.md"
CRONTAB_LINE = re.compile(r"^\d+ \d+ \* \* \* (sweeper|cd) .*$", re.MULTILINE)

NIGHTLY = (
    "name: nightly-{date}",
    "method: grid",
    "command: [sh, -c, 'echo $SWEEPER_TRIAL >> ran.txt; exit ${status}']",
    "parameters: {status: {values: STATUS}}",
)
WAITING = (
    "name: demo",
    "method: grid",
    "command: [sh, -c, 'echo start >> ran.txt; read line < gate']",
    "parameters: {a: {values: [1, 2]}}",
    "limits: {active: 1}",
)


def the_line() -> str:
    """Return the command of the README's crontab line, as cron reads it."""
    found = CRONTAB_LINE.search(README.read_text(encoding="utf-8"))
    assert found is not None
    return found[0].split(maxsplit=5)[5]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as the README has it: sweep files in `sweeps`, a virtual environment in `sweeper`."""
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeper").symlink_to(Path(sys.executable).parent.parent)
    return tmp_path


def a_nightly(home: Path, *statuses: int) -> Path:
    file = home / "sweeps" / "nightly.yaml"
    file.write_text("\n".join(NIGHTLY).replace("STATUS", str(list(statuses))) + "\n")
    return file


async def cron(home: Path) -> Ended:
    """Run the line as cron does: by sh, in the home, with next to nothing in the environment."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        the_line(),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=home,
        env={
            "HOME": str(home),
            "LOGNAME": "somebody",
            "SHELL": "/bin/sh",
            "PATH": f"/usr/bin{os.pathsep}/bin",
        },
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(code=process.returncode, out=out.decode(), err=err.decode())


def sweeps_of(home: Path) -> list[str]:
    return sorted(path.name for path in (home / ".local/state/sweeper/sweeps").iterdir())


def test_cron_takes_the_line_as_it_is() -> None:
    assert "%" not in the_line()  # a line end, to cron


async def test_a_night_in_which_all_is_well_sends_no_mail_and_leaves_a_log(home: Path) -> None:
    a_nightly(home, 0)

    night = await cron(home)

    assert (night.code, night.out, night.err) == (0, "", "")
    assert lines_of(home / "sweeps" / "ran.txt") == ["0"]
    assert "finished" in (home / "sweeps" / "nightly.log").read_text()


async def test_the_same_line_the_same_night_goes_on_with_the_same_sweep(home: Path) -> None:
    a_nightly(home, 0)
    await cron(home)
    begun = sweeps_of(home)

    again = await cron(home)

    assert (again.code, again.out, again.err) == (0, "", "")
    assert sweeps_of(home) == begun
    assert lines_of(home / "sweeps" / "ran.txt") == ["0"]


async def test_a_night_in_which_a_trial_failed_sends_mail_that_says_so(home: Path) -> None:
    a_nightly(home, 0, 3)

    first = await cron(home)
    again = await cron(home)

    for night in (first, again):
        assert night.code == 1
        assert "failed" in night.out
        assert "1 completed, 1 failed" in night.err
    assert sorted(lines_of(home / "sweeps" / "ran.txt")) == ["0", "1"]


async def test_a_line_that_cannot_work_sends_mail_that_says_why(home: Path) -> None:
    night = await cron(home)

    assert night.code == 2
    assert "nightly.yaml" in night.err


async def test_suspended_at_max_runtime_nothing_runs_until_the_next_start_resumes_it(
    place: Place,
) -> None:
    file = place.sweep(*WAITING)
    os.mkfifo(place.folder / "gate")

    night = await place.sweeper("run", file, "--max-runtime", "2s", "--on-exit", "suspend")
    ran = lines_of(place.folder / "ran.txt")
    left = [process for process in processes_of(place) if "read line" in str(process.cmdline())]
    async with place.run("run", file) as daemon:
        for _ in range(2):
            gate = await waiting_at(place.folder / "gate")
            os.write(gate, b"go\n")
            os.close(gate)
            await daemon.says("-> completed")
        ended = await daemon.end()

    assert night.code == 3
    assert "active trainings were suspended" in night.err
    assert (ran, left) == (["start"], [])
    assert ended.code == 0, ended.err
    assert lines_of(place.folder / "ran.txt") == ["start"] * 3


async def test_cancelled_at_max_runtime_a_trial_is_given_up_and_the_next_one_goes_on(
    place: Place,
) -> None:
    file = place.sweep(*WAITING)
    os.mkfifo(place.folder / "gate")

    night = await place.sweeper("run", file, "--max-runtime", "2s", "--on-exit", "cancel")
    async with place.run("run", file) as daemon:
        gate = await waiting_at(place.folder / "gate")
        os.write(gate, b"go\n")
        os.close(gate)
        ended = await daemon.end()

    assert night.code == 3
    assert "active trials were cancelled" in night.err
    assert ended.code == 1
    assert "1 completed, 1 cancelled" in ended.err


async def test_a_start_that_may_wait_takes_over_from_the_one_before(place: Place) -> None:
    file = place.sweep(*WAITING)
    os.mkfifo(place.folder / "gate")

    async with place.run("run", file) as first:
        await first.says("submitting -> active")
        async with place.run("run", file, "--wait-for-lock", "10m") as second:
            waits = await second.says("waiting for process")
            first.send(signal.SIGTERM)
            former = await first.end()
            for _ in range(2):
                gate = await waiting_at(place.folder / "gate")
                os.write(gate, b"go\n")
                os.close(gate)
                await second.says("-> completed")
            ended = await second.end()

    assert f"process {first.process.pid} on" in waits
    assert former.code == 143
    assert ended.code == 0, ended.err
    assert lines_of(place.folder / "ran.txt") == ["start"] * 2


async def test_what_began_before_midnight_is_taken_up_and_given_up_by_its_name(
    place: Place,
) -> None:
    yesterday = "nightly-2026-01-31"
    file = place.sweep("name: nightly-{date}", *WAITING[1:])
    os.mkfifo(place.folder / "gate")
    stopped = await place.sweeper("run", file, "--name", yesterday, "--max-runtime", "2s")
    gate = await waiting_at(place.folder / "gate")

    given_up = await place.sweeper("cancel", yesterday)
    again = await place.sweeper("run", file, "--name", yesterday)

    os.close(gate)
    assert f"`sweeper run {file} --name {yesterday}` goes on" in stopped.err
    assert given_up.code == 0, given_up.err
    assert again.code == 1
    assert f"{yesterday}: cancelled" in again.err
    assert [path.name[:18] for path in (place.state / "sweeps").iterdir()] == [yesterday]


async def test_a_complete_sweep_is_served_again_where_that_is_asked_for(place: Place) -> None:
    file = place.sweep("name: demo", "method: grid", "command: [ls]", "parameters: {a: {value: 1}}")
    await place.sweeper("run", file)

    async with place.run("run", file, "--linger", "1h") as daemon:
        url = (await daemon.says("metrics and health: ")).split()[-1]
        await daemon.says("results: ")
        async with httpx.AsyncClient(trust_env=False) as client:
            scraped = (await client.get(url)).text
        daemon.send(signal.SIGTERM)
        ended = await daemon.end()

    assert ended.code == 0, ended.err
    assert 'sweeper_sweep_progress_ratio{sweep="demo"} 1.0' in scraped
