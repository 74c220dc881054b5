"""Where a daemon can die in a sweep, and what becomes of the sweep when it does.

A *point* is a moment just before an effect: a write of the store, or a request on its way to the
server. Two moments with no effect and no time between them leave the same world behind, so they
are one point: after a transaction is before the next effect, and an answer that was not read is a
request that came through and whose daemon died before the next effect. What a daemon only reads
from its store is no point of its own.

A request that writes has two fates when its daemon dies over it: it never arrives, or it arrives
`LATE` seconds afterwards, when the next daemon is at work already. Requests of calls under way
beside it always arrive: the server finishes what it was sent.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
import looptime

from sweeper.clock import pause
from sweeper.domain.record import Wish, WishKind
from sweeper.domain.trial import TrialState
from sweeper.ports import Now, Store
from tests.local.planes import memory_folder
from tests.simulation.crash_judging import Aftermath, faults_of
from tests.simulation.crash_sweeps import SmallSweep
from tests.support.crashing import Crash, mortal
from tests.support.simulated_daemon import Line, Rehearsal, Server

WINDOW = 25
"""How many points after a restart a second death is tried at."""

LATE = 4.0
"""Seconds after the death at which a late request arrives: within its call's deadline."""

DOWN = 1.0
"""Seconds from a death to the next start."""

ADOPTING = 10.0
"""Seconds between two looks of whoever adopts what is held."""

LONGEST = 3600.0
"""Virtual seconds in which a sweep must come to its end, whatever befell it."""


class Fate(StrEnum):
    """What becomes of a request that a daemon dies over."""

    LOST = "lost"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th point of a daemon's life, from 1, and the fate of a request that stands there."""

    at: int
    fate: Fate = Fate.LOST

    def __str__(self) -> str:
        return str(self.at) if self.fate is Fate.LOST else f"{self.at}{self.fate}"


NOWHERE = Point(0)


@dataclass(slots=True)
class Life:
    """One daemon's life: what it did, and where it is to die.

    `passed` are the effects before which it stood; `late` are those among them that can come late.
    """

    death: Point = NOWHERE
    passed: list[str] = field(default_factory=list)
    late: set[int] = field(default_factory=set)
    is_over: bool = False

    def come_to(self, effect: str, *, can_be_late: bool = False) -> None:
        """Come to the point before an effect; die if it is the one."""
        if self.is_over:
            # Whatever clears up after a death is dead as well.
            raise Crash
        self.passed.append(effect)
        if can_be_late:
            self.late.add(len(self.passed))
        if len(self.passed) == self.death.at:
            self.is_over = True
            raise Crash


