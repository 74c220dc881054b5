"""One log line for each transition of a trial, made from the record of acts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.domain.record import Event, SweepRecord, TrialView
from sweeper.domain.trial import TrialState
from sweeper.ports import TickSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is logged of one event: words for people, fields for machines."""

    message: str
    fields: Mapping[str, str | int | float]


def transition_lines(
    sweep: SweepRecord, events: Sequence[Event], best: TrialView | None = None
) -> Iterator[Line]:
    """Return a line for each trial or sweep among `events` that entered another state.

    `best` is the best trial known, told beside each trial that ended.
    """
    raise NotImplementedError


class TransitionLog:
    """Logs every transition at INFO; a Telemetry.

    `states` restricts it to trials that enter one of these; the sweep's own changes are
    always told.
    """

    def __init__(self, states: Collection[TrialState] = tuple(TrialState)) -> None:
        raise NotImplementedError

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        """Log the transitions among events just written."""

    def ticked(self, summary: TickSummary) -> None:
        """Remember the best trial, which the next lines tell."""
