"""What a daemon says, and exits with, when it ends."""

import logging
import signal

from sweeper.bootstrap.results import ResultsFormat, print_results
from sweeper.bootstrap.run_options import RunOptions
from sweeper.bootstrap.signals import exit_code
from sweeper.clock import utc_now
from sweeper.daemon.service import End
from sweeper.domain.leaving import OnExit
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
    options: RunOptions,
    *,
    received: signal.Signals | None = None,
) -> int:
    """Say how the sweep stands and what can be done next; return the exit code.

    Results go to stdout once the sweep is settled. What is not all well is a warning, which a
    quiet run prints, too.
    """
    if end is not End.SETTLED:
        return _interrupted(sweep, end, options, received)
    totals, best = await store.totals(), await store.best_trials(1)
    code = verdict(sweep, totals)
    if code != ALL_WELL or not options.quiet:
        form = ResultsFormat.JSON if options.as_json else ResultsFormat.TABLE
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            await print_results(client, form)
    _say(closing_summary(sweep, totals, best[0] if best else None), code)
    return code


def _interrupted(
    sweep: SweepRecord, end: End, options: RunOptions, received: signal.Signals | None
) -> int:
    """Say how to go on with a sweep that has work left; return the exit code."""
    is_stopped = received is not None or end is End.STOPPED
    hint = stop_hint(
        str(options.file),
        sweep.name,
        on_exit=OnExit.LEAVE if is_stopped else options.on_exit,
        by_name=options.name is not None or _is_dated(sweep),
    )
    code = OUT_OF_TIME if received is None else exit_code(received)
    if not is_stopped and options.exit_zero_on_runtime:
        code = ALL_WELL
    _say(hint if end is End.STOPPED else f"--max-runtime is over; {hint}", code)
    return code


def _is_dated(sweep: SweepRecord) -> bool:
    """Return whether the file alone gives another name on another day."""
    return "{date}" in str(sweep.definition.get("name", ""))


def _say(text: str, code: int) -> None:
    for line in text.splitlines():
        _log.log(logging.INFO if code == ALL_WELL else logging.WARNING, "%s", line)


def verdict(sweep: SweepRecord, totals: Totals) -> int:
    """Return the exit code of a sweep that is settled."""
    if sweep.state is not SweepState.FINISHED:
        return NOT_ALL_WELL
    bad = totals.count(TrialState.FAILED, TrialState.HELD, TrialState.CANCELLED)
    return NOT_ALL_WELL if bad else ALL_WELL
