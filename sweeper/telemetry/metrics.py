"""Prometheus metrics of this process: counters from events, gauges from the newest tick."""

from collections.abc import Sequence

from sweeper.domain.record import Event, SweepRecord
from sweeper.ports import Now, TickSummary


class Metrics:
    """Counts what happens and renders it for a scrape; a Telemetry.

    Counters start at 0 in each process; a gauge is absent until it is known. The `heard_*`
    methods, `recorded` and `ticked` are called in the event loop, cost little and never raise;
    `render` may run in any thread at any time.
    """

    def __init__(self, *, version: str, now: Now) -> None:
        raise NotImplementedError

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Count events just written, each exactly once."""

    def ticked(self, summary: TickSummary) -> None:
        """Take the newest tick of a sweep as what the gauges show from now on."""

    def heard_request(self, operation: str, status: str, seconds: float) -> None:
        """Count one HTTP exchange with the control plane (`Observer.on_request`)."""

    def heard_retry(self, operation: str, reason: str) -> None:
        """Count one repeat of a call to the control plane (`Observer.on_retry`)."""

    def heard_reports(self, sweep: str, outcome: str, count: int = 1) -> None:
        """Count reports of trainings: `new`, `known` (it came twice) or `refused`."""

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the body of a scrape and its content type, in the format that `accept` asks for.

        Never waits for a tick or the store, and never raises, whatever the header holds.
        """
        raise NotImplementedError
