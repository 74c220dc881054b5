import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from sweeper.domain.record import SlotGuard, Wish, WishKind
from sweeper.domain.trial import TrialState
from sweeper.ports import Store
from sweeper.store import tables
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import NOW, a_notice, a_report, a_sweep, a_trial, an_event
from tests.store.sqlite import ask


def test_every_table_says_which_sweep_a_row_belongs_to() -> None:
    of_sweeps = [
        table
        for table in tables.metadata.tables.values()
        if table not in {tables.sweeps, tables.lease}
    ]

    assert all("sweep_id" in table.c for table in of_sweeps)


Asked = list[tuple[str, Any]]
Question = Callable[[Store], Awaitable[object]]

_STATES = [TrialState.FAILED, TrialState.COMPLETED]
_GUARD = SlotGuard(active=9, pending=9, gpus=None, submissions=9, since=NOW)
_QUESTIONS = [
    pytest.param(lambda store: store.live_trials(), id="live_trials"),
    pytest.param(lambda store: store.totals(), id="totals"),
    pytest.param(lambda store: store.standing(NOW), id="standing"),
    pytest.param(lambda store: store.rebase_intents(NOW), id="rebase_intents"),
    pytest.param(lambda store: store.trial(1), id="trial"),
    pytest.param(lambda store: store.trials(after=0), id="trials"),
    pytest.param(lambda store: store.trials(states=_STATES, after=0), id="trials in states"),
    pytest.param(lambda store: store.submissions(1), id="submissions"),
    pytest.param(lambda store: store.best_trials(1), id="best_trials"),
    pytest.param(lambda store: store.curve(1), id="curve"),
    pytest.param(lambda store: store.events(after=1), id="events"),
    pytest.param(lambda store: store.events(trial=1, after=1), id="events of a trial"),
    pytest.param(lambda store: store.wishes(), id="wishes"),
    pytest.param(lambda store: store.settle_wish(1), id="settle_wish"),
    pytest.param(lambda store: store.notices(), id="notices"),
    pytest.param(
        lambda store: store.save_notice(replace(a_notice(), number=1), [an_event()]),
        id="save_notice",
    ),
    pytest.param(
        lambda store: store.add_reports([a_report(0.5, trial=1, key="new")]), id="add_reports"
    ),
    pytest.param(
        lambda store: store.commit([a_trial(1, version=1), a_trial(2)], [an_event()], guard=_GUARD),
        id="commit",
    ),
]


@pytest.fixture
def asked() -> Iterator[Asked]:
    """Every statement that goes to a database, with its first parameters."""
    statements: Asked = []

    def note(*given: Any) -> None:
        _, _, statement, values, _, many = given
        if not statement.startswith("BEGIN"):
            statements.append((statement, values[0] if many else values))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("question", _QUESTIONS)
async def test_no_question_walks_through_a_sweep(
    question: Question, tmp_path: Path, asked: Asked
) -> None:
    async with SqlStore(tmp_path / "store.db", run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0), a_trial(1)], [an_event()], notices=[a_notice()])
        await store.add_reports([a_report(0.5)])
        await store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))
        asked.clear()
        await question(store)

        plans = [ask(store, f"EXPLAIN QUERY PLAN {text}", values) for text, values in asked]

    steps = [str(row[3]) for plan in plans for row in plan]
    assert [step for step in steps if _walks(step)] == []


_NAMES = "|".join(tables.metadata.tables)
_WHOLE_TABLE = re.compile(rf"SCAN (TABLE )?({_NAMES})\b")
_WHOLE_SWEEP = re.compile(rf"SEARCH (TABLE )?({_NAMES}) .*\(sweep_id=\?\)$")


def _walks(step: str) -> bool:
    """Whether a step of a plan reads a whole table, or all that a table has of the sweep."""
    # The ranks are walked in their order, and no further than asked; of leases there is one, of
    # tallies ten at most.
    bounded = "objectives_by_rank" in step or "tallies" in step or step == "SCAN lease"
    return bool(_WHOLE_TABLE.match(step) or _WHOLE_SWEEP.match(step)) and not bounded
