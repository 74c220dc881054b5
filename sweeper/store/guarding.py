"""Compare what a transaction would leave behind with the bounds that it must keep."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from sweeper.domain.record import SlotGuard
from sweeper.errors import LimitExceededError


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What one trial that holds a slot takes of the limits."""

    gpus: Fraction
    is_at_work: bool


def check_limits(guard: SlotGuard, slots: Iterable[Slot], submissions: int) -> None:
    """Compare `guard` with all slots held and with the intents written since `guard.since`.

    Raises:
        LimitExceededError: a bound does not hold; the message has the figures of all such.
    """
    held = list(slots)
    figures: list[tuple[str, int | Fraction, int | Fraction | None]] = [
        ("active trainings", len(held), guard.active),
        ("pending trainings", sum(not slot.is_at_work for slot in held), guard.pending),
        ("GPUs", sum((slot.gpus for slot in held), Fraction(0)), guard.gpus),
        ("submissions of late", submissions, guard.submissions),
    ]
    faults = [
        f"{count} {name}, above the limit of {bound}"
        for name, count, bound in figures
        if bound is not None and count > bound
    ]
    if faults:
        raise LimitExceededError(f"nothing was written: there would be {', and '.join(faults)}")
