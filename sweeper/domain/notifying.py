"""Which notices a receiver gets, and when the daily summary is due."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType

from sweeper.domain.outbox import NoticeKind, Wanted
from sweeper.domain.receivers import Receiver, Topic

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


def wanted_by(receivers: Iterable[Receiver]) -> Wanted:
    """Return which notices each of the receivers, by name, wants."""
    wanted: dict[str, frozenset[NoticeKind]] = {}
    for receiver in receivers:
        kinds = frozenset[NoticeKind]().union(*(KINDS[topic] for topic in receiver.about))
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
