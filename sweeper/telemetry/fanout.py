"""Several telemetries behind one port."""

import logging
from collections.abc import Callable, Sequence

from sweeper.domain.record import Event, SweepRecord
from sweeper.ports import Telemetry, TickSummary

_log = logging.getLogger(__name__)


class Telemetries:
    """Passes everything on to each of `telemetries` in turn, and never raises.

    One that raises is logged once, and goes on being told; the others hear everything.
    """

    def __init__(self, telemetries: Sequence[Telemetry]) -> None:
        self._telemetries = tuple(telemetries)
        self._complained: set[int] = set()

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Pass on events just written."""
        self._each(lambda telemetry: telemetry.recorded(sweep, events))

    def ticked(self, summary: TickSummary) -> None:
        """Pass on a tick that ended."""
        self._each(lambda telemetry: telemetry.ticked(summary))

    def _each(self, tell: Callable[[Telemetry], None]) -> None:
        for place, telemetry in enumerate(self._telemetries):
            try:
                tell(telemetry)
            except Exception:  # noqa: BLE001 - whatever it is, the sweep matters more
                self._complain(place, telemetry)

    def _complain(self, place: int, telemetry: Telemetry) -> None:
        if place not in self._complained:
            self._complained.add(place)
            _log.exception("%s failed; the sweep goes on without it", type(telemetry).__name__)
