"""A program that dies at every statement of a commit in turn, and says what was left each time.

Run as `python -m tests.store.crashing FOLDER`; prints a line for each death: trials, events.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, a_trial, an_event


async def _begin(path: Path) -> None:
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0)], [an_event()])


async def _die_after(path: Path, statements: int) -> None:
    async with SqlStore(path, run=inline) as store:
        seen = 0

        @event.listens_for(Engine, "after_cursor_execute")
        def die(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == statements:
                os.kill(os.getpid(), signal.SIGKILL)

        (trial,) = await store.live_trials()
        await store.commit([trial, *map(a_trial, range(1, 5))], [an_event()])


async def _left(path: Path) -> tuple[int, int, int]:
    async with SqlStore(path, run=inline) as store:
        totals = await store.totals()
        return len(await store.trials()), len(await store.events()), totals.next_number


def main(folder: Path) -> None:
    """Die after 1, 2, 3 ... statements, until a commit is through before its time has come."""
    for statements in range(1, 100):
        path = folder / f"{statements}.db"
        asyncio.run(_begin(path))
        child = os.fork()
        if child == 0:
            asyncio.run(_die_after(path, statements))
            os._exit(0)
        _, outcome = os.waitpid(child, 0)
        print(*asyncio.run(_left(path)), flush=True)  # noqa: T201
        if outcome == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