class _Wire(Line):
    """The way to the server, on which a request goes on although its daemon is dead."""

    def __init__(self, server_side: asyncio.TaskGroup) -> None:
        super().__init__()
        self.life = Life()
        self._server_side = server_side

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        can_be_late = request.method != "GET" and not path.endswith("token")
        life = self.life
        was_over = life.is_over
        try:
            life.come_to(f"{request.method} {path}", can_be_late=can_be_late)
        except Crash:
            if can_be_late and life.death.fate is Fate.LATE and not was_over:
                self._server_side.create_task(self._arrive_late(request), name=path)
            raise
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._server_side.create_task(self._exchange(request, answer), name=path)
        return await asyncio.shield(answer)

    async def _exchange(
        self, request: httpx.Request, answer: "asyncio.Future[httpx.Response]"
    ) -> None:
        try:
            answer.set_result(await super().handle_async_request(request))
        except httpx.TransportError as error:
            answer.set_exception(error)
            answer.exception()  # nobody may be left to hear it

    async def _arrive_late(self, request: httpx.Request) -> None:
        await pause(LATE)
        with suppress(httpx.TransportError):
            await super().handle_async_request(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a sweep went: its lives, the last of which went on to the end, and what is wrong."""

    lives: tuple[Life, ...]
    aftermath: Aftermath
    faults: tuple[str, ...]


async def _play(sweep: SmallSweep, deaths: tuple[Point, ...]) -> Played:
    with memory_folder() as folder:
        async with asyncio.TaskGroup() as server_side:
            wire = _Wire(server_side)
            here = Rehearsal(
                directory=folder,
                text=sweep.text,
                simulation=sweep.simulation,
                plan=sweep.plan,
                gpus=8,
                line=wire,
            )
            kept, life = here.store, Life()
            lives = []
            async with here.server() as server:
                person = _Person(store=kept, server=server, now=here.now, sweep=sweep)
                tasks = [
                    server_side.create_task(work(), name="person")
                    for work in (person.wish, person.adopt)
                ]
                for death in (*deaths, NOWHERE):
                    wire.life = life = Life(death)
                    here.store = mortal(kept, life)
                    lives.append(life)
                    if await _live(here, person):
                        break
                    await pause(DOWN)
                life = lives[-1]
                while sweep.adopts and await kept.trials(states=[TrialState.HELD]):
                    await pause(ADOPTING)
                    if life.is_over:
                        wire.life = life = Life()
                        here.store = mortal(kept, life)
                    await _live(here, person)
                for task in tasks:
                    task.cancel()
                await pause(LATE)
                aftermath = await Aftermath.of(kept, server)
    faults = tuple(faults_of(sweep, aftermath))
    return Played(lives=tuple(lives), aftermath=aftermath, faults=faults)


async def _live(here: Rehearsal, person: "_Person") -> bool:
    """Let a daemon run; return whether it lived to the end."""
    lives_on = True
    try:
        async with asyncio.timeout(LONGEST), here.client() as control_plane:
            service = await here.daemon(control_plane)
            person.wake = service.wake.set
            await service.run()
    except* Crash:
        lives_on = False
    except* TimeoutError:
        pass  # that it came to no end is for the judge to say
    return lives_on


@dataclass(slots=True, kw_only=True)
class _Person:
    """Whoever looks after a sweep; `wake` tells the daemon at work of a wish."""

    store: Store
    server: Server
    now: Now
    sweep: SmallSweep
    wake: Callable[[], None] = field(default=lambda: None)

    async def wish(self) -> None:
        """Wish what the sweep says, each wish at its time."""
        began = self.now()
        for asked in self.sweep.wishes:
            await pause(asked.at - (self.now() - began).total_seconds())
            await self._wish(Wish(kind=asked.kind, at=self.now(), trial=asked.trial))

    async def adopt(self) -> None:
        """Look now and then for trials that are held: give each its training, or a new chance."""
        while self.sweep.adopts:
            await pause(ADOPTING)
            wished = {wish.trial for wish in await self.store.wishes()}
            names = {one.name: one.workload_id for one in (await self.server.history()).trainings}
            for view in await self.store.trials(states=[TrialState.HELD]):
                trial = view.trial
                found = names.get(trial.submission.workload_name)
                if trial.number in wished:
                    continue
                kind = WishKind.RETRY if found is None else WishKind.ADOPT
                wish = Wish(kind=kind, at=self.now(), trial=trial.number, workload_id=found)
                await self._wish(wish)

    async def _wish(self, wish: Wish) -> None:
        while await self.store.load_sweep() is None:
            await pause(DOWN)  # nothing was started yet that could be wished anything
        await self.store.add_wish(wish)
        self.wake()


def play(sweep: SmallSweep, *deaths: Point) -> Played:
    """Run a sweep to its end under virtual time, with a death in each life but the last."""
    loop = looptime.new_event_loop()
    try:
        return loop.run_until_complete(_play(sweep, deaths))
    finally:
        loop.close()


def singles(sweep: SmallSweep) -> Iterator[tuple[Point, Played]]:
    """Let the daemon die at every point of the sweep, once in each run."""
    yield from _each(sweep, (), sys.maxsize)


def pairs(sweep: SmallSweep, first: Point) -> Iterator[tuple[Point, Played]]:
    """Let the second daemon die as well, at every point within the window after its start."""
    yield from _each(sweep, (first,), WINDOW)


def _each(
    sweep: SmallSweep, before: tuple[Point, ...], most: int
) -> Iterator[tuple[Point, Played]]:
    at = 1
    while at <= most:
        point = Point(at)
        played = play(sweep, *before, point)
        life = played.lives[len(before)]
        if not life.is_over:
            return
        yield point, played
        if at in life.late:
            point = Point(at, Fate.LATE)
            yield point, play(sweep, *before, point)
        at += 1
