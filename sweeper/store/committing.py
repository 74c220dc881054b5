"""Write trials with their newest submissions, and all that is counted over them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from sweeper.domain.record import Event, SlotGuard
from sweeper.domain.trial import Trial, TrialState
from sweeper.store.chunking import CHUNK, chunks
from sweeper.store.guarding import Slot, check_limits
from sweeper.store.reading import count_submissions
from sweeper.store.records import append_events
from sweeper.store.rows import Values, submission_values, trial_values
from sweeper.store.tables import submissions, sweeps, tallies, trials
from sweeper.store.upserting import Upsert
from sweeper.store.versions import check_versions

_KEY = ("sweep_id", "trial", "attempt")
_UPSERT_SUBMISSION = Upsert(
    submissions, _KEY, replaced=[column.name for column in submissions.c if column.name not in _KEY]
)
_UPDATE_TRIAL = (
    update(trials)
    .where(trials.c.sweep_id == bindparam("of_sweep"))
    .where(trials.c.number == bindparam("of_number"))
    .where(trials.c.version == bindparam("of_version"))
)
_ADD_TALLY = Upsert(tallies, ["sweep_id", "state"], added="trials")


def commit_trials(
    connection: Connection,
    sweep_id: str,
    given: Sequence[Trial],
    happened: Sequence[Event],
    guard: SlotGuard | None,
) -> Sequence[Trial]:
    """Write trials, each over the row of its version, and events, within `guard`.

    Returns the trials with the versions that their rows got.

    Raises:
        StoreError: a row has another version.
        LimitExceededError: `guard` would not hold; the caller rolls back.
    """
    stored = _stored(connection, sweep_id, [trial.number for trial in given])
    check_versions(given, {number: version for number, (version, _) in stored.items()})
    written = [replace(trial, version=trial.version + 1) for trial in given]
    if written:
        _write_trials(connection, sweep_id, written)
        _tally(connection, sweep_id, written, [state for _, state in stored.values()])
    append_events(connection, sweep_id, happened)
    if guard is not None:
        _check(connection, sweep_id, guard)
    return written


def rebase_intents(connection: Connection, sweep_id: str, now: datetime) -> None:
    """Let intents that lie after `now` count as of `now`."""
    connection.execute(
        update(submissions)
        .where(submissions.c.sweep_id == sweep_id, submissions.c.intent_at > now)
        .values(intent_at=now)
    )


def _stored(
    connection: Connection, sweep_id: str, numbers: Sequence[int]
) -> Mapping[int, tuple[int, TrialState]]:
    """Return version and state of the rows that exist, by trial number."""
    found: dict[int, tuple[int, TrialState]] = {}
    for chunk in chunks(numbers):
        rows = connection.execute(
            select(trials.c.number, trials.c.version, trials.c.state)
            .where(trials.c.sweep_id == sweep_id)
            .where(trials.c.number.in_(chunk))
        )
        found.update({number: (version, state) for number, version, state in rows})
    return found


def _write_trials(connection: Connection, sweep_id: str, written: Sequence[Trial]) -> None:
    """Write trials, whose version is the new one already, and their newest submissions."""
    new = [trial_values(sweep_id, trial) for trial in written if trial.version == 1]
    changed = [_change(sweep_id, trial) for trial in written if trial.version != 1]
    if changed:
        connection.execute(_UPDATE_TRIAL, changed)
    if new:
        connection.execute(insert(trials), new)
        _advance(connection, sweep_id)
    _UPSERT_SUBMISSION.execute(
        connection, [submission_values(sweep_id, trial) for trial in written]
    )


def _change(sweep_id: str, trial: Trial) -> Values:
    values = trial_values(sweep_id, trial)
    # The key itself is not set: SQLite would look for rows in other tables that refer to it.
    row = {"of_sweep": values.pop("sweep_id"), "of_number": values.pop("number")}
    return values | row | {"of_version": trial.version - 1}


def _advance(connection: Connection, sweep_id: str) -> None:
    """Move the sweep's mark of the first number without a row past the rows just written."""
    mark = sweeps.c.next_number
    number = connection.scalars(select(mark).where(sweeps.c.id == sweep_id)).one()
    while True:
        rows = connection.scalars(
            select(trials.c.number)
            .where(trials.c.sweep_id == sweep_id, trials.c.number >= number)
            .order_by(trials.c.number)
            .limit(CHUNK)
        ).all()
        run = sum(found == number + place for place, found in enumerate(rows))
        number += run
        if run < CHUNK:
            break
    connection.execute(update(sweeps).where(sweeps.c.id == sweep_id).values(next_number=number))


def _tally(
    connection: Connection,
    sweep_id: str,
    written: Sequence[Trial],
    before: Sequence[TrialState],
) -> None:
    """Bring the counts by state up to date: `before` are the states that were written over."""
    difference = Counter(trial.state for trial in written)
    difference.subtract(before)
    changed = [
        {"sweep_id": sweep_id, "state": state, "trials": count}
        for state, count in difference.items()
        if count
    ]
    if changed:
        _ADD_TALLY.execute(connection, changed)


def _check(connection: Connection, sweep_id: str, guard: SlotGuard) -> None:
    rows = connection.execute(
        select(submissions.c.gpus, submissions.c.running_since)
        .join(
            trials,
            (trials.c.sweep_id == submissions.c.sweep_id)
            & (trials.c.number == submissions.c.trial)
            & (trials.c.attempt == submissions.c.attempt),
        )
        .where(submissions.c.sweep_id == sweep_id, submissions.c.ended_at.is_(None))
        .where(trials.c.state != TrialState.PARKED)
    )
    slots = [Slot(gpus=gpus, is_at_work=since is not None) for gpus, since in rows]
    check_limits(guard, slots, count_submissions(connection, sweep_id, guard.since))
