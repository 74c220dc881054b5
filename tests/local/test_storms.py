"""Random commands, ends, outages and crashes, and what must hold all the while."""

import random
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from sweeper.clock import pause
from sweeper.local.runtime import StartOrder
from sweeper.local.simulated import Course
from tests.local.planes import Client, World, memory_folder, world

GPUS = 2
NEEDS: list[dict[str, Any]] = [
    {},
    {"compute": {"gpuDevicesRequest": 1}},
    {"compute": {"gpuDevicesRequest": 2}},
    {"compute": {"gpuDevicesRequest": 1}, "parallelism": 2},
    {"parallelism": 2, "completions": 3},
    {
        "compute": {
            "gpuDevicesRequest": 1,
            "gpuRequestType": "portion",
            "gpuPortionRequest": 0.4,
        }
    },
]
FINISHED = {"Completed", "Failed", "gone"}


class Storm:
    """Six trainings of all kinds on two GPUs, and everything that can happen to them."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.here: World = world(directory, self.play, gpus=GPUS)
        self.shares: dict[str, Fraction] = {}
        self.pods: dict[str, int] = {}
        self.orders: dict[str, StartOrder] = {}
        self.ids: list[str] = []
        self.faults: list[str] = []

    def play(self, order: StartOrder) -> Course:
        self.orders[order.key] = order
        held: defaultdict[str, Fraction] = defaultdict(Fraction)
        for key in [*self.here.runtime.running, order.key]:
            devices = self.orders[key].environment.get("CUDA_VISIBLE_DEVICES", "")
            for device in filter(None, devices.split(",")):
                held[device] += self.shares[key.rpartition("-")[0]]
        if any(share > 1 for share in held.values()):
            self.faults.append(f"{order.key}: too much of a GPU")
        workload_id = order.key.rpartition("-")[0]
        others = [key for key in self.here.runtime.running if key.startswith(workload_id)]
        if len(others) >= self.pods[workload_id]:
            self.faults.append(f"{order.key}: beside too many others of its training")
        return Course(
            seconds=self.rng.choice([0, 1, 30, 300]),
            exit_code=self.rng.choice([0, 0, 0, 1]),
            term_seconds=self.rng.choice([0, 3, None]),
            start_error=self.rng.choice([None] * 15 + ["no such file"]),
        )

    async def create_all(self, client: Client) -> None:
        for number in range(6):
            need = self.rng.choice(NEEDS)
            priority = self.rng.choice(["build", "train", "interactive-preemptible"])
            workload_id = await client.create(f"a{number}", priorityClass=priority, **need)
            self.pods[workload_id] = need.get("parallelism", 1)
            portion = str(need.get("compute", {}).get("gpuPortionRequest", 1))
            self.shares[workload_id] = Fraction(portion)
            self.ids.append(workload_id)

    async def happen(self, client: Client) -> None:
        """Let one thing happen."""
        runtime = self.here.runtime
        match self.rng.randrange(8):
            case 0:
                runtime.lose()
            case 1:
                runtime.is_available = not runtime.is_available
            case 2:
                runtime.drops_answers = not runtime.drops_answers
            case 3:
                if runtime.running:
                    runtime.end(self.rng.choice(runtime.running), self.rng.choice([0, 7]))
            case _:
                word = self.rng.choice(["suspend", "resume", "resume", "delete"])
                assert await client.command(self.rng.choice(self.ids), word) in {202, 404}
        await pause(self.rng.choice([0, 0.1, 5, 40]))

    def calm(self) -> None:
        self.here.runtime.is_available = True
        self.here.runtime.drops_answers = False


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(12))
async def test_through_every_storm_all_trainings_come_to_an_end(seed: int) -> None:
    with memory_folder() as folder:
        storm = Storm(folder, seed)
        async with storm.here.open() as client:
            await storm.create_all(client)

        for _ in range(3):
            storm.here.runtime.is_available = True  # or nothing could be opened
            async with storm.here.open() as client:
                for _ in range(8):
                    await storm.happen(client)

        storm.calm()
        async with storm.here.open() as client:
            for workload_id in storm.ids:
                await client.command(workload_id, "resume")
            await pause(3600 * 3)
            ends = {await client.phase(workload_id) for workload_id in storm.ids}

        assert (storm.faults, ends - FINISHED) == ([], set())
        assert storm.here.runtime.running == []
        assert await storm.here.runtime.known() == {}
