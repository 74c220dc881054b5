"""Task groups whose failures come out as they are: nobody above has to take a group apart."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


@asynccontextmanager
async def side_tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """Open a task group for what goes on beside the block; the block ends its tasks itself.

    What the block raises is raised once all tasks have ended, and not as part of a group. A task
    that fails cancels the block and the other tasks, and comes out in a group as ever.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        try:
            yield group
        except Exception as error:  # noqa: BLE001 - raised below, where no group wraps it
            failure = error
    if failure is not None:
        raise failure


@contextmanager
def single_failure() -> Iterator[None]:
    """Let the one failure out of a task group's group of failures, as if there were no group."""
    try:
        yield
    except BaseExceptionGroup as failures:
        if len(failures.exceptions) > 1:
            raise
        raise failures.exceptions[0] from None
