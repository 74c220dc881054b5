"""Points that a person adds to a sweep that has started, and the numbers that they take.

A trial's params follow from its number, so nothing may move what has a row. A point that is
enqueued takes the next numbers without a row, and what would have been drawn there is drawn behind
the last trial instead: of each trial either the params stay as they were, or it had no row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.domain.values import Params

MOST_ENQUEUED = 1000
"""So many points may be enqueued in one sweep: each tick reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueuedPoint:
    """A point that a person added: the trials `number` and, with repeats, those that follow it.

    `tail` is the first of the trials that get the draws of those numbers (None: nothing was to be
    drawn there, or the sweep is unbounded and draws another). `wish` is the wish that asked for it.
    """

    number: int
    params: Params
    wish: int
    tail: int | None = None


def first_place(free: int, repeats: int) -> int:
    """Return the first number at or after `free` at which the trials of a point begin."""
    return -(-free // repeats) * repeats


def placed(
    params: Params, wish: int, number: int, planned: int | None, repeats: int
) -> tuple[EnqueuedPoint, int | None]:
    """Return a point at `number`, where trials of a point begin, and how many are planned with it.

    A last point that `run_cap` cut short gets the rest of its repeats.
    """
    if planned is None:
        return EnqueuedPoint(number=number, params=params, wish=wish), None
    end = first_place(planned, repeats)
    tail = end if number < end else None
    return EnqueuedPoint(number=number, params=params, wish=wish, tail=tail), end + repeats


def planned_with(
    planned: int | None, enqueued: Sequence[EnqueuedPoint], repeats: int
) -> int | None:
    """Return how many trials a sweep has, of which the file plans `planned`."""
    if planned is None or not enqueued:
        return planned
    return first_place(planned, repeats) + len(enqueued) * repeats
