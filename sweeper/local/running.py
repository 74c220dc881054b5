"""Where the blocking calls of the state file are made: in a thread of their own, or at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Run(Protocol):
    """Makes blocking calls one after the other, in the order asked for."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Make `call` and return what it returns, or raise what it raises."""
        ...


async def inline(call: Callable[[], T], /) -> T:
    """Make the call at once, on the loop: for virtual time, where no time passes meanwhile."""
    return call()


@asynccontextmanager
async def own_thread() -> AsyncIterator[Run]:
    """Open a thread that makes the calls; leaving waits for those that were asked for."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-plane") as pool:

        async def run(call: Callable[[], T], /) -> T:
            return await asyncio.get_running_loop().run_in_executor(pool, call)

        yield run
