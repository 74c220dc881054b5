"""The store that forgets everything when its process ends: for tests and simulations."""

# ruff: noqa: D102 - the docstrings of ports.Store are the contract of these methods

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self, cast

from sweeper.domain.outbox import Notice
from sweeper.domain.record import (
    Comparison,
    Event,
    ObjectiveValue,
    Report,
    RungPlace,
    SlotGuard,
    Standing,
    SweepRecord,
    Totals,
    TrialView,
    Wish,
)
from sweeper.domain.trial import Submission, Trial, TrialState
from sweeper.domain.values import JsonValue, Params
from sweeper.errors import StoreError
from sweeper.store.guarding import Slot, check_limits
from sweeper.store.judging import folded, rank, rung_keys, storable
from sweeper.store.texts import from_json, legible, to_json
from sweeper.store.versions import check_versions


class MemoryStore:
    """Keeps one sweep in memory.

    Leaving it keeps everything, so that a test may enter the same object again as a new process
    would open a file again. It does not guard against a second owner.
    """

    def __init__(self) -> None:
        self._sweep: SweepRecord | None = None
        self._trials: dict[int, Trial] = {}
        self._live: set[int] = set()
        self._tallies: Counter[TrialState] = Counter()
        self._next_number = 0
        self._submissions: dict[int, dict[int, Submission]] = {}
        self._events: list[Event] = []
        self._curves: dict[int, dict[str, Report]] = {}
        self._objectives: dict[int, ObjectiveValue] = {}
        self._rungs: dict[int, dict[int, float]] = {}
        self._wishes: list[Wish] = []
        self._settled: set[int] = set()
        self._notices: dict[int, Notice] = {}
        self._epoch = 0

    async def __aenter__(self) -> Self:
        self._epoch += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    async def load_sweep(self) -> SweepRecord | None:
        return self._sweep

    async def save_sweep(
        self,
        sweep: SweepRecord,
        events: Sequence[Event] = (),
        *,
        notices: Sequence[Notice] = (),
    ) -> None:
        if self._sweep is not None and self._sweep.id != sweep.id:
            raise StoreError(f"this store keeps the sweep {self._sweep.id}, not {sweep.id}")
        self._sweep = replace(sweep, definition=_kept(sweep.definition))
        self._append(events)
        self._post(notices)

    async def live_trials(self) -> Sequence[Trial]:
        return [self._trials[number] for number in sorted(self._live)]

    async def totals(self) -> Totals:
        return Totals(states=+self._tallies, next_number=self._next_number)

    async def standing(self, since: datetime) -> Standing | None:
        if self._sweep is None:
            return None
        best = await self.best_trials(1)
        return Standing(
            sweep=self._sweep,
            live=tuple(await self.live_trials()),
            totals=await self.totals(),
            submitted=_count_since(self._submissions, since),
            best=best[0] if best else None,
            wishes=tuple(await self.wishes()),
        )

    async def rebase_intents(self, now: datetime) -> None:
        for number, attempts in self._submissions.items():
            for attempt, submission in attempts.items():
                attempts[attempt] = _not_after(submission, now)
            trial = self._trials[number]
            newest = attempts[trial.submission.attempt]
            self._trials[number] = replace(trial, submission=newest)

    async def commit(
        self,
        trials: Sequence[Trial],
        events: Sequence[Event] = (),
        *,
        guard: SlotGuard | None = None,
        notices: Sequence[Notice] = (),
    ) -> Sequence[Trial]:
        self._sweep_kept()
        before = {number: self._trials[number] for number in self._numbers_with_row(trials)}
        check_versions(trials, {number: trial.version for number, trial in before.items()})
        written = [replace(trial, version=trial.version + 1) for trial in trials]
        kept = {trial.number: replace(trial, params=_kept(trial.params)) for trial in written}
        attempts = {
            number: self._submissions.get(number, {}) | {trial.submission.attempt: trial.submission}
            for number, trial in kept.items()
        }
        if guard is not None:
            _check(guard, self._trials | kept, self._submissions | attempts)
        self._tallies.subtract(trial.state for trial in before.values())
        self._write(kept)
        self._submissions |= attempts
        self._append(events)
        self._post(notices)
        return written

    async def trial(self, number: int) -> TrialView | None:
        found = self._trials.get(number)
        return None if found is None else self._view(found)

    async def trials(
        self, *, states: Sequence[TrialState] | None = None, after: int = -1, limit: int = 500
    ) -> Sequence[TrialView]:
        found = [
            self._view(trial)
            for number, trial in sorted(self._trials.items())
            if number > after and (states is None or trial.state in states)
        ]
        return found[: max(limit, 0)]

    async def submissions(self, number: int) -> Sequence[Submission]:
        attempts = self._submissions.get(number, {})
        return [attempts[attempt] for attempt in sorted(attempts)]

    async def best_trials(self, count: int) -> Sequence[TrialView]:
        goal = self._sweep.goal if self._sweep else None
        numbers = sorted(
            self._objectives, key=lambda number: (rank(self._objectives[number].best, goal), number)
        )
        return [self._view(self._trials[number]) for number in numbers[: max(count, 0)]]

    async def comparison(
        self, place: Callable[[int], int | None], bracket: int | None = None
    ) -> Comparison:
        progress = {
            number: self._objectives[number]
            for number in sorted(self._live)
            if number in self._objectives
        }
        keys = rung_keys(progress, bracket)
        return Comparison(
            progress=progress, places={key: self._placed(key, place, bracket) for key in keys}
        )

    async def add_reports(self, reports: Sequence[Report]) -> int:
        added = 0
        for report in map(storable, reports):
            if report.trial not in self._trials:
                continue
            curve = self._curves.setdefault(report.trial, {})
            if report.key in curve:
                continue
            curve[report.key] = report
            self._judge(report)
            added += 1
        return added

    async def curve(self, number: int) -> Sequence[Report]:
        return list(self._curves.get(number, {}).values())

    async def events(
        self, *, trial: int | None = None, after: int = 0, limit: int = 500
    ) -> Sequence[Event]:
        found = [
            event
            for event in self._events
            if event.number > after and (trial is None or event.trial == trial)
        ]
        return found[: max(limit, 0)]

    async def add_wish(self, wish: Wish) -> Wish:
        self._sweep_kept()
        kept = replace(wish, number=len(self._wishes) + 1)
        self._wishes.append(kept)
        return kept

    async def wishes(self) -> Sequence[Wish]:
        return [wish for wish in self._wishes if wish.number not in self._settled]

    async def settle_wish(self, number: int) -> None:
        if number <= len(self._wishes):
            self._settled.add(number)

    async def notices(self, limit: int = 100) -> Sequence[Notice]:
        found = [notice for notice in self._notices.values() if notice.settled_at is None]
        found.sort(key=lambda notice: (notice.due_at, notice.number))
        return found[: max(limit, 0)]

    async def save_notice(self, notice: Notice, events: Sequence[Event] = ()) -> None:
        self._sweep_kept()
        kept = self._notices.get(notice.number)
        if kept is not None and kept.settled_at is None:
            self._notices[notice.number] = replace(notice, text=legible(notice.text))
            self._append(events)

    def check_owned(self) -> None:
        return None

    def _sweep_kept(self) -> SweepRecord:
        if self._sweep is None:
            raise StoreError("the store holds no sweep yet")
        return self._sweep

    def _numbers_with_row(self, trials: Sequence[Trial]) -> list[int]:
        return [trial.number for trial in trials if trial.number in self._trials]

    def _write(self, kept: Mapping[int, Trial]) -> None:
        self._trials |= kept
        self._tallies.update(trial.state for trial in kept.values())
        for number, trial in kept.items():
            (self._live.discard if trial.state.is_terminal else self._live.add)(number)
        while self._next_number in self._trials:
            self._next_number += 1

    def _view(self, trial: Trial) -> TrialView:
        return TrialView(trial=trial, objective=self._objectives.get(trial.number))

    def _append(self, events: Sequence[Event]) -> None:
        for event in events:
            self._events.append(replace(event, number=len(self._events) + 1, epoch=self._epoch))

    def _post(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            number = len(self._notices) + 1
            self._notices[number] = replace(notice, number=number, text=legible(notice.text))

    def _judge(self, report: Report) -> None:
        sweep = self._sweep_kept()
        before = self._objectives.get(report.trial)
        after = folded(before, report, sweep.objective, sweep.goal, sweep.rungs)
        if after is None:
            return
        self._objectives[report.trial] = after
        if after.rung_value is not None:
            self._rungs.setdefault(after.rung, {}).setdefault(report.trial, after.rung_value)

    def _placed(
        self, key: tuple[int, int], place: Callable[[int], int | None], bracket: int | None
    ) -> RungPlace:
        goal = self._sweep_kept().goal
        there = sorted(
            (rank(value, goal), number, value)
            for number, value in self._rungs[key[0]].items()
            if bracket is None or number // bracket == key[1]
        )
        wanted = place(len(there))
        if wanted is None or wanted >= len(there):
            return RungPlace(reached=len(there))
        _, number, value = there[wanted]
        return RungPlace(reached=len(there), trial=number, value=value)


def _kept(value: Params) -> Params:
    """Return `value` as it comes back from a store that writes texts, or refuse it as that does."""
    return cast(Params, from_json(to_json(cast(JsonValue, value))))


def _not_after(submission: Submission, now: datetime) -> Submission:
    if submission.intent_at <= now:
        return submission
    return replace(submission, intent_at=now)


def _count_since(
    submissions: Mapping[int, Mapping[int, Submission]], since: datetime | None
) -> int:
    return sum(
        since is None or submission.intent_at >= since
        for attempts in submissions.values()
        for submission in attempts.values()
    )


def _check(
    guard: SlotGuard,
    trials: Mapping[int, Trial],
    submissions: Mapping[int, Mapping[int, Submission]],
) -> None:
    slots = [
        Slot(gpus=trial.submission.gpus, is_at_work=trial.submission.is_at_work)
        for trial in trials.values()
        if trial.holds_slot
    ]
    check_limits(guard, slots, _count_since(submissions, guard.since))
