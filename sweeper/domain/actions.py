"""The steps a plan may ask for.

Each carries `trial` as it is to be recorded *before* its call is made (the intent), `before` as
it was (None: no row yet), and the events that belong to the intent.
"""

from dataclasses import dataclass
from typing import ClassVar

from sweeper.domain.record import Event
from sweeper.domain.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step for one trial; a smaller `urgency` is carried out first."""

    urgency: ClassVar[int]
    trial: Trial
    before: Trial | None
    events: tuple[Event, ...] = ()

    @property
    def takes_slot(self) -> bool:
        """Whether the trial holds a slot from its intent on, and held none before."""
        held_one = self.before is not None and self.before.holds_slot
        return self.trial.holds_slot and not held_one


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Action):
    """Write the trial; there is nothing to call."""

    urgency: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Action):
    """Delete the training: it was given up, or stayed too long in one phase."""

    urgency: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp(Action):
    """Find out by name whether a create that was left open took effect; adopt what is ours."""

    urgency: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect(Action):
    """Find out why a training failed, or what became of one that is gone.

    One among the deleted is gone; with `is_last_word`, one that neither listing has is, too.
    """

    urgency: ClassVar[int] = 3
    is_last_word: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend(Action):
    """Suspend the training; the ledger entry is part of the intent."""

    urgency: ClassVar[int] = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Action):
    """Resume a stopped training."""

    urgency: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Action):
    """Create the training of the newest attempt."""

    urgency: ClassVar[int] = 6

    @property
    def begins_attempt(self) -> bool:
        """Whether the attempt is new, and so takes a slot; false where one is only sent again."""
        before = self.before
        return before is None or before.submission.attempt != self.trial.submission.attempt
