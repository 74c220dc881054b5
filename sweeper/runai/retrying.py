"""The only repetition of calls: a few times, within the deadline of the call, with full jitter."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from sweeper.clock import pause
from sweeper.errors import AmbiguousError, NotSentError, TransientError
from sweeper.runai.operations import Observer, Operation

_T = TypeVar("_T")

MAX_ATTEMPTS = 4
FIRST_WAIT_SECONDS = 0.5
"""Upper bound of the first wait; each further one may be twice as long."""

LEAST_SECONDS = 1.0
"""A repeat with less time for its answer is not made: a slow host has no use for it."""


class TokenUnavailableError(NotSentError):
    """No token could be had, although that was tried several times already."""


async def repeat(
    attempt: Callable[[], Awaitable[_T]],
    *,
    operation: Operation,
    deadline: float,
    rng: random.Random,
    observer: Observer,
    may_repeat: Callable[[], bool],
) -> _T:
    """Return what `attempt` returns, repeated while its failures may pass and time is left.

    Only for calls that do no harm when they happen twice: an ambiguous one is repeated, too.
    `deadline` is in the event loop's time. `may_repeat` is asked before each repeat that nothing
    else speaks against, and has the last word. The last failure is raised as it is, at once when
    the server asks for a longer wait than is left.
    """
    loop = asyncio.get_running_loop()

    def wait(state: RetryCallState) -> float:
        jitter = rng.uniform(0, FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1))
        return (getattr(_error(state), "retry_after", None) or 0.0) + jitter

    # tenacity's own stops read time.monotonic, which knows nothing of virtual time.
    def is_too_late(state: RetryCallState) -> bool:
        return loop.time() + state.upcoming_sleep + LEAST_SECONDS > deadline

    def is_last(state: RetryCallState) -> bool:
        is_enough = stop_after_attempt(MAX_ATTEMPTS)(state) or is_too_late(state)
        return is_enough or not may_repeat()

    def announce(state: RetryCallState) -> None:
        observer.on_retry(operation, _reason(_error(state)))

    async def sleep(seconds: float) -> None:
        await pause(seconds)

    retrying = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=wait,
        stop=is_last,
        before_sleep=announce,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(attempt)


def _error(state: RetryCallState) -> BaseException | None:
    """Return what the last attempt raised."""
    return None if state.outcome is None else state.outcome.exception()


def _may_pass(error: BaseException) -> bool:
    """Whether the same call may well succeed in a moment."""
    if isinstance(error, TokenUnavailableError):
        return False
    return isinstance(error, (TransientError, AmbiguousError))


def _reason(error: BaseException | None) -> str:
    """Return the word for why a call is repeated."""
    if isinstance(error, NotSentError):
        return "not_sent"
    return "ambiguous" if isinstance(error, AmbiguousError) else "transient"
