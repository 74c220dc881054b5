"""What fields of a spec do to real processes."""

import asyncio
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.local.planes import Client
from tests.local.test_plane_processes import Machine, machine, sockets

__all__ = ["machine", "sockets"]

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(30)]


async def completed(client: Client, script: str, **spec: Any) -> str:
    """Run a script of the shell to its good end, and return the id of its training."""
    args = f"-c {shlex.quote(script.replace('$(', '$$('))}"
    workload_id = await client.create(command="sh", args=args, backoffLimit=0, **spec)
    await client.until(workload_id, "Completed")
    return workload_id


def names_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def test_several_processes_run_beside_each_other(machine: Machine) -> None:
    # Whoever reads a pipe waits for its writer, so none of them ends unless all run at one time.
    script = (
        "case $POD_INDEX in 0) echo a > left; echo b > right;; 1) cat left;; 2) cat right; esac"
    )
    for name in ("left", "right"):
        os.mkfifo(machine.root / name)
    async with machine.open() as client:
        await completed(client, script, parallelism=3, completions=3)

    assert sorted(machine.log("one").split()) == ["a", "b"]


async def test_a_suspend_stops_all_processes_and_a_resume_starts_all(machine: Machine) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="sleep", args="1000", parallelism=2)
        await client.until(workload_id, "Running")
        await client.command(workload_id, "suspend")
        await client.until(workload_id, "Stopped")
        await client.command(workload_id, "resume")
        await client.until(workload_id, "Running")

        assert await client.reasons(workload_id) == ["Started"] * 4


async def test_all_processes_outlive_the_control_plane(machine: Machine) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="sleep", args="1000", parallelism=2)
        await client.until(workload_id, "Running")

    async with machine.open() as client:
        assert await client.phase(workload_id) == "Running"
        assert await client.reasons(workload_id) == ["Started"] * 2


async def test_a_pod_knows_its_labels_and_its_name(machine: Machine) -> None:
    paths = ["metadata.name", "metadata.labels['team']", "metadata.annotations['note']"]
    variables = [
        {"name": f"V{number}", "podFieldRef": {"path": path}} for number, path in enumerate(paths)
    ]
    labels = [{"name": "team", "value": "blue"}, {"name": "no", "value": "x", "exclude": True}]
    async with machine.open() as client:
        workload_id = await completed(
            client,
            'echo "$V0 $V1 $V2"',
            environmentVariables=variables,
            labels=labels,
            annotations=[{"name": "note", "value": "hello"}],
        )

        answer = await client.http.get(f"/api/v1/workloads/trainings/{workload_id}")
        assert answer.json()["spec"]["labels"] == labels
    assert machine.log("one") == "one-0-1 blue hello\n"


async def test_volumes_are_told_by_variable_and_linked_where_possible(machine: Machine) -> None:
    secret = machine.root / "local" / "secrets" / "db"
    secret.mkdir(parents=True)
    (secret / "password").write_text("hunter2")
    mount = str(machine.root / "data")
    storage = {"secretVolume": [{"secret": "db", "mountPath": mount}]}
    async with machine.open() as client:
        await completed(
            client,
            'cat data/password; echo; echo "$SWEEPER_MOUNTS"; echo "$HOME"',
            storage=storage,
            createHomeDir=True,
        )

    said, mounts, home = machine.log("one").splitlines()
    assert said == "hunter2"
    assert list(json.loads(mounts)) == [mount]
    assert home.startswith(str(machine.root / "local" / "pods"))


@pytest.mark.parametrize("stdin", [True, False])
async def test_standard_input_stays_open_only_where_asked_for(
    machine: Machine, stdin: bool
) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="cat", stdin=stdin)
        await client.until(workload_id, "Running" if stdin else "Completed")

        if stdin:
            await client.command(workload_id, "suspend")
            await client.until(workload_id, "Stopped")


async def test_readiness_gates_running(machine: Machine) -> None:
    answers = [b"503 No", b"200 OK"]
    phases: list[str] = []
    workload_id = ""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        phases.append(await client.phase(workload_id))
        status = answers.pop(0) if answers else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with (
        machine.open() as client,
        await asyncio.start_server(serve, "127.0.0.1", 0) as listening,
    ):
        port = listening.sockets[0].getsockname()[1]
        readiness = {"periodSeconds": 1, "handler": {"httpGet": {"port": port, "path": "/up"}}}
        workload_id = await client.create(
            command="sleep", args="1000", probes={"readiness": readiness}
        )
        await client.until(workload_id, "Running")

        assert phases == ["Initializing", "Initializing"]
        assert await client.reasons(workload_id) == ["Started", "Ready"]


async def test_what_has_ended_leaves_no_folders(machine: Machine) -> None:
    pods = machine.root / "local" / "pods"
    async with machine.open() as client:
        await completed(client, "pwd", createHomeDir=True)
    async with machine.open():
        pass

    assert names_in(pods) == []
