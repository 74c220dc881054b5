"""Who is told of a sweep, of what, and when the daily summary is due."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType

from sweeper.domain.outbox import NoticeKind, Wanted


class Topic(StrEnum):
    """What a receiver may ask to be told of (`on` in the sweep file)."""

    STARTED = "started"
    FINISHED = "finished"
    STOPPED = "stopped"
    NEEDS_PERSON = "needs-a-person"
    FAILED = "failed"
    DAILY = "daily"


DEFAULT_TOPICS = frozenset({Topic.FINISHED, Topic.STOPPED, Topic.NEEDS_PERSON})

KINDS: Mapping[Topic, frozenset[NoticeKind]] = MappingProxyType(
    {
        Topic.STARTED: frozenset({NoticeKind.STARTED}),
        Topic.FINISHED: frozenset({NoticeKind.FINISHED}),
        Topic.STOPPED: frozenset({NoticeKind.STOPPED, NoticeKind.CANCELLED, NoticeKind.DEADLINE}),
        Topic.NEEDS_PERSON: frozenset({NoticeKind.HELD, NoticeKind.FROZEN, NoticeKind.BLOCKED}),
        Topic.FAILED: frozenset({NoticeKind.FAILED}),
        Topic.DAILY: frozenset({NoticeKind.SUMMARY}),
    }
)
"""The notices of each topic; every kind has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is told: where the address stands, and of what.

    The address itself holds a password, so it is known by its variable or its file alone, one of
    the two; the store keeps that name with each notice.
    """

    variable: str | None = None
    file: str | None = None
    on: frozenset[Topic] = DEFAULT_TOPICS

    @property
    def name(self) -> str:
        """Return what the receiver is called in the store, in logs and in messages."""
        return self.variable or self.file or ""


def wanted_by(receivers: Iterable[Receiver]) -> Wanted:
    """Return which notices each of the receivers, by name, wants."""
    wanted: dict[str, frozenset[NoticeKind]] = {}
    for receiver in receivers:
        kinds = frozenset[NoticeKind]().union(*(KINDS[topic] for topic in receiver.on))
        wanted[receiver.name] = wanted.get(receiver.name, frozenset()) | kinds
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """When the daily summary comes: at this time of the day on the clock of `local`."""

    at: time
    local: Callable[[datetime], datetime]

    def is_due(self, last: datetime, now: datetime) -> bool:
        """Return whether that time came since `last`; one that was missed comes late, once.

        Clocks on the wall are compared, so an hour that comes twice brings no second summary.
        """
        then, present = (self.local(moment).replace(tzinfo=None) for moment in (last, now))
        newest = datetime.combine(present.date(), self.at)
        if newest > present:
            newest -= timedelta(days=1)
        return then < newest
