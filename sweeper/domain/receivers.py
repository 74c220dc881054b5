"""Who is told of a sweep, and of what."""

from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """What a receiver may ask to be told of (`about` in the sweep file)."""

    STARTED = "started"
    FINISHED = "finished"  # with the results
    STOPPED = "stopped"  # by failures, refusals or a person, or no new trials after the deadline
    NEEDS_PERSON = "needs-a-person"  # a refused token, a quota, held trials, frozen writes
    FAILED = "failed"  # each time that trials fail for good
    DAILY = "daily"  # how it stands, once a day


DEFAULT_TOPICS = frozenset({Topic.FINISHED, Topic.STOPPED, Topic.NEEDS_PERSON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is told: where the address stands, and of what.

    The address itself holds a password, so it is known by its variable or its file alone, one of
    the two; the store keeps that name with each notice.
    """

    variable: str | None = None
    file: str | None = None
    about: frozenset[Topic] = DEFAULT_TOPICS

    @property
    def name(self) -> str:
        """Return what the receiver is called in the store, in logs and in messages."""
        return self.variable or self.file or ""
