"""How fast a sweep is settled by this process, and when it is done if that goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sweeper.domain.record import SweepState
from sweeper.domain.trial import TERMINAL_STATES
from sweeper.ports import TickSummary

_LONGEST_GUESS = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Where this process began: when, and with how many trials settled already."""

    since: datetime
    settled: int

    @classmethod
    def begin(cls, summary: TickSummary) -> "Pace":
        """Return the pace that is measured from this tick on."""
        return cls(since=summary.at, settled=summary.totals.count(*TERMINAL_STATES))


def guess_rest(pace: Pace, summary: TickSummary, now: datetime) -> timedelta | None:
    """Return how long the sweep still takes if trials go on settling as they did until now.

    None while no trial was settled since `pace` began, where the number of trials is unknown,
    while the sweep takes no new ones, and where the guess is beyond ten years.
    """
    planned = summary.sweep.planned
    settled = summary.totals.count(*TERMINAL_STATES)
    done = settled - pace.settled
    if planned is None or done <= 0 or summary.sweep.state is not SweepState.OPEN:
        return None
    each = (summary.at - pace.since) / done
    left = max(planned - settled, 0)
    if each > timedelta(0) and left > _LONGEST_GUESS / each:
        return None
    return max(each * left - (now - summary.at), timedelta(0))
