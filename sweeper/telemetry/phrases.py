"""How values are put into words, for log lines, the live display and the closing summary."""

from sweeper.domain.record import SweepRecord, Totals, TrialView
from sweeper.domain.trial import TrialState
from sweeper.domain.wording import printable

_LONGEST_NAME = 60
_LARGEST_COUNT = 10**15


def phrase_count(count: int) -> str:
    """Return a count in figures; the size of a grid may be beyond all that fits a line."""
    return str(count) if count < _LARGEST_COUNT else "over 10^15"


def phrase_name(name: str) -> str:
    """Return a name that a person gave, on one line and of a length that fits one."""
    return printable(name, _LONGEST_NAME)


def phrase_best(sweep: SweepRecord, best: TrialView | None) -> str:
    """Return `best loss 0.12 (trial 3)`, or "" while no trial has an objective."""
    if best is None or best.objective is None:
        return ""
    name = phrase_name(sweep.objective or "objective")
    return f"best {name} {best.objective.best:.6g} (trial {best.trial.number})"


def phrase_totals(totals: Totals, planned: int | None, states: tuple[TrialState, ...]) -> str:
    """Return `3 completed, 1 failed` for those of `states` that any trial is in.

    Waiting trials are those of `planned` without a row; unknown, and left out, when unbounded.
    """
    counts = {state: totals.count(state) for state in states}
    if planned is not None and TrialState.WAITING in counts:
        counts[TrialState.WAITING] = max(planned - totals.next_number, 0)
    return ", ".join(f"{phrase_count(count)} {state}" for state, count in counts.items() if count)
