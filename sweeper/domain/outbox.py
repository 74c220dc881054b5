"""Notices: what people outside are to be told, and when the next try to send one is due.

A notice is written in the transaction that writes its cause, so neither is there without the
other. Sending comes later and may be repeated: a kill between sending and writing so sends it
again, under the same id.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from sweeper.domain.policy import LONGEST_WAIT, asked_wait, backoff, is_due, jittered
from sweeper.domain.record import Event, EventKind, SweepState
from sweeper.domain.trial import TrialState

ATTEMPTS = 24
"""Tries after which a notice is given up: about four hours, with the waits between them."""

STARTED_DETAIL = "started"
"""What the event says of a sweep that was opened for the first time."""

FROZEN, BLOCKED, LATE, SUMMARISED = "frozen", "blocked", "late", "summarised"
"""Outcomes of events of a sweep, beside its states, that people are told of."""

_BACKOFF = timedelta(seconds=10)
_NUMBERS_TOLD = 10


class NoticeKind(StrEnum):
    """What a notice is about."""

    STARTED = "started"
    FINISHED = "finished"
    STOPPED = "stopped"  # by failures, refusals or a budget: the text says which
    CANCELLED = "cancelled"
    DEADLINE = "deadline"  # no new trial is begun any more
    FROZEN = "frozen"  # nothing is written until a person looks
    BLOCKED = "blocked"  # the control plane lets nothing be done until a person acts
    HELD = "held"  # trials that need a person
    FAILED = "failed"  # trials that failed for good
    SUMMARY = "summary"  # how the sweep stands, once a day


Wanted: TypeAlias = Mapping[str, Collection[NoticeKind]]
"""The notices that each receiver, by its name, is to get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one receiver outside, known by its name.

    `text` says why, without the sweep's name. `number` is given by the store (0: not stored yet).
    `due_at` is when it may be sent (next), `attempts` how often that was tried without success,
    `settled_at` when it was sent or given up (None: neither yet).
    """

    kind: NoticeKind
    at: datetime
    text: str
    due_at: datetime
    number: int = 0
    attempts: int = 0
    settled_at: datetime | None = None
    receiver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A notice after a try to send it, and the events that go into the same transaction."""

    notice: Notice
    events: tuple[Event, ...] = ()


def notice_id(sweep_id: str, notice: Notice) -> str:
    """Return what stays the same however often a stored notice is sent, and is no other's."""
    return f"{sweep_id}-{notice.number}"


def notices_of(events: Iterable[Event], wanted: Wanted) -> tuple[Notice, ...]:
    """Return the notices that events of one transaction give rise to, one for each receiver.

    So what one receiver does not take is not sent again to the others. Trials that turned together
    are told in one notice, so that a thousand failures at once are not a thousand messages.
    """
    causes: dict[NoticeKind, list[Event]] = {}
    for event in events:
        kind = _kind_of(event)
        if kind is not None:
            causes.setdefault(kind, []).append(event)
    return tuple(
        _notice(kind, found, receiver)
        for kind, found in causes.items()
        for receiver, kinds in wanted.items()
        if kind in kinds
    )


def dispatched(notice: Notice, now: datetime) -> Dispatch:
    """Return what is to be written of a notice that was sent."""
    event = _event(notice, now, "sent")
    return Dispatch(notice=replace(notice, settled_at=now), events=(event,))


def not_dispatched(
    notice: Notice, now: datetime, sweep_id: str, why: str, retry_after: float | None = None
) -> Dispatch:
    """Return what is to be written of a notice that could not be sent, or not surely.

    It waits longer each time, at least as long as was asked for (`retry_after`, seconds); after
    `ATTEMPTS` tries it is given up, with an event.
    """
    attempts = notice.attempts + 1
    if attempts >= ATTEMPTS:
        return undeliverable(replace(notice, attempts=attempts), now, why)
    delay = backoff(_BACKOFF, attempts - 1, LONGEST_WAIT)
    own = jittered(delay, f"{notice_id(sweep_id, notice)}/{attempts}")
    due_at = now + max(own, asked_wait(retry_after))
    return Dispatch(notice=replace(notice, attempts=attempts, due_at=due_at))


def undeliverable(notice: Notice, now: datetime, why: str) -> Dispatch:
    """Return what is to be written of a notice that is given up."""
    given_up = replace(notice, settled_at=now)
    return Dispatch(notice=given_up, events=(_event(notice, now, "given_up", why),))


def due(notices: Iterable[Notice], now: datetime) -> Sequence[Notice]:
    """Return those of the notices that may be sent now, in their order."""
    return [notice for notice in notices if is_due(notice.due_at, now)]


def until_due(notices: Iterable[Notice], now: datetime) -> timedelta:
    """Return how long until the next of the notices is due, `LONGEST_WAIT` where there is none."""
    waits = (
        timedelta(0) if is_due(notice.due_at, now) else notice.due_at - now for notice in notices
    )
    return min(waits, default=LONGEST_WAIT)


_OF_SWEEPS = {
    SweepState.FINISHED: NoticeKind.FINISHED,
    SweepState.STOPPED: NoticeKind.STOPPED,
    SweepState.CANCELLED: NoticeKind.CANCELLED,
    FROZEN: NoticeKind.FROZEN,
    BLOCKED: NoticeKind.BLOCKED,
    LATE: NoticeKind.DEADLINE,
    SUMMARISED: NoticeKind.SUMMARY,
}
_OF_TRIALS = {TrialState.HELD: NoticeKind.HELD, TrialState.FAILED: NoticeKind.FAILED}


def _kind_of(event: Event) -> NoticeKind | None:
    if event.kind is EventKind.TRANSITION:
        return _OF_TRIALS.get(TrialState(event.outcome))
    if event.kind is not EventKind.SWEEP:
        return None
    if event.outcome == SweepState.OPEN and event.detail == STARTED_DETAIL:
        return NoticeKind.STARTED
    return _OF_SWEEPS.get(event.outcome)


def _notice(kind: NoticeKind, causes: Sequence[Event], receiver: str) -> Notice:
    at = causes[0].at
    return Notice(kind=kind, at=at, text=_text(kind, causes), due_at=at, receiver=receiver)


def _text(kind: NoticeKind, causes: Sequence[Event]) -> str:
    first = causes[0]
    if first.trial is None:
        return "" if kind is NoticeKind.STARTED else first.detail
    if len(causes) == 1:
        return f"trial {first.trial}: {first.detail}"
    numbers = ", ".join(str(cause.trial) for cause in causes[:_NUMBERS_TOLD])
    more = len(causes) - _NUMBERS_TOLD
    others = f" and {more} more" if more > 0 else ""
    return f"{len(causes)} trials ({numbers}{others}), the first: {first.detail}"


def _event(notice: Notice, now: datetime, outcome: str, why: str = "") -> Event:
    told = f"{notice.number} {notice.kind}"
    detail = f"{told}: {why}" if why else told
    return Event(at=now, kind=EventKind.NOTICE, outcome=outcome, detail=detail)
