"""Control planes that die at every moment, and the next ones."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from sweeper.errors import StoreError, StoreLockedError
from sweeper.local.plane import LocalPlaneOptions, open_plane_on
from sweeper.local.runtime import (
    EndListener,
    ProcessEnd,
    Runtime,
    RuntimeUnavailableError,
    StartOrder,
)
from sweeper.local.simulated import Course, SimulatedRuntime
from tests.local.planes import START, TRAININGS, Client, World, creation, gpus, memory_folder, world

T = TypeVar("T")


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


class KilledError(Exception):
    """The control plane is killed here."""


class Reaper:
    """Counts the calls that leave the control plane, and kills it at one of them.

    It dies after the effect of that call and before anything follows from it; dying before a
    call is dying after the one before it. With `drops_answers` the first answer to every order
    is lost.
    """

    def __init__(self, fatal: int | None, *, drops_answers: bool = False) -> None:
        self.drops_answers = drops_answers
        self.moments = 0
        self.fatal = fatal
        self.is_dead = False

    def before(self) -> None:
        if self.is_dead:
            raise KilledError

    def after(self) -> None:
        self.is_dead |= self.moments == self.fatal
        self.moments += 1
        self.before()

    async def run(self, call: Callable[[], T], /) -> T:
        if getattr(call, "__qualname__", "").startswith("open_keeper"):
            return call()  # opening and closing the file, which the kernel does for the dead
        self.before()
        result = call()
        self.after()
        return result


class Watched:
    """A runtime seen through a reaper: the orders of a dead control plane never arrive."""

    def __init__(self, runtime: Runtime, reaper: Reaper) -> None:
        self._runtime = runtime
        self._reaper = reaper
        self._answered: set[str] = set()

    async def known(self) -> Mapping[str, ProcessEnd | None]:
        return await self._call(self._runtime.known)

    async def start(self, order: StartOrder) -> None:
        await self._call(lambda: self._runtime.start(order))
        if self._reaper.drops_answers and order.key not in self._answered:
            self._answered.add(order.key)
            raise RuntimeUnavailableError("the answer was lost")

    async def stop(self, key: str, grace_seconds: float) -> None:
        await self._call(lambda: self._runtime.stop(key, grace_seconds))

    async def forget(self, keys: Sequence[str]) -> None:
        await self._call(lambda: self._runtime.forget(keys))

    def listen(self, listener: EndListener) -> None:
        def unless_dead(end: ProcessEnd) -> None:
            if not self._reaper.is_dead:
                listener(end)

        self._runtime.listen(unless_dead)

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        self._reaper.before()
        result = await call()
        self._reaper.after()
        return result


class Story:
    """Two trainings on one GPU: preempted, suspended, resumed, finished, deleted.

    Whoever tells it survives the control plane, asks again and goes on where it was.
    """

    def __init__(self, directory: Path) -> None:
        self.here: World = world(directory, self.play, gpus=1)
        self.ids: dict[str, str] = {}
        self.steps: list[Callable[[Client], Awaitable[None]]] = [
            self.created("low"),
            self.reached("low", "Running"),
            self.created("high", priorityClass="build"),
            self.reached("high", "Completed"),
            self.reached("low", "Running"),
            self.told("low", "suspend", "Stopped"),
            self.told("low", "resume", "Running"),
            self.reached("low", "Completed"),
            self.told("high", "delete", "gone"),
        ]
        self.faults: list[str] = []

    def play(self, order: StartOrder) -> Course:
        workload_id = order.key.rpartition("-")[0]
        if any(key.startswith(workload_id) for key in self.here.runtime.running):
            self.faults.append(f"{order.key} beside another process of its training")
        if self.here.runtime.running:
            self.faults.append(f"{order.key} on a GPU that is taken")
        if "high" in order.log_file:
            return Course(seconds=5)
        return Course(seconds=20, term_seconds=1)

    def created(self, name: str, **spec: str) -> Callable[[Client], Awaitable[None]]:
        async def step(client: Client) -> None:
            body = creation(name, backoffLimit=0, **gpus(1), **spec)
            answer = await client.http.post(TRAININGS, json=body)
            assert answer.status_code == 202 or "already exists" in answer.text
            found = await client.listing(f"filterBy=name=={name}")
            self.ids[name] = found["workloads"][0]["id"]

        return step

    def reached(self, name: str, phase: str) -> Callable[[Client], Awaitable[None]]:
        async def step(client: Client) -> None:
            await client.until(self.ids[name], phase)

        return step

    def told(self, name: str, word: str, phase: str) -> Callable[[Client], Awaitable[None]]:
        async def step(client: Client) -> None:
            assert await client.command(self.ids[name], word) in {202, 404}
            await client.until(self.ids[name], phase)

        return step

    async def tell(self, reaper: Reaper) -> None:
        """Tell the rest of the story, as far as this control plane lives."""
        self.here.run = reaper.run
        self.here.seen_through = Watched(self.here.runtime, reaper)
        async with self.here.open() as client:
            while self.steps:
                await self.steps[0](client)
                del self.steps[0]


async def moments_of_a_whole_story(directory: Path, drops_answers: bool) -> int:
    story, reaper = Story(directory), Reaper(None, drops_answers=drops_answers)
    await story.tell(reaper)
    assert story.faults == []
    return reaper.moments


@pytest.mark.looptime
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("drops_answers", "step"),
    [pytest.param(False, 1, id="answered"), pytest.param(True, 3, id="answers lost")],
)
async def test_killed_at_any_moment_the_next_one_goes_on(
    folder: Path, drops_answers: bool, step: int
) -> None:
    moments = await moments_of_a_whole_story(folder / "whole", drops_answers)

    for fatal in range(0, moments, step):
        story = Story(folder / str(fatal))
        try:
            await story.tell(Reaper(fatal, drops_answers=drops_answers))
        except* (KilledError, AssertionError):
            pass
        await story.tell(Reaper(None))

        keys = Counter(order.key for order in story.here.runtime.orders)
        assert (story.faults, set(keys.values())) == ([], {1}), fatal
        async with story.here.open() as client:
            low = await client.reasons(story.ids["low"])
            assert low[-1] == "Completed", fatal
            assert low.count("Evict") == 1, fatal
            assert not {"BackOff", "NodeLost"} & set(low), fatal
            assert story.here.runtime.running == [], fatal


@pytest.mark.looptime
async def test_ids_stay_and_secrets_change(tmp_path: Path) -> None:
    here = world(tmp_path)

    async with here.open() as first:
        pass
    async with here.open() as second:
        pass

    assert first.plane is not None
    assert second.plane is not None
    assert first.plane.project_id == second.plane.project_id
    assert first.plane.cluster_id == second.plane.cluster_id
    assert first.plane.client_secret != second.plane.client_secret
    assert first.plane.client_secret not in repr(first.plane)


@pytest.mark.looptime
async def test_a_control_plane_is_open_once(tmp_path: Path) -> None:
    here = world(tmp_path)

    async with here.open():
        with pytest.raises(StoreLockedError):
            await here.open().__aenter__()


@pytest.mark.looptime
async def test_a_state_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    here, reaper = world(tmp_path), Reaper(None)
    here.run = reaper.run

    async def live() -> None:
        async with here.open() as client:
            await client.until(await client.create(), "Running")
            reaper.is_dead = True
            here.runtime.lose()
            await asyncio.Event().wait()

    with pytest.raises(KilledError):
        await live()


@pytest.mark.looptime
async def test_what_fails_inside_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the daemon's own"):
        async with world(tmp_path).open():
            raise StoreError("the daemon's own")


async def test_by_default_the_state_is_written_in_a_thread(tmp_path: Path) -> None:
    runtime = SimulatedRuntime(now=lambda: START)
    options = LocalPlaneOptions(
        directory=tmp_path,
        socket_directory=tmp_path,
        gpu_lock_directory=tmp_path,
        environment={"SECRET": "hunter2"},
    )
    client = Client()

    opened = open_plane_on(runtime, options, now=lambda: START, on_change=client.changed.set)
    async with opened as plane, client.enter(plane):
        await client.until(await client.create(), "Running")

    assert runtime.orders[0].environment["SECRET"] == "hunter2"
    assert "hunter2" not in repr(options)
