"""What a daemon says, and exits with, when it ends."""

import logging
import signal

from sweeper.bootstrap.results import ResultsFormat, print_results
from sweeper.bootstrap.signals import exit_code
from sweeper.clock import utc_now
from sweeper.daemon.service import End
from sweeper.domain.record import SweepRecord, SweepState, Totals
from sweeper.domain.trial import TrialState
from sweeper.ports import Store
from sweeper.telemetry.closing import closing_summary, stop_hint
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app

_log = logging.getLogger(__name__)

ALL_WELL = 0
NOT_ALL_WELL = 1
OUT_OF_TIME = 3


async def conclude(
    store: Store,
    sweep: SweepRecord,
    end: End,
    *,
    file: str,
    as_json: bool,
    received: signal.Signals | None,
) -> int:
    """Say how the sweep stands and what can be done next; return the exit code.

    Results go to stdout once the sweep is settled.
    """
    totals = await store.totals()
    if end is not End.SETTLED:
        hint = stop_hint(file, sweep.name)
        _log.info("%s", hint if end is End.STOPPED else f"--max-runtime is over; {hint}")
        return OUT_OF_TIME if received is None else exit_code(received)
    best = await store.best_trials(1)
    form = ResultsFormat.JSON if as_json else ResultsFormat.TABLE
    async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
        await print_results(client, form)
    for line in closing_summary(sweep, totals, best[0] if best else None).splitlines():
        _log.info("%s", line)
    return verdict(sweep, totals)


def verdict(sweep: SweepRecord, totals: Totals) -> int:
    """Return the exit code of a sweep that is settled."""
    if sweep.state is not SweepState.FINISHED:
        return NOT_ALL_WELL
    bad = totals.count(TrialState.FAILED, TrialState.HELD, TrialState.CANCELLED)
    return NOT_ALL_WELL if bad else ALL_WELL
