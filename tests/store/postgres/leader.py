"""A process that holds a sweep on PostgreSQL and writes to it until it is told to end.

Run as `python -m tests.store.postgres.leader URL SWEEP TERM`. It says `leads` once it holds the
sweep, writes an event at each line of its input and answers `wrote NUMBER`, `taken` or `away`. It
answers `acts` or `waits` at the line `act`, as it would before a call to the control plane.
"""

import asyncio
import sys
from datetime import timedelta

from sqlalchemy.engine import make_url

from sweeper.clock import utc_now
from sweeper.errors import StoreAwayError, SweepTakenError
from sweeper.store.postgres import Leasing, PostgresDatabase
from sweeper.store.sql import DatabaseStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, an_event


async def _lead(url: str, sweep: str, term: float) -> None:
    leasing = Leasing(
        term=timedelta(seconds=term),
        renewal=timedelta(seconds=term / 6),
        margin=timedelta(seconds=term / 3),
    )
    database = PostgresDatabase(make_url(url), sweep, "daemon", utc_now, leasing=leasing)
    async with DatabaseStore(database, run=inline, wait_seconds=60) as store:
        await store.save_sweep(a_sweep())
        print("leads", flush=True)  # noqa: T201
        for line in sys.stdin:
            try:
                if line.strip() == "act":
                    store.check_owned()
                    answer = "acts"
                else:
                    await store.commit([], [an_event(line.strip())])
                    answer = f"wrote {line.strip()}"
            except SweepTakenError:
                answer = "taken"
            except StoreAwayError:
                answer = "waits" if line.strip() == "act" else "away"
            print(answer, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_lead(sys.argv[1], sys.argv[2], float(sys.argv[3])))
