"""Traces of one daemon: whether they are wanted, what they take over, how they end."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from sweeper.domain.record import Event, SweepRecord
from sweeper.domain.trial import Trial
from sweeper.errors import MissingExtraError
from sweeper.ports import Store, Telemetry
from sweeper.telemetry.exporting import in_thread
from sweeper.telemetry.tracing import Traces

_log = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The variable that asks for traces, and says where they go."""

LAST_GRACE = 2.0
"""Seconds for what was not sent yet, when the daemon ends."""

_PAGE = 500


@asynccontextmanager
async def traced(store: Store, sweep: SweepRecord) -> AsyncIterator[Sequence[Telemetry]]:
    """Yield what makes traces of a sweep, if they are asked for and their extra is there."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_off or not os.environ.get(ENDPOINT, "").strip():
        yield ()
        return
    try:
        from sweeper.telemetry.otlp import OtlpSpans
    except ImportError:
        _log.warning("No traces are sent: %s", MissingExtraError(ENDPOINT, "otel"))
        yield ()
        return
    try:
        spans = OtlpSpans(version("sweeper"))
    except ValueError as error:
        _log.warning("No traces are sent: a variable of OpenTelemetry cannot be used: %s", error)
        yield ()
        return
    traces = Traces(spans.send)
    live = await store.live_trials()
    traces.begin(sweep, live, await _events_of(store, live))
    try:
        yield (traces,)
    finally:
        # A collector that does not answer is left to a thread that ends with the process.
        await asyncio.wait(
            [asyncio.wrap_future(in_thread(spans.close, "traces"))], timeout=LAST_GRACE
        )


async def _events_of(store: Store, trials: Sequence[Trial]) -> Sequence[Event]:
    found: list[Event] = []
    for trial in trials:
        after = 0
        while page := await store.events(trial=trial.number, after=after, limit=_PAGE):
            found.extend(page)
            after = page[-1].number
    return found
