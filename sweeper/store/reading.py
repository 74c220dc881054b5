"""Read trials and submissions, each question by an index that answers it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, func, select, union_all

from sweeper.domain.record import Totals, TrialView
from sweeper.domain.trial import Submission, Trial, TrialState
from sweeper.store.rows import (
    SUBMISSION_COLUMNS,
    TRIAL_COLUMNS,
    VIEW_COLUMNS,
    submission_of,
    trial_of,
    view_of,
)
from sweeper.store.tables import (
    events,
    objectives,
    reports,
    submissions,
    sweeps,
    tallies,
    trials,
)

MOST = 2**63 - 1
"""The largest number that a row can hold."""

_WITH_NEWEST = trials.join(
    submissions,
    and_(
        submissions.c.sweep_id == trials.c.sweep_id,
        submissions.c.trial == trials.c.number,
        submissions.c.attempt == trials.c.attempt,
    ),
)
_WITH_OBJECTIVE = _WITH_NEWEST.outerjoin(
    objectives,
    and_(objectives.c.sweep_id == trials.c.sweep_id, objectives.c.trial == trials.c.number),
)

# Made once: a query over sixty columns takes longer to write down than to answer.
_TRIALS = select(*TRIAL_COLUMNS).select_from(_WITH_NEWEST)
_VIEWS = select(*VIEW_COLUMNS).select_from(_WITH_OBJECTIVE)

# These each tick asks, of the sweep that is bound as `sweep`.
_SWEEP: BindParameter[str] = bindparam("sweep")
_LIVE = _TRIALS.where(trials.c.sweep_id == _SWEEP, trials.c.is_live.is_(True)).order_by(
    trials.c.number
)
_TALLIES = select(tallies.c.state, tallies.c.trials).where(
    tallies.c.sweep_id == _SWEEP, tallies.c.trials > 0
)
_MARK = select(sweeps.c.next_number).where(sweeps.c.id == _SWEEP)
_INTENTS = select(func.count()).select_from(submissions).where(submissions.c.sweep_id == _SWEEP)
_LATE_INTENTS = _INTENTS.where(submissions.c.intent_at >= bindparam("since"))
_NEWEST_EVENT = select(func.max(events.c.number))
_NEWEST_REPORT = select(func.max(reports.c.number))
_BEST = (
    select(objectives.c.trial)
    .where(objectives.c.sweep_id == _SWEEP)
    .order_by(objectives.c.rank, objectives.c.trial)
    .limit(bindparam("most"))
)
_BEST_VIEWS = _VIEWS.where(
    trials.c.sweep_id == _SWEEP, trials.c.number.in_(_BEST.scalar_subquery())
).order_by(objectives.c.rank, objectives.c.trial)


def live_trials(connection: Connection, sweep_id: str) -> Sequence[Trial]:
    """Return the trials in a state that is not terminal, by number."""
    return [trial_of(row) for row in connection.execute(_LIVE, {"sweep": sweep_id})]


def totals(connection: Connection, sweep_id: str) -> Totals:
    """Return the counts that the writes keep up to date."""
    rows = connection.execute(_TALLIES, {"sweep": sweep_id})
    mark = connection.scalar(_MARK, {"sweep": sweep_id})
    return Totals(states=dict(rows.all()), next_number=mark or 0)


def count_submissions(connection: Connection, sweep_id: str, since: datetime | None) -> int:
    """Return how many intents were written at or after `since` (None: ever)."""
    if since is None:
        return connection.scalars(_INTENTS, {"sweep": sweep_id}).one()
    return connection.scalars(_LATE_INTENTS, {"sweep": sweep_id, "since": since}).one()


def count_rows(connection: Connection, sweep_id: str) -> Mapping[str, int]:
    """Return how many rows are kept, by table.

    What only ever grows is told by its newest number, however much there is of it.
    """
    return {
        "trials": sum(totals(connection, sweep_id).states.values()),
        "submissions": count_submissions(connection, sweep_id, None),
        "events": connection.scalar(_NEWEST_EVENT) or 0,
        "reports": connection.scalar(_NEWEST_REPORT) or 0,
    }


def trial(connection: Connection, sweep_id: str, number: int) -> TrialView | None:
    """Return one trial, None when it has no row."""
    row = connection.execute(
        _VIEWS.where(trials.c.sweep_id == sweep_id, trials.c.number == bounded(number))
    ).one_or_none()
    return None if row is None else view_of(row)


def trials_after(
    connection: Connection,
    sweep_id: str,
    states: Sequence[TrialState] | None,
    after: int,
    limit: int,
) -> Sequence[TrialView]:
    """Return a page of trials with a number above `after`, at most `limit`, by number."""
    after, limit = bounded(after), max(bounded(limit), 0)
    if states is None:
        page = _numbers(sweep_id, after, limit)
    elif states:
        page = _in_states(sweep_id, states, after, limit)
    else:
        return ()
    rows = connection.execute(
        _VIEWS.where(trials.c.sweep_id == sweep_id, trials.c.number.in_(page)).order_by(
            trials.c.number
        )
    )
    return [view_of(row) for row in rows]


def submissions_of(connection: Connection, sweep_id: str, number: int) -> Sequence[Submission]:
    """Return all attempts at a trial, oldest first."""
    rows = connection.execute(
        select(*SUBMISSION_COLUMNS)
        .where(submissions.c.sweep_id == sweep_id, submissions.c.trial == bounded(number))
        .order_by(submissions.c.attempt)
    )
    return [submission_of(row) for row in rows]


def best_trials(connection: Connection, sweep_id: str, count: int) -> Sequence[TrialView]:
    """Return the trials with the best objective, best first."""
    most = max(bounded(count), 0)
    rows = connection.execute(_BEST_VIEWS, {"sweep": sweep_id, "most": most})
    return [view_of(row) for row in rows]


def bounded(number: int) -> int:
    """Return the number nearest to `number` that a database can compare with."""
    return max(-MOST, min(number, MOST))


def _numbers(sweep_id: str, after: int, limit: int) -> Select[int]:
    return (
        select(trials.c.number)
        .where(trials.c.sweep_id == sweep_id, trials.c.number > after)
        .order_by(trials.c.number)
        .limit(limit)
    )


def _in_states(sweep_id: str, states: Sequence[TrialState], after: int, limit: int) -> Select[int]:
    """Ask for the first numbers in any of `states`: one ordered walk along the index for each.

    A single query over several states would walk all rows of the sweep, which SQLite takes for
    few since it knows no statistics.
    """
    walks = [
        select(_numbers(sweep_id, after, limit).where(trials.c.state == state).subquery())
        for state in dict.fromkeys(states)
    ]
    every = union_all(*walks).subquery()
    return select(every.c.number).order_by(every.c.number).limit(limit)
