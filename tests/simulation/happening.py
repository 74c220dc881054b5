"""What befalls a world at its hours: trainings, daemons, the clock, and what people do."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sweeper.clock import pause
from sweeper.domain.expansion import workload_name
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState, Wish, WishKind
from sweeper.domain.trial import Trial, TrialState
from tests.simulation.history import Actor
from tests.simulation.scenario import WINDOWS, Happening
from tests.simulation.server import Training
from tests.support.simulated_daemon import SWEEP_ID

if TYPE_CHECKING:
    from tests.simulation.world import World

_PATIENCE = 60.0
"""Virtual seconds between two looks of the person who tidies up in the calm."""


class Happenings:
    """Plays the happenings of a scenario, then tidies up in the calm until it is cancelled."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._cluster = world.cluster
        self._rng = world.cluster.stream("happenings")

    async def play(self) -> None:
        """Let each happen at its time."""
        scenario = self._world.scenario
        self._world.weather.windows += [one for one in scenario.happenings if one.what in WINDOWS]
        for one in scenario.happenings:
            if one.what not in WINDOWS:
                await self._until(one.at)
                self._world.note(one.what, f"{one.seconds:g} {one.share:g}")
                await self._happen(one)
        await self._until(scenario.calm)
        self._cluster.is_calm = True
        self._world.note("calm")
        while True:
            await self._tidy_up()
            await pause(_PATIENCE)

    async def _until(self, seconds: float) -> None:
        left = seconds - self._cluster.seconds
        if left > 0:
            await pause(left)

    async def _happen(self, one: Happening) -> None:
        on_trainings: Mapping[str, Callable[[Training], None]] = {
            "preempt": self._cluster.preempt,
            "lose node": self._cluster.lose_node,
            "suspend": lambda training: self._cluster.suspend(training, Actor.PERSON),
            "delete": lambda training: self._cluster.delete(training, Actor.PERSON),
            "person resumes": lambda training: self._cluster.resume(training, Actor.PERSON),
        }
        if one.what in on_trainings:
            ours = self._cluster.ours()
            for training in self._rng.sample(ours, round(one.share * len(ours))):
                on_trainings[one.what](training)
        elif one.what.startswith("wish "):
            await self._wish(one)
        elif one.what in {"foreign", "copy", "squatter"}:
            self._intrude(one.what)
        elif one.what in {"amnesia", "restored"}:
            self._lose(one)
        elif one.what == "restart":
            # What is on its way is lost, and for a while there is nobody to connect to.
            self._world.face.restart()
            self._world.weather.windows.append(replace(one, what="refused"))
        else:
            await self._befall_daemon(one)

    async def _befall_daemon(self, one: Happening) -> None:
        world = self._world
        match one.what:
            case "kill":
                world.kill()
            case "stop" if world.service is not None:
                world.note("stopping")
                world.service.request_stop()
            case "double start":
                await world.start_twice()
            case "jump":
                world.offset += timedelta(seconds=one.seconds)
            case _:
                pass

    async def _wish(self, one: Happening) -> None:
        kinds = {
            "wish pause": WishKind.PAUSE,
            "wish suspend": WishKind.SUSPEND,
            "wish retry": WishKind.RETRY,
            "wish cancel": WishKind.CANCEL,
            "wish cancel one": WishKind.CANCEL,
        }
        wish = Wish(kind=kinds[one.what], at=self._world.here.now())
        if one.what == "wish cancel one":
            wish = replace(wish, trial=self._rng.randrange(self._world.scenario.sweep.trials))
        await self._ask(wish)

    async def _ask(self, wish: Wish) -> None:
        """Ask it of the store, as the verbs do whether or not there is a daemon."""
        async with self._world.opened() as store:
            if await store.load_sweep() is not None:
                about = "" if wish.trial is None else wish.trial
                self._world.note("asked", f"{wish.kind} {about}")
                await store.add_wish(wish)

    def _intrude(self, what: str) -> None:
        """Let somebody else create a training."""
        ours = self._cluster.ours()
        name, labels = "foreign", {"app": "other"}
        if what == "copy" and ours:
            name, labels = f"{ours[-1].name}-copy", dict(ours[-1].labels)
        elif what == "squatter":
            numbers = [one.trial for one in self._cluster.trainings.values() if one.trial]
            name = workload_name("world", SWEEP_ID, max(numbers, default=0) + 2, 1)
        if not self._cluster.named(name):
            self._cluster.create(name, labels, is_ours=False)

    def _lose(self, one: Happening) -> None:
        """Let the control plane forget trainings: for a while, or for ever."""
        ours = self._cluster.ours()
        if one.what == "restored":
            for training in ours:
                self._cluster.erase(training)
            return
        for training in ours:
            training.is_hidden = True
        face = self._world.face
        face.is_amnesic = True

        def remember() -> None:
            face.is_amnesic = False

        asyncio.get_running_loop().call_later(one.seconds, remember)

    async def _tidy_up(self) -> None:
        """Do what only a person can: take back pauses, look after what is held or lost."""
        async with self._world.opened() as store:
            sweep = await store.load_sweep()
            held = await store.trials(states=[TrialState.HELD])
            waiting = await store.wishes()
        if sweep is None or waiting:
            return
        now = self._world.here.now()
        if sweep.frozen is not None:
            await self._ask(Wish(kind=WishKind.THAW, at=now))
        if sweep.state in {SweepState.PAUSED, SweepState.SUSPENDED}:
            await self._ask(Wish(kind=WishKind.UNPAUSE, at=now))
        for view in held:
            await self._help(view.trial)
        if self._world.scenario.sweep.leave:
            for training in self._cluster.ours():
                if training.phase is Phase.STOPPED:
                    self._cluster.resume(training, Actor.PERSON)

    async def _help(self, trial: Trial) -> None:
        """Let a held trial go on: with its training, or with the name that somebody else has."""
        now, submission = self._world.here.now(), trial.submission
        if submission.workload_id is None:
            for training in self._cluster.named(submission.workload_name):
                if training.trial is None:
                    self._cluster.delete(training, Actor.PERSON)
                    continue
                adopt = Wish(
                    kind=WishKind.ADOPT,
                    at=now,
                    trial=trial.number,
                    workload_id=training.workload_id,
                )
                await self._ask(adopt)
                return
        await self._ask(Wish(kind=WishKind.RETRY, at=now, trial=trial.number))
