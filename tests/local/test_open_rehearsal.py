"""A control plane whose processes only follow a plan, as `--runtime simulated` opens it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sweeper.clock import utc_now
from sweeper.local.plane import LocalPlaneOptions, open_rehearsal
from sweeper.local.simulation import Fixed, SimulationPlan
from tests.local.planes import Client


@asynccontextmanager
async def rehearsed(folder: Path, **plan: float) -> AsyncIterator[Client]:
    options = LocalPlaneOptions(
        directory=folder,
        socket_directory=folder,
        gpu_lock_directory=folder / "gpus",
        gpus=0,
        environment={},
    )
    client = Client()
    simulation = SimulationPlan(duration=Fixed(seconds=36), **plan)  # type: ignore[arg-type] # tests vary any
    opened = open_rehearsal(simulation, options, now=utc_now, on_change=client.changed.set)
    async with opened as plane, client.enter(plane):
        yield client


async def test_an_image_alone_says_enough(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, time_scale=3600) as client:
        workload_id = await client.create(command=None, image="busybox")

        await client.until(workload_id, "Completed")


async def test_a_preemption_of_the_plan_lets_a_training_start_again(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, time_scale=3600, preemptions_per_hour=60, seed=4) as client:
        ids = [await client.create(f"a{number}") for number in range(12)]

        for workload_id in ids:
            await client.until(workload_id, "Completed")

        reasons = [reason for one in ids for reason in await client.reasons(one)]
        assert reasons.count("Evict") > 2
        assert reasons.count("Started") == len(ids) + reasons.count("Evict")
