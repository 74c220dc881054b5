"""Where the calls of a store are made: in a thread of their own, or at once."""

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self, TypeVar

T = TypeVar("T")


class Run(Protocol):
    """Makes blocking calls one after the other, never two at a time, in the order asked for."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Make `call` and return what it returns, or raise what it raises."""
        ...


async def inline(call: Callable[[], T], /) -> T:
    """Make the call at once, on the loop: for simulations, where time does not pass."""
    return call()


class WriterThread:
    """One thread that makes the calls of a store, so that the loop never waits for a disk.

    A call that has begun is always finished, also when the one who asked for it is cancelled;
    leaving waits for it, and for those asked for before. It cannot be entered again.
    """

    def __init__(self, name: str = "store") -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Make `call` in the thread.

        Raises:
            RuntimeError: the thread was left.
        """
        return await get_running_loop().run_in_executor(self._pool, call)
