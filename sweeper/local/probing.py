"""Asking processes whether they are ready, as the readiness probe of their spec says."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias

import httpx

from sweeper.clock import pause
from sweeper.local.spec_reading import Readiness

Ask: TypeAlias = Callable[[Readiness], Awaitable[bool]]
"""Probes once: whether the answer was good. It never raises, and it comes to an end."""


async def ask_http(readiness: Readiness) -> bool:
    """Probe by a GET, as Kubernetes does: an answer from 200 to 399 in time is good.

    Nothing of the answer but its status is read, no redirect is followed, no certificate is
    looked at, and no proxy of the environment is asked.
    """
    try:
        async with (
            asyncio.timeout(readiness.timeout),
            httpx.AsyncClient(
                trust_env=False,
                verify=False,  # noqa: S501 - a probe reads nothing and tells nothing # nosec B501
            ) as client,
            client.stream("GET", readiness.url) as answer,
        ):
            return 200 <= answer.status_code < 400
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
        return False


async def ready_at_once(readiness: Readiness) -> bool:
    """Find every process ready: for those that are simulated, which nobody can ask."""
    del readiness
    return True


async def watch(
    readiness: Readiness, ask: Ask, report: Callable[[bool], None], *, is_ready: bool
) -> NoReturn:
    """Probe again and again, and report each change from `is_ready`, which is known by now."""
    await pause(readiness.initial_delay)
    in_a_row = 0
    while True:
        is_good = await ask(readiness)
        in_a_row = 0 if is_good is is_ready else in_a_row + 1
        if in_a_row >= (readiness.failures if is_ready else readiness.successes):
            is_ready, in_a_row = is_good, 0
            report(is_ready)
        await pause(readiness.period)
