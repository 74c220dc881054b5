"""What is said at the end: how the sweep stands, and what a person can do next."""

from sweeper.domain.record import SweepRecord, Totals, TrialView


def closing_summary(sweep: SweepRecord, totals: Totals, best: TrialView | None) -> str:
    """Return a few plain lines: how the sweep ended, its counts, its best trial, what to type."""
    raise NotImplementedError


def stop_hint(file: str, name: str) -> str:
    """Return what a person should know when the daemon stops with work left."""
    raise NotImplementedError
