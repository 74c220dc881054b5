"""Suggestions beside the ticks: asked for when a plan lacks one, ready at a later tick.

The store is the one truth: what a study is told is read from there, all of it at first and after
a failure, then what the record of acts says has changed. So a tick costs what it always did, and
never waits for a sampler.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sweeper.clock import pause
from sweeper.domain.expansion import Expansion
from sweeper.domain.record import Event, EventKind, SweepRecord, TrialView
from sweeper.domain.result import Result, result_of
from sweeper.domain.values import Params
from sweeper.errors import StoreAwayError, SuggestionError, UnmetRulesError
from sweeper.ports import Store, TickSummary

_log = logging.getLogger(__name__)

PAGE = 500
TRIES = 2
"""So often is a suggestion asked for; then the trial is drawn at random."""
_STORE_PAUSE = 2.0


class Asked(Protocol):
    """A study that is asked, and told what it does not know yet."""

    @property
    def knows_nothing(self) -> bool:
        """Whether the next question must tell everything."""
        ...

    async def ask(self, number: int, results: Sequence[Result]) -> Params:
        """Return what is suggested for a point; raises SuggestionError when nothing is."""
        ...


@dataclass(slots=True, kw_only=True)
class Suggestions:
    """A searcher whose params depend on results (`ports.Searcher`, `ports.Telemetry`).

    `expansion` gives what does not: the file's own points, how many trials there are, and a
    random draw where the study fails. `on_ready` hears that a suggestion is there, `heard` how
    long it took (seconds) and whether it came from the study.
    """

    store: Store
    study: Asked
    expansion: Expansion
    on_ready: Callable[[], None] = field(default=lambda: None)
    heard: Callable[[float, bool], None] = field(default=lambda *_: None)
    _ready: dict[int, Params | UnmetRulesError] = field(default_factory=dict)
    _wanted: set[int] = field(default_factory=set)
    _changed: set[int] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def planned(self) -> int | None:
        """How many trials there are, None when unbounded."""
        return self.expansion.planned

    def params(self, number: int) -> Params | None:
        """Return the params of a trial without a row, None until they are suggested.

        Raises:
            UnmetRulesError: none were found that meet the constraints.
        """
        given = self.expansion.given_params(number)
        if given is not None:
            return given
        found = self._ready.get(number)
        if found is None:
            self._wanted.add(number)
            self._wake.set()
            return None
        return _known(found)

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Remember which trials the study does not know as they are now."""
        del sweep
        for event in events:
            if event.kind is EventKind.TRANSITION and event.trial is not None:
                self._ready.pop(event.trial, None)
                self._changed.add(event.trial)

    def ticked(self, summary: TickSummary) -> None:
        """Do nothing: what is wanted is heard of when a plan asks for it."""

    async def serve(self) -> None:
        """Have suggested what is wanted, the lowest number first, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                number = min(self._wanted)
                try:
                    self._ready[number] = await self._suggested(number)
                except UnmetRulesError as error:
                    self._ready[number] = error
                except StoreAwayError as error:
                    _log.warning("No trial is suggested while the store is away: %s", error)
                    await pause(_STORE_PAUSE)
                    continue
                self._wanted.discard(number)
                self.on_ready()

    async def _suggested(self, number: int) -> Params:
        point, repeat = divmod(number, self.expansion.repeats)
        if repeat:
            return await self._of_point(point)
        began = time.perf_counter()
        params = await self._asked(point)
        is_suggested = params is not None
        self.heard(time.perf_counter() - began, is_suggested)
        return self.expansion.params(number) if params is None else params

    async def _of_point(self, point: int) -> Params:
        """Return the params of a point whose first trial has them already."""
        first = point * self.expansion.repeats
        view = await self.store.trial(first)
        if view is not None:
            return view.trial.params
        ready = self._ready.get(first)
        return await self._suggested(first) if ready is None else _known(ready)

    async def _asked(self, point: int) -> Params | None:
        error: SuggestionError | None = None
        for _ in range(TRIES):
            try:
                return await self.study.ask(point, await self._news())
            except SuggestionError as failure:
                error = failure
        _log.error("Trial %s is drawn at random: %s", point * self.expansion.repeats, error)
        return None

    async def _news(self) -> Sequence[Result]:
        """Return how those points stand that the study does not know."""
        if self.study.knows_nothing:
            self._changed.clear()
            return await self._everything()
        changed, self._changed = self._changed, set()
        points = sorted({number // self.expansion.repeats for number in changed})
        try:
            return [result for point in points if (result := await self._result(point))]
        except BaseException:
            self._changed |= changed
            raise

    async def _everything(self) -> Sequence[Result]:
        found: list[Result] = []
        of_point: list[TrialView] = []
        after = -1
        while page := await self.store.trials(after=after, limit=PAGE):
            after = page[-1].trial.number
            for view in page:
                if of_point and self._point(view) != self._point(of_point[0]):
                    found.append(self._joined(of_point))
                    of_point = []
                of_point.append(view)
        return [*found, self._joined(of_point)] if of_point else found

    async def _result(self, point: int) -> Result | None:
        repeats = self.expansion.repeats
        views = [await self.store.trial(point * repeats + each) for each in range(repeats)]
        known = [view for view in views if view is not None]
        return self._joined(known) if known else None

    def _point(self, view: TrialView) -> int:
        return view.trial.number // self.expansion.repeats

    def _joined(self, views: Sequence[TrialView]) -> Result:
        return result_of(self._point(views[0]), views, self.expansion.repeats)


def _known(found: Params | UnmetRulesError) -> Params:
    if isinstance(found, UnmetRulesError):
        raise found
    return found
