"""The same command against a control plane in another process, over a socket, with tokens."""

import json
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sweeper.clock import utc_now
from sweeper.local.places import Project
from sweeper.local.runtime import StartOrder
from sweeper.local.simulated import Course, SimulatedRuntime
from tests.acceptance.daemons import Place, waiting_at
from tests.acceptance.planes import remote as remote_at

PROJECT = Project().name
SECRET_VALUE = "canary-api-key-4711"

SWEEP = (
    "name: demo",
    "method: grid",
    "parameters: {lr: {values: [0.1, 0.2, 0.3]}}",
    "training:",
    "  spec:",
    "    image: registry.example.com/train:1",
    "    command: python train.py",
    "    args: --lr ${lr}",
    "    environmentVariables:",
    f"      - {{name: API_KEY, value: {SECRET_VALUE}}}",
    "limits: {active: 2}",
)


def _at_once(_order: StartOrder) -> Course:
    return Course(seconds=0)


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_sweep_runs_on_a_remote_control_plane_through_the_same_client(
    place: Place,
) -> None:
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(_at_once, now=utc_now)

    async with remote_at(place, runtime) as served:
        remote = served.place
        ended = await remote.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    assert ended.code == 0, ended.err
    assert [row["state"] for row in rows] == ["completed"] * 3
    assert [order.argv for order in runtime.orders] == [
        ("python", "train.py", "--lr", lr) for lr in ("0.1", "0.2", "0.3")
    ]


async def test_no_secret_reaches_output_store_or_logs(place: Place) -> None:
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(_at_once, now=utc_now)

    async with remote_at(place, runtime) as served:
        remote, secret = served.place, served.secret
        ended = await remote.sweeper("run", file, "--log-level", "debug")
        shown = await remote.sweeper("show", "demo", "0", "--json")
        events = await remote.sweeper("events", "demo", "--json")

    said = (ended.out + ended.err + shown.out + events.out).encode()
    kept = _all_bytes(place.state)
    assert len(kept) > 1000
    for hidden in (secret, SECRET_VALUE):
        assert hidden.encode() not in said
        assert hidden.encode() not in kept


async def test_a_killed_daemon_adopts_its_remote_trainings(place: Place) -> None:
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(now=utc_now)

    async with remote_at(place, runtime) as served:
        remote = served.place
        async with remote.run("run", file) as daemon:
            await daemon.says("trial 1: submitting -> active")
            await daemon.kill()
        for key in runtime.running:
            runtime.end(key)
        runtime.play = _at_once
        ended = await remote.sweeper("run", file, "--json")

    rows = json.loads(ended.out)
    assert ended.code == 0, ended.err
    assert [(row["state"], row["attempts"]) for row in rows] == [("completed", 1)] * 3
    assert len(runtime.orders) == 3


async def test_a_wrong_secret_is_told_before_anything_is_sent(place: Place) -> None:
    file = place.sweep(*SWEEP)

    async with remote_at(place, SimulatedRuntime(now=utc_now)) as served:
        remote = served.place
        wrong = replace(remote, variables={**remote.variables, "RUNAI_CLIENT_SECRET": "canary-no"})
        ended = await wrong.sweeper("run", file)

    assert ended.code == 2
    assert "refuses the credentials" in ended.err
    assert "canary-no" not in ended.err


async def test_a_project_that_does_not_exist_is_told_with_the_nearest(place: Place) -> None:
    file = place.sweep(*SWEEP)

    async with remote_at(place, SimulatedRuntime(now=utc_now)) as served:
        remote = served.place
        wrong = replace(remote, variables={**remote.variables, "RUNAI_PROJECT": f"{PROJECT}x"})
        ended = await wrong.sweeper("run", file)

    assert ended.code == 2
    assert f"no project '{PROJECT}x'" in ended.err
    assert PROJECT in ended.err.rpartition(f"{PROJECT}x")[2]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://runai.example.com", "in the clear"),
        ("https://user:canary-pass@runai.example.com", "user or a password"),
        ("https://runai.example.com/api/v1", "holds a path"),
        ("ftp://runai.example.com", "only https is spoken"),
    ],
)
async def test_an_address_that_no_control_plane_has_is_refused(
    place: Place, url: str, words: str
) -> None:
    file = place.sweep(*SWEEP)
    variables = {"RUNAI_BASE_URL": url, "RUNAI_CLIENT_ID": "x", "RUNAI_CLIENT_SECRET": "y"}

    ended = await replace(place, variables=variables).sweeper("run", file)

    assert ended.code == 2
    assert words in ended.err
    assert "canary-pass" not in ended.err


async def test_a_training_section_without_an_address_names_the_variable(place: Place) -> None:
    ended = await place.sweeper("run", place.sweep(*SWEEP))

    assert ended.code == 2
    assert "RUNAI_BASE_URL" in ended.err
    assert "--local" in ended.err
    assert not (place.state / "sweeps").exists()


async def test_the_same_file_runs_on_this_machine_with_local(place: Place) -> None:
    file = place.sweep(
        "name: demo",
        "method: grid",
        "parameters: {word: {values: [a, b]}}",
        "training:",
        "  project: vision",
        "  spec: {image: x, command: sh, args: \"-c 'echo ${word} >> ran.txt'\"}",
    )

    ended = await place.sweeper("run", file, "--local")

    assert ended.code == 0, ended.err
    assert sorted((place.folder / "ran.txt").read_text().split()) == ["a", "b"]


def _environment(process: psutil.Process, folder: Path) -> dict[str, str] | None:
    """Return the environment of a process about `folder`, None of any other and of one gone."""
    try:
        is_about = str(folder) in " ".join(process.cmdline()) or process.cwd() == str(folder)
        return process.environ() if is_about else None
    except psutil.Error:
        return None


async def test_no_process_of_this_machine_is_given_the_secret(place: Place) -> None:
    place.script("import os\nopen('seen.txt', 'a').write(str(dict(os.environ)))\n")
    os.mkfifo(place.folder / "gate")
    file = place.sweep(
        "name: demo",
        "method: grid",
        "command: [sh, -c, 'python train.py; read line < gate']",
        "parameters: {a: {value: 1}}",
    )
    secret = replace(place, variables={"RUNAI_CLIENT_SECRET": "canary-of-the-daemon"})

    async with secret.run("run", file) as daemon:
        await daemon.says("submitting -> active")
        gate = await waiting_at(place.folder / "gate")
        others = [
            environment
            for process in psutil.process_iter()
            if process.pid != daemon.process.pid
            and (environment := _environment(process, place.folder)) is not None
        ]
        os.close(gate)
        await daemon.end()

    assert others
    assert all("RUNAI_CLIENT_SECRET" not in environment for environment in others)
    seen = (place.folder / "seen.txt").read_text()
    assert "SWEEPER_TRIAL" in seen
    assert "canary-of-the-daemon" not in seen


async def test_a_sweep_that_is_complete_answers_though_its_control_plane_is_gone(
    place: Place,
) -> None:
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(_at_once, now=utc_now)
    async with remote_at(place, runtime) as served:
        remote = served.place
        first = await remote.sweeper("run", file, "--json")

    again = await remote.sweeper("run", file, "--json")

    assert again.code == 0, again.err
    assert json.loads(again.out) == json.loads(first.out)
