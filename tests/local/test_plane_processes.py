"""The local control plane over real processes."""

import os
import shlex
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sweeper.clock import utc_now
from sweeper.errors import SettingsError, StoreLockedError
from sweeper.local.plane import LocalPlaneOptions, open_local_plane
from tests.local.planes import Client, gpus

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(30)]


@dataclass
class Machine:
    """This machine, as a control plane in a folder of its own uses it."""

    root: Path
    sockets: Path

    @asynccontextmanager
    async def open(self, name: str = "local") -> AsyncIterator[Client]:
        """Open a control plane; what it leaves running is deleted by `clean`."""
        options = LocalPlaneOptions(
            directory=self.root / name,
            socket_directory=self.sockets,
            gpu_lock_directory=self.root / "gpus",
            gpus=1,
            environment={"PATH": os.environ["PATH"]},
            working_directory=self.root,
        )
        client = Client()
        opened = open_local_plane(options, now=utc_now, on_change=client.changed.set)
        async with opened as plane, client.enter(plane):
            yield client

    def log(self, name: str) -> str:
        """Return what a training has written."""
        return (self.root / "local" / "logs" / f"{name}.log").read_text()

    async def clean(self) -> None:
        """Delete all trainings, so that no process is left behind."""
        for name in ("local", "other"):
            if (self.root / name).is_dir():
                async with self.open(name) as client:
                    for item in (await client.listing("limit=500"))["workloads"]:
                        await client.command(item["id"], "delete")
                        await client.until(item["id"], "gone")


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short: a socket path holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sw-", dir="/tmp", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
async def machine(tmp_path: Path, sockets: Path) -> AsyncIterator[Machine]:
    machine = Machine(tmp_path, sockets)
    yield machine
    await machine.clean()


async def test_a_process_runs_with_its_environment_and_its_exit_is_told(machine: Machine) -> None:
    script = 'echo "$RUNAI_JOB_NAME in $(pwd) with $LR"; echo oops >&2; exit 3'
    variables = [{"name": "LR", "value": "0.1"}]
    async with machine.open() as client:
        workload_id = await client.create(
            command="sh",
            args=f"-c {shlex.quote(script.replace('$(', '$$('))}",
            environmentVariables=variables,
            backoffLimit=0,
        )
        await client.until(workload_id, "Failed")

        assert "exit code 3" in (await client.events(workload_id))[-1]["message"]
    assert machine.log("one") == f"one in {machine.root} with 0.1\noops\n"


async def test_a_process_is_suspended_and_started_again(machine: Machine) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="sleep", args="1000")
        await client.until(workload_id, "Running")
        await client.command(workload_id, "suspend")
        await client.until(workload_id, "Stopped")
        await client.command(workload_id, "resume")
        await client.until(workload_id, "Running")

        assert await client.reasons(workload_id) == ["Started", "Started"]


async def test_a_process_outlives_the_control_plane_and_its_exit_is_known(
    machine: Machine,
) -> None:
    fifo = machine.root / "fifo"
    os.mkfifo(fifo)
    async with machine.open() as client:
        workload_id = await client.create(
            command="sh", args="-c 'read line < fifo; exit 5'", backoffLimit=0
        )
        await client.until(workload_id, "Running")

    fifo.write_text("go on\n")

    async with machine.open() as client:
        await client.until(workload_id, "Failed")
        assert "exit code 5" in (await client.events(workload_id))[-1]["message"]


async def test_what_is_not_there_cannot_be_started(machine: Machine) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="no-such-program-anywhere")
        await client.until(workload_id, "Failed")

        (event,) = await client.events(workload_id)
        assert "cannot be started" in event["message"]
        assert "no-such-program-anywhere" in event["message"]


async def test_two_control_planes_never_hand_out_the_same_gpu(machine: Machine) -> None:
    async with machine.open() as client, machine.open("other") as other:
        mine = await client.create(command="sleep", args="1000", **gpus(1))
        await client.until(mine, "Running")

        theirs = await other.create(command="sleep", args="1000", **gpus(1))
        await other.changed.wait()
        await other.until(theirs, "Pending")

        item = (await other.http.get(f"/api/v1/workloads/{theirs}")).json()
        assert "another control plane of this machine uses" in item["phaseMessage"]


async def test_a_second_one_in_the_same_place_leaves_the_first_alone(machine: Machine) -> None:
    async with machine.open() as client:
        workload_id = await client.create(command="sleep", args="1000")
        await client.until(workload_id, "Running")

        with pytest.raises(StoreLockedError):
            await machine.open().__aenter__()

        await client.command(workload_id, "suspend")
        await client.until(workload_id, "Stopped")


async def test_a_place_where_no_supervisor_can_live_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    machine = Machine(tmp_path, tmp_path / "file")

    with pytest.raises(SettingsError, match="supervisor of local trainings"):
        await machine.open().__aenter__()
