"""What people outside are told: subject and text of a notice, for someone who is tired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sweeper.domain.outbox import Notice, NoticeKind, notice_id
from sweeper.domain.record import SweepRecord, Totals, TrialView
from sweeper.domain.trial import TrialState
from sweeper.domain.wording import printable
from sweeper.telemetry.closing import argument, closing_summary
from sweeper.telemetry.phrases import phrase_count, phrase_name, phrase_totals
from sweeper.telemetry.redaction import redact


class Tone(StrEnum):
    """How good the news is; services colour messages by it."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: plain text, with a table that wants letters of one width."""

    subject: str
    body: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """How a sweep stands when it is told of: its counts, its best trial, its results as text."""

    totals: Totals
    best: TrialView | None
    table: str = ""


WITH_TABLE = frozenset(
    {
        NoticeKind.FINISHED,
        NoticeKind.STOPPED,
        NoticeKind.CANCELLED,
        NoticeKind.DEADLINE,
        NoticeKind.SUMMARY,
    }
)
"""Notices that hold the results so far."""

_COUNTED = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED, TrialState.HELD)
_LEFT = (TrialState.ACTIVE, TrialState.INTERRUPTED, TrialState.WAITING)
_BAD = (TrialState.FAILED, TrialState.HELD, TrialState.CANCELLED)

_TONES: Mapping[NoticeKind, Tone] = MappingProxyType(
    {
        NoticeKind.STARTED: Tone.INFO,
        NoticeKind.FINISHED: Tone.SUCCESS,
        NoticeKind.STOPPED: Tone.FAILURE,
        NoticeKind.CANCELLED: Tone.WARNING,
        NoticeKind.DEADLINE: Tone.WARNING,
        NoticeKind.FROZEN: Tone.FAILURE,
        NoticeKind.BLOCKED: Tone.FAILURE,
        NoticeKind.HELD: Tone.WARNING,
        NoticeKind.FAILED: Tone.WARNING,
        NoticeKind.SUMMARY: Tone.INFO,
    }
)

_HEADLINES: Mapping[NoticeKind, str] = MappingProxyType(
    {
        NoticeKind.STARTED: "started",
        NoticeKind.FINISHED: "finished, {counts}",
        NoticeKind.STOPPED: "stopped: {text}",
        NoticeKind.CANCELLED: "cancelled, {counts}",
        NoticeKind.DEADLINE: "deadline reached, {counts}",
        NoticeKind.FROZEN: "needs a person: nothing is created, resumed or deleted for now",
        NoticeKind.BLOCKED: "needs a person: {text}",
        NoticeKind.HELD: "needs a person: {text}",
        NoticeKind.FAILED: "{text}",
        NoticeKind.SUMMARY: "daily summary, {counts}",
    }
)

_LONGEST_SUBJECT = 120
_LONGEST_REASON = 1_000


def message_of(sweep: SweepRecord, notice: Notice, stands: Standings) -> Message:
    """Return what to say of a notice, the sweep being as it `stands`."""
    tone = _TONES[notice.kind]
    if notice.kind is NoticeKind.FINISHED and stands.totals.count(*_BAD):
        tone = Tone.WARNING
    headline = printable(redact(_headline(sweep, notice, stands.totals)), _LONGEST_SUBJECT)
    return Message(
        subject=f"sweep {phrase_name(sweep.name)}: {headline}",
        body="\n\n".join(filter(None, _paragraphs(sweep, notice, stands))),
        tone=tone,
    )


def trial_message(name: str) -> Message:
    """Return a message by which a person sees that messages of a sweep arrive."""
    return Message(
        subject=f"sweep {phrase_name(name)}: a test",
        body=f"Messages of the sweep {phrase_name(name)} arrive here. Nothing has happened.",
        tone=Tone.INFO,
    )


def _headline(sweep: SweepRecord, notice: Notice, totals: Totals) -> str:
    counts = phrase_totals(totals, sweep.planned, (*_COUNTED, *_LEFT)) or "no trials"
    return _HEADLINES[notice.kind].format(text=notice.text, counts=counts)


def _paragraphs(sweep: SweepRecord, notice: Notice, stands: Standings) -> Iterator[str]:
    if notice.text != sweep.stop_reason:
        yield printable(redact(notice.text), _LONGEST_REASON)
    if notice.kind is NoticeKind.STARTED:
        yield _plan(sweep)
    else:
        yield closing_summary(sweep, stands.totals, stands.best)
    if notice.kind in WITH_TABLE:
        yield redact(stands.table).strip("\n")
    yield _what_next(notice.kind, argument(sweep.name))
    yield f"{notice.at:%Y-%m-%d %H:%M} UTC, notice {notice_id(sweep.id, notice)}"


def _plan(sweep: SweepRecord) -> str:
    trials = (
        "no end of trials" if sweep.planned is None else f"{phrase_count(sweep.planned)} trials"
    )
    place = "this machine" if sweep.control_plane == "local" else sweep.control_plane
    return f"{phrase_name(sweep.name)}: {trials} on {place}"


def _what_next(kind: NoticeKind, name: str) -> str:
    match kind:
        case NoticeKind.STARTED:
            return f"watch it: `sweeper status {name}`"
        case NoticeKind.BLOCKED:
            return (
                "The sweep goes on by itself once that is mended, and nothing is lost until then; "
                f"see `sweeper status {name}`."
            )
        case NoticeKind.HELD:
            return (
                f"a held trial: why, `sweeper show {name} N`; again, `sweeper retry {name} "
                f"--trial N`; give it up, `sweeper cancel {name} --trial N`"
            )
        case NoticeKind.DEADLINE:
            return (
                "Active trials still finish. For more, raise limits.deadline in the sweep file and "
                "start it again."
            )
        case _:
            return ""
