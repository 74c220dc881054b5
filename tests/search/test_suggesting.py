"""Suggestions beside the ticks, over a real store; the studies here are real, or slow ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from sweeper.clock import pause
from sweeper.domain.enqueuing import EnqueuedPoint
from sweeper.domain.expansion import Expansion
from sweeper.domain.record import Event, EventKind, Report, TrialView
from sweeper.domain.result import Outcome, Result
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import Trial, TrialState
from sweeper.domain.values import Params
from sweeper.errors import StoreAwayError, SuggestionError
from sweeper.ports import Store
from sweeper.search.study import Study
from sweeper.search.suggesting import Suggestions
from sweeper.store.memory import MemoryStore
from sweeper.tasks import side_tasks
from tests.search.spaces import PLAIN, an_order
from tests.support.builders import NOW, a_spec, a_sweep, a_trial


@dataclass(slots=True)
class Here:
    """A study in this process, which can be slow, fail, and notes what it is told."""

    seconds: float = 0.0
    failures: int = 0
    study: Study | None = None
    told: list[Sequence[Result]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    @property
    def knows_nothing(self) -> bool:
        return self.study is None

    async def ask(self, number: int, results: Sequence[Result]) -> Params:
        self.study = self.study or Study(an_order(PLAIN))
        self.told.append(results)
        self.asked.append(number)
        await pause(self.seconds)
        if self.failures:
            self.failures -= 1
            self.study = None
            raise SuggestionError("it broke off")
        self.study.tell(results)
        return self.study.ask(number)


@dataclass(slots=True)
class Scene:
    """Suggestions that are served, and all that they are made of."""

    here: Here
    store: Store
    suggestions: Suggestions
    ready: asyncio.Event
    heard: list[bool]

    async def params(self, number: int) -> Params:
        """Return the params of a trial once they are there."""
        while (found := self.suggestions.params(number)) is None:
            self.ready.clear()
            await self.ready.wait()
        return found

    async def end(self, number: int, params: Params, loss: float | None) -> Trial:
        """Write a trial that ran and completed, as a daemon would, and say so."""
        trial = a_trial(number, params=params, state=TrialState.COMPLETED)
        event = Event(at=NOW, kind=EventKind.TRANSITION, outcome="completed", trial=number)
        await self.store.commit([replace(trial, version=0)], [event])
        if loss is not None:
            report = Report(trial=number, key="1", at=NOW, values={"loss": loss})
            await self.store.add_reports([report])
        self.suggestions.recorded(a_sweep(), [event])
        return trial


@asynccontextmanager
async def a_scene(here: Here | None = None, **fields: object) -> AsyncIterator[Scene]:
    store, ready, heard = MemoryStore(), asyncio.Event(), []
    await store.save_sweep(a_sweep(objective="loss", goal=Goal.MINIMIZE))
    study = here or Here()
    spec = a_spec(space=PLAIN, run_cap=100, **fields)
    suggestions = Suggestions(
        store=store,
        study=study,
        expansion=Expansion(spec),
        on_ready=ready.set,
        heard=lambda _, is_suggested: heard.append(is_suggested),
    )
    async with side_tasks() as tasks:
        serving = tasks.create_task(suggestions.serve(), name="suggestions")
        try:
            yield Scene(study, store, suggestions, ready, heard)
        finally:
            serving.cancel()


async def test_params_are_there_a_while_after_they_were_asked_for() -> None:
    async with a_scene() as scene:
        assert scene.suggestions.params(0) is None

        assert await scene.params(0) == Study(an_order(PLAIN)).ask(0)

        assert scene.suggestions.params(0) == Study(an_order(PLAIN)).ask(0)
        assert scene.heard == [True]


@pytest.mark.looptime
async def test_a_slow_sampler_holds_nobody_up() -> None:
    async with a_scene(Here(seconds=3600)) as scene:
        loop = asyncio.get_running_loop()
        began = loop.time()

        found = [scene.suggestions.params(number) for number in range(3)]
        await pause(1)

        assert found == [None, None, None]
        assert loop.time() - began == 1
        await scene.params(2)
        assert loop.time() - began == 3 * 3600


async def test_it_asks_in_the_order_of_the_numbers() -> None:
    async with a_scene() as scene:
        for number in (2, 0, 1):
            scene.suggestions.params(number)

        for number in range(3):
            await scene.params(number)

        assert scene.here.asked == [0, 1, 2]


async def test_the_study_is_told_everything_once_and_then_what_changed() -> None:
    async with a_scene() as scene:
        for number in range(3):
            await scene.end(number, await scene.params(number), 1.0)
        await scene.params(3)

        told = [[result.number for result in results] for results in scene.here.told]

        assert told == [[], [0], [1], [2]]


async def test_a_new_process_is_told_all_that_the_store_has() -> None:
    async with a_scene() as scene:
        for number in range(3):
            await scene.end(number, await scene.params(number), float(number))
        expected = await scene.params(3)
        scene.here.study = None

        others = Suggestions(store=scene.store, study=Here(), expansion=scene.suggestions.expansion)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(others.serve(), name="suggestions")
            assert others.params(3) is None
            while others.params(3) is None:
                await pause(0)
            serving.cancel()

        assert others.params(3) == expected


async def test_a_trial_that_never_reported_counts_as_failed() -> None:
    async with a_scene() as scene:
        await scene.end(0, await scene.params(0), None)
        await scene.params(1)

        ((result,),) = scene.here.told[1:]

        assert result.outcome is Outcome.FAILED


async def test_the_file_s_own_points_are_asked_of_nobody_and_told() -> None:
    point: Params = {"c": "a", "lr": 0.001, "n": 3, "x": 1.0}
    async with a_scene(points=(point,)) as scene:
        assert scene.suggestions.params(0) == point
        await scene.end(0, point, 0.5)

        await scene.params(1)

        assert scene.here.asked == [1]
        (results,) = scene.here.told
        told = Result(number=0, params=point, outcome=Outcome.COMPLETED, value=0.5, reports=1)
        assert results == [told]


async def test_a_sampler_that_fails_is_asked_anew_with_everything() -> None:
    async with a_scene(Here(failures=1)) as scene:
        assert await scene.params(0) == Study(an_order(PLAIN)).ask(0)

        assert scene.here.asked == [0, 0]
        assert scene.heard == [True]


async def test_a_sampler_that_keeps_failing_is_stood_in_for_by_chance(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_scene(Here(failures=2)) as scene:
        found = await scene.params(0)

        assert found == scene.suggestions.expansion.params(0)
        assert scene.heard == [False]
        assert "drawn at random: it broke off" in caplog.text
        assert await scene.params(1) != scene.suggestions.expansion.params(1)


async def test_repeats_share_what_was_suggested_for_the_first() -> None:
    async with a_scene(repeats=3) as scene:
        first = await scene.params(0)

        assert await scene.params(1) == first
        await scene.end(0, first, 1.0)
        assert await scene.params(2) == first
        assert await scene.params(3) != first
        assert scene.here.asked == [0, 1]


async def test_what_is_in_a_row_is_kept_no_longer() -> None:
    async with a_scene() as scene:
        await scene.end(0, await scene.params(0), 1.0)

        assert scene.suggestions._ready == {}


@pytest.mark.looptime
async def test_while_the_store_is_away_nothing_is_suggested() -> None:
    class Away(MemoryStore):
        is_away = True

        async def trials(
            self,
            *,
            states: Sequence[TrialState] | None = None,
            after: int = -1,
            limit: int = 500,
        ) -> Sequence[TrialView]:
            if self.is_away:
                raise StoreAwayError("no connection")
            return await MemoryStore.trials(self, states=states, after=after, limit=limit)

    async with a_scene() as scene:
        away = Away()
        scene.suggestions.store = away
        assert scene.suggestions.params(0) is None
        await pause(5)
        assert scene.here.asked == []

        away.is_away = False
        assert await scene.params(0)


async def test_a_point_of_a_person_is_not_asked_for() -> None:
    async with a_scene() as scene:
        point = EnqueuedPoint(number=3, params={"x": 0.5, "y": 0.5}, wish=1, tail=100)
        scene.suggestions.expansion.extend([point])

        assert scene.suggestions.params(3) == point.params
        assert scene.suggestions.planned == 101
        assert scene.here.asked == []


async def test_a_point_of_the_file_that_a_person_displaced_is_tried_at_the_end() -> None:
    async with a_scene(points=({"x": 0.25},)) as scene:
        scene.suggestions.expansion.extend(
            [EnqueuedPoint(number=0, params={"x": 0.5}, wish=1, tail=100)]
        )

        assert scene.suggestions.params(100) == {"x": 0.25}
