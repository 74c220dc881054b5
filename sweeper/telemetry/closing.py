"""What is said at the end: how the sweep stands, and what a person can do next."""

import shlex
from collections.abc import Iterator

from sweeper.domain.leaving import OnExit
from sweeper.domain.record import SweepRecord, SweepState, Totals, TrialView
from sweeper.domain.trial import TrialState
from sweeper.domain.values import Params, canonical_json
from sweeper.domain.wording import phrase_duration, printable
from sweeper.telemetry.phrases import phrase_best, phrase_name, phrase_totals
from sweeper.telemetry.redaction import redact

_STATES = (
    TrialState.COMPLETED,
    TrialState.PRUNED,
    TrialState.FAILED,
    TrialState.CANCELLED,
    TrialState.HELD,
    TrialState.SUBMITTING,
    TrialState.ACTIVE,
    TrialState.INTERRUPTED,
    TrialState.RESUMING,
    TrialState.PARKED,
    TrialState.WAITING,
)
_OVER = frozenset({SweepState.FINISHED, SweepState.STOPPED, SweepState.CANCELLED})

_LEFT = {
    OnExit.LEAVE: "trainings go on",
    OnExit.SUSPEND: "active trainings were suspended",
    OnExit.CANCEL: "active trials were cancelled",
}

_LONGEST_VALUE = 40
_MOST_PARAMS = 12


def closing_summary(sweep: SweepRecord, totals: Totals, best: TrialView | None) -> str:
    """Return a few plain lines: how the sweep ended, its counts, its best trial, what to type."""
    return "\n".join(_lines(sweep, totals, best))


def stop_hint(
    file: str, name: str, *, on_exit: OnExit = OnExit.LEAVE, by_name: bool = False
) -> str:
    """Return what a person should know when the daemon stops with work left.

    With `by_name`, the file alone does not lead to this sweep.
    """
    again = f" --name {argument(name)}" if by_name else ""
    return (
        f"stopped; {_LEFT[on_exit]}: `sweeper run {argument(file)}{again}` goes on, "
        f"`sweeper cancel {argument(name)}` gives up"
    )


def argument(text: str) -> str:
    """Return a name as a word of a command line that a person can copy."""
    return shlex.quote(printable(text, 1_000))


def _lines(sweep: SweepRecord, totals: Totals, best: TrialView | None) -> Iterator[str]:
    counts = phrase_totals(totals, sweep.planned, _STATES) or "no trials"
    yield f"{phrase_name(sweep.name)}: {_ending(sweep)}: {counts}"
    known = phrase_best(sweep, best)
    if known and best is not None:
        yield f"{known}: {_params(best.trial.params)}"
    name = argument(sweep.name)
    yield f"results: `sweeper results {name}`"
    if totals.count(TrialState.FAILED, TrialState.HELD):
        # Run:ai's API has no logs; here they say more than an exit code.
        printed = f"`sweeper logs {name} N`, " if sweep.control_plane == "local" else ""
        why = f"{printed}`sweeper show {name} N`"
        yield f"why one failed: {why}; again: `sweeper retry {name} --failed`"


def _ending(sweep: SweepRecord) -> str:
    if sweep.state not in _OVER:
        return f"{sweep.state}, not finished"
    words = str(sweep.state)
    if sweep.ended_at is not None:
        words += f" after {phrase_duration(sweep.ended_at - sweep.created_at)}"
    return f"{words} ({printable(redact(sweep.stop_reason), 300)})" if sweep.stop_reason else words


def _params(params: Params) -> str:
    shown = [
        f"{phrase_name(name)}={printable(canonical_json(value), _LONGEST_VALUE)}"
        for name, value in list(params.items())[:_MOST_PARAMS]
    ]
    return ", ".join(shown) + (", …" if len(params) > _MOST_PARAMS else "")
