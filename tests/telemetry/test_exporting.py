import asyncio
from dataclasses import dataclass, field
from threading import Event

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from sweeper.clock import pause
from sweeper.telemetry.exporting import EVERY, LAST_GRACE, PATIENCE, Export, exporting

_REGISTRY = CollectorRegistry()


@dataclass
class Place:
    """Counts what is carried to it, and fails, or takes its time, as a test says."""

    place: str = "there"
    failures: list[OSError] = field(default_factory=list)
    carried: int = 0
    begun: Event = field(default_factory=Event)
    hangs: Event | None = None

    def carry(self, metrics: Collector) -> None:
        self.carried += 1
        self.begun.set()
        if self.hangs is not None:
            self.hangs.wait()
        if self.failures:
            raise self.failures.pop(0)


def _export(place: Place) -> Export:
    return Export(metrics=_REGISTRY, carrier=place)


async def test_metrics_are_carried_at_once_and_at_the_end() -> None:
    place = Place()
    async with exporting([_export(place)]):
        await asyncio.to_thread(place.begun.wait)
        assert place.carried == 1

    assert place.carried == 2


async def test_they_are_carried_at_the_end_of_a_block_that_fails() -> None:
    place = Place()

    async def fail() -> None:
        async with exporting([_export(place)]):
            await asyncio.to_thread(place.begun.wait)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()

    assert place.carried == 2


async def test_a_place_that_fails_ends_nothing_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    export = _export(Place(failures=[OSError("gone"), OSError("gone")]))

    for _ in range(4):
        await export.once()

    assert caplog.messages == ["Metrics do not get to there: gone", "Metrics get to there again"]


async def test_without_a_place_nothing_happens() -> None:
    async with exporting([]):
        assert len(asyncio.all_tasks()) == 1


@pytest.fixture
def stuck() -> Place:
    """A place that hangs until the test ends."""
    return Place(hangs=Event())


@pytest.mark.looptime
async def test_a_place_that_hangs_is_left_alone_until_it_answers(
    stuck: Place, caplog: pytest.LogCaptureFixture
) -> None:
    export = _export(stuck)
    loop = asyncio.get_running_loop()

    await export.once()
    await export.once()

    assert loop.time() == pytest.approx(PATIENCE)
    stuck.begun.wait()
    assert stuck.carried == 1
    assert caplog.messages == ["Metrics do not get to there: it took longer than 10 s"]
    assert stuck.hangs is not None
    stuck.hangs.set()


@pytest.mark.looptime
async def test_a_place_that_hangs_holds_the_end_up_for_a_moment_only(stuck: Place) -> None:
    loop = asyncio.get_running_loop()
    async with exporting([_export(stuck)]):
        await pause(EVERY * 10)
        left = loop.time()

    assert loop.time() - left <= LAST_GRACE
    assert stuck.hangs is not None
    stuck.hangs.set()
