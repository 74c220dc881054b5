"""Read at one moment all that a tick starts from."""

from datetime import datetime

from sqlalchemy import Connection

from sweeper.domain.record import Standing
from sweeper.store.reading import best_trials, count_submissions, live_trials, totals
from sweeper.store.records import open_wishes, sweep_with_id


def standing(connection: Connection, sweep_id: str, since: datetime) -> Standing | None:
    """Return how the sweep stands, None when there is none; intents count from `since` on."""
    sweep = sweep_with_id(connection, sweep_id)
    if sweep is None:
        return None
    best = best_trials(connection, sweep_id, 1)
    return Standing(
        sweep=sweep,
        live=tuple(live_trials(connection, sweep_id)),
        totals=totals(connection, sweep_id),
        submitted=count_submissions(connection, sweep_id, since),
        best=best[0] if best else None,
        wishes=tuple(open_wishes(connection, sweep_id)),
    )
