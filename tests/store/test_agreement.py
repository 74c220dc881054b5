"""The memory store and SQLite give the same answers, whatever is asked of them in what order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sweeper.domain.outbox import Notice, NoticeKind
from sweeper.domain.phase import Phase
from sweeper.domain.record import (
    Event,
    EventKind,
    Report,
    SlotGuard,
    SweepState,
    Wish,
    WishKind,
)
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, Submission, Trial, TrialState
from sweeper.errors import StoreError
from sweeper.ports import Store
from sweeper.store.memory import MemoryStore
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, at

_NUMBERS = st.integers(0, 5)
_TIMES = st.integers(0, 20).map(at)
_MAYBE_TIMES = st.none() | _TIMES
_TEXTS = st.text(max_size=8)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2).map(tuple) | st.dictionaries(_TEXTS, inner, max_size=2)
    ),
    max_leaves=4,
)

_SUBMISSIONS = st.builds(
    Submission,
    attempt=st.integers(1, 3),
    workload_name=_TEXTS,
    digest=st.just("d"),
    intent_at=_TIMES,
    gpus=st.fractions(0, 2, max_denominator=7),
    sent_at=_MAYBE_TIMES,
    workload_id=st.none() | _TEXTS,
    phase=st.sampled_from(Phase),
    running_since=_MAYBE_TIMES,
    running_seconds=st.floats(0, 1e6),
    ended_at=_MAYBE_TIMES,
    exit_code=st.none() | st.integers(-(2**31), 2**31),
    reason=_TEXTS,
)
_TRIALS = st.builds(
    Trial,
    number=_NUMBERS,
    params=st.dictionaries(_TEXTS, _JSON, max_size=3),
    state=st.sampled_from(TrialState),
    state_since=_TIMES,
    created_at=_TIMES,
    submission=_SUBMISSIONS,
    reason=_TEXTS,
    ended_at=_MAYBE_TIMES,
    retries=st.dictionaries(st.sampled_from(FailureClass), st.integers(0, 9), max_size=2),
    failure=st.none() | st.sampled_from(FailureClass),
    version=st.sampled_from([-1, -1, -1, -1, 0, 1, 2]),  # -1: whatever the row has
)
_EVENTS = st.builds(
    Event,
    at=_TIMES,
    kind=st.sampled_from(EventKind),
    outcome=_TEXTS,
    trial=st.none() | _NUMBERS,
    detail=_TEXTS,
)
_REPORTS = st.builds(
    Report,
    trial=st.integers(-1, 7),
    key=st.sampled_from("abcd"),
    at=_TIMES,
    values=st.dictionaries(st.sampled_from(["loss", "acc"]), st.floats(), max_size=2),
    step=st.none() | st.integers(),
)
_GUARDS = st.none() | st.builds(
    SlotGuard,
    active=st.integers(1, 5),
    pending=st.none() | st.integers(1, 4),
    gpus=st.none() | st.integers(1, 4).map(Fraction),
    submissions=st.none() | st.integers(1, 6),
    since=_MAYBE_TIMES,
)
_WISHES = st.builds(
    Wish, kind=st.sampled_from(WishKind), at=_TIMES, trial=st.none() | st.integers(-1, 2**62)
)
_NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(NoticeKind),
    at=_TIMES,
    text=_TEXTS,
    due_at=_TIMES,
    number=st.integers(-1, 6),
    attempts=st.integers(0, 3),
    settled_at=_MAYBE_TIMES,
    receiver=_TEXTS,
)


class Agreement(RuleBasedStateMachine):
    """Asks the same of both stores, and looks at everything that they keep after each step."""

    @initialize(goal=st.sampled_from([*Goal, None]))
    def open(self, goal: Goal | None) -> None:
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.sweep = a_sweep(goal=goal, objective=None if goal is None else "loss")
        self._memory = MemoryStore()
        self.stores: tuple[Store, Store] = (self._memory, self._sql())
        self._enter()

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            self.runner.run(self._sql_store.__aexit__(None, None, None))
            self.runner.close()
            self.folder.cleanup()

    @rule(
        trials=st.lists(_TRIALS, max_size=5),
        events=st.lists(_EVENTS, max_size=2),
        guard=_GUARDS,
        notices=st.lists(_NOTICES, max_size=2),
        distinct=st.sampled_from([True, True, True, False]),
    )
    def commit(
        self,
        trials: list[Trial],
        events: list[Event],
        guard: SlotGuard | None,
        notices: list[Notice],
        distinct: bool,
    ) -> None:
        if distinct:
            trials = list({trial.number: trial for trial in trials}.values())
        versions = self._versions()
        given = [
            replace(trial, version=versions.get(trial.number, 0)) if trial.version < 0 else trial
            for trial in trials
        ]
        self._both(lambda store: store.commit(given, events, guard=guard, notices=notices))

    @rule(reports=st.lists(_REPORTS, max_size=6))
    def add_reports(self, reports: list[Report]) -> None:
        self._both(lambda store: store.add_reports(reports))

    @rule(wish=_WISHES)
    def add_wish(self, wish: Wish) -> None:
        self._both(lambda store: store.add_wish(wish))

    @rule(number=st.integers(-1, 4))
    def settle_wish(self, number: int) -> None:
        self._both(lambda store: store.settle_wish(number))

    @rule(notice=_NOTICES, events=st.lists(_EVENTS, max_size=1))
    def save_notice(self, notice: Notice, events: list[Event]) -> None:
        self._both(lambda store: store.save_notice(notice, events))

    @rule(now=_TIMES)
    def rebase_intents(self, now: datetime) -> None:
        self._both(lambda store: store.rebase_intents(now))

    @rule(state=st.sampled_from(SweepState), events=st.lists(_EVENTS, max_size=2))
    def save_sweep(self, state: SweepState, events: list[Event]) -> None:
        sweep = replace(self.sweep, state=state)
        self._both(lambda store: store.save_sweep(sweep, events))

    @rule()
    def begin_anew(self) -> None:
        self.runner.run(self._sql_store.__aexit__(None, None, None))
        self.stores = (self.stores[0], self._sql())
        self._enter()

    @invariant()
    def both_keep_the_same(self) -> None:
        if not hasattr(self, "stores"):
            return
        memory, sql = (self.runner.run(_everything(store)) for store in self.stores)

        assert memory == sql

    def _sql(self) -> SqlStore:
        self._sql_store = SqlStore(Path(self.folder.name) / "store.db", run=inline)
        return self._sql_store

    def _enter(self) -> None:
        """Open both, and write to both, which gives both the next epoch."""
        self.runner.run(self._memory.__aenter__())
        self.runner.run(self._sql_store.__aenter__())
        self._both(lambda store: store.save_sweep(self.sweep))

    def _versions(self) -> Mapping[int, int]:
        views = self.runner.run(_of(self.stores[0].trials()))
        return {view.trial.number: view.trial.version for view in views}

    def _both(self, ask: Callable[[Store], Awaitable[object]]) -> None:
        memory, sql = (self.runner.run(_outcome(ask(store))) for store in self.stores)

        assert memory == sql


async def _of(answer: Awaitable[Any]) -> Any:
    return await answer


async def _outcome(answer: Awaitable[object]) -> object:
    """Return the answer, or the kind and the words of the refusal."""
    try:
        return await answer
    except StoreError as error:
        return type(error), str(error)


async def _everything(store: Store) -> dict[str, Any]:
    states = [TrialState.ACTIVE, TrialState.FAILED, TrialState.HELD]
    return {
        "sweep": await store.load_sweep(),
        "live": list(await store.live_trials()),
        "totals": await store.totals(),
        "trials": list(await store.trials()),
        "page": list(await store.trials(states=states, after=1, limit=2)),
        "one": await store.trial(2),
        "submissions": [list(await store.submissions(number)) for number in range(6)],
        "standings": [await store.standing(at(seconds)) for seconds in (0, 7, 21)],
        "best": list(await store.best_trials(3)),
        "curves": [list(await store.curve(number)) for number in range(8)],
        "events": list(await store.events()),
        "some events": list(await store.events(trial=1, after=2, limit=2)),
        "wishes": list(await store.wishes()),
        "notices": list(await store.notices()),
        "some notices": list(await store.notices(limit=2)),
    }


TestAgreement = pytest.mark.timeout(120)(Agreement.TestCase)
TestAgreement.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
