"""How daemons behave, one after the other: what a stop, a new limit and a fence ask of them.

Like `checking`, by what was written down at the moment it happened.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from sweeper.daemon.service import STOP_GRACE
from sweeper.domain.phase import Phase
from sweeper.domain.record import Event
from sweeper.runai.budget import MOST_REPEATS, SHARE_OF_ANSWERS
from tests.simulation.history import Deed, Entry, History, Note, Request
from tests.simulation.server import trial_of
from tests.simulation.violation import Violation

_ENDS = frozenset({Phase.COMPLETED, Phase.FAILED, Deed.DELETED, Deed.ERASED})
_LAST_WORDS = frozenset({"ended", "killed", "died"})
_SLACK = 1.0


def fenced(events: Sequence[Event]) -> Iterator[Violation]:
    """I11: the epochs of what was written never go back."""
    for before, event in pairwise(events):
        if (event.epoch or 0) < (before.epoch or 0):
            words = f"event {event.number} has epoch {event.epoch} after {before.epoch}"
            yield Violation("I11", words)


def stopped(history: History) -> Iterator[Violation]:
    """I17: a daemon that was asked to stop ends within its grace."""
    asked: float | None = None
    for note in history.notes:
        if note.what == "stopping" and asked is None:
            asked = note.at
        elif note.what in _LAST_WORDS and asked is not None:
            if note.at > asked + STOP_GRACE + _SLACK:
                yield Violation("I17", f"asked to stop at {asked}, it ended at {note.at}")
            asked = None
    if asked is not None:
        yield Violation("I17", f"asked to stop at {asked}, it never ended")


def lowered(
    history: History,
    limits: Sequence[tuple[float, int]],
    abandoned: Collection[int] = (),
    *,
    parks: bool = False,
) -> Iterator[Violation]:
    """I2: a daemon begins no attempt while as many trainings live as its own limit allows.

    What an earlier daemon began it may send (again), whatever its limit is now.
    """
    living: dict[str, int] = {}
    begun: set[str] = set()
    for line in history.lines:
        match line:
            case Entry(trial=int() as trial) if trial not in abandoned:
                if line.what is Deed.CREATED:
                    living[line.workload_id] = trial
                elif line.what in _ENDS or (parks and line.what is Phase.STOPPED):
                    living.pop(line.workload_id, None)
                elif parks and line.what is Phase.RESUMING:
                    living[line.workload_id] = trial
            case Note(what="begun"):
                begun |= set(line.detail.split())
            case Request(operation="create") if line.about not in begun:
                begun.add(line.about)
                limit = limits[line.life - 1][1]
                others = {trial for trial in living.values() if trial != trial_of(line.about)}
                if len(others) >= limit:
                    words = (
                        f"{line.about} was begun while {len(others)} lived, the limit is {limit}"
                    )
                    yield Violation("I2", words)


def repeats(history: History) -> Iterator[Violation]:
    """I10: in the long term a daemon repeats at most one request of ten."""
    asked = Counter(request.life for request in history.requests)
    repeated = Counter(int(note.detail) for note in history.notes if note.what == "repeat")
    for life, count in repeated.items():
        allowed = MOST_REPEATS + SHARE_OF_ANSWERS * asked[life]
        if count > allowed:
            yield Violation("I10", f"daemon {life} repeated {count} of {asked[life]} requests")
