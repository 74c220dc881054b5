"""A program whose files may not grow beyond a size, as on a disk that is nearly full.

Run as `python -m tests.store.filling FILE`; it writes until the store refuses, is given room
again, and goes on. Prints the refusal, then whether everything acknowledged is there.
"""

import asyncio
import resource
import sys
from pathlib import Path

from sweeper.errors import StoreError
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.store.builders import a_sweep, a_trial

_BYTES = 200_000


async def _fill(path: Path) -> None:
    async with SqlStore(path, run=inline) as store:
        await store.save_sweep(a_sweep())
        resource.setrlimit(resource.RLIMIT_FSIZE, (_BYTES, resource.RLIM_INFINITY))
        number = 0
        try:
            while True:
                await store.commit([a_trial(number)])
                number += 1
        except StoreError as error:
            print(error, flush=True)  # noqa: T201
        after = (await store.totals()).next_number
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await store.commit([a_trial(number)])
    async with SqlStore(path, run=inline) as store:
        last = (await store.totals()).next_number
    print(after == number > 0, last == number + 1, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_fill(Path(sys.argv[1])))
