"""Take up attempts that the store does not know, because it was put back from an older copy.

What was written after the copy is lost, but its trainings are on record: their names tell trial
and attempt. Each is taken up as it stands before anything new is created, so that no trial runs
twice and no limit is exceeded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sweeper.domain.change import Change, changed, note
from sweeper.domain.orphans import attempt_of
from sweeper.domain.planning import Draft
from sweeper.domain.rebuilding import begun, from_nothing
from sweeper.domain.record import EventKind
from sweeper.domain.settling import adopted, found_deleted
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import FailureClass, Observation, Trial, TrialState

ON_RECORD_FOR = timedelta(days=14)
"""How long Run:ai, and the local control plane, list trainings that are deleted."""

LONGEST_GAP = 1000
"""No sweep has so many trials in a row without a trace; a name beyond such a gap is no trace."""

NOT_CREATED = "the store was older than its trainings, and this one has none"

_SETTLED = frozenset({TrialState.COMPLETED, TrialState.PRUNED, TrialState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The newest training that the control plane has on record for a trial."""

    number: int
    attempt: int
    seen: Observation


def newest_traces(prefix: str, seen: Iterable[Observation]) -> Mapping[int, Trace]:
    """Return the newest attempt of each trial, by number, deleted trainings included.

    Of one name the living training counts, for a deleted one's name may be used again.
    """
    newest: dict[int, Trace] = {}
    for one in seen:
        place = attempt_of(prefix, one.name)
        if place is not None:
            trace = Trace(number=place[0], attempt=place[1], seen=one)
            known = newest.get(trace.number)
            if known is None or _age(trace) > _age(known):
                newest[trace.number] = trace
    return dict(sorted(newest.items()))


def is_unknown(trace: Trace, trial: Trial | None) -> bool:
    """Whether the store knows nothing of that attempt, and its trial may still be going on."""
    if trial is None:
        return True
    return trial.state not in _SETTLED and trace.attempt > trial.submission.attempt


def attempted(trial: Trial | None, trace: Trace, draft: Draft, now: datetime) -> Trial:
    """Return the trial (None: without a row) as it was when the training was created.

    Why the attempts failed whose end is not known here, nobody can tell any more, so each counts
    against every budget.
    """
    since = trace.seen.created_at or now
    fresh = begun(draft, trace.number, trace.attempt, since, now)
    judged, used = _judged(trial), trial.retries if trial is not None else {}
    unjudged = trace.attempt - 1 - judged
    spent = {kind: used.get(kind, 0) + unjudged for kind in FailureClass}
    retries = MappingProxyType({kind: count for kind, count in spent.items() if count})
    if trial is None:
        return replace(fresh, retries=retries)
    return replace(
        trial,
        state=fresh.state,
        state_since=now,
        submission=fresh.submission,
        reason="",
        ended_at=None,
        retries=retries,
        retry_at=None,
        failure=None,
    )


def taken_up(trial: Trial, trace: Trace, spec: SweepSpec, now: datetime) -> Change:
    """Return what has become of a trial as `attempted`; its training is proved to be ours."""
    unknown = note(trial, now, EventKind.LOOK_UP, "unknown", "the store was older than this")
    if trace.seen.deleted_at is None:
        change = adopted(trial, trace.seen, spec.resume, now)
    else:
        change = found_deleted(trial, trace.seen, spec.retry, now)
    return replace(change, events=(unknown, *change.events))


def passed_over(
    draft: Draft, number: int, since: datetime, now: datetime, quarantine: timedelta
) -> Change:
    """Return a trial of which there is no trace, though later ones have left theirs.

    `since` is when the copy was made, at the earliest. Whatever was created after that is on
    record for a while, so until then such a trial was never created, and is submitted anew; later
    it may have been finished and forgotten, so a person must decide.
    """
    if now - since >= ON_RECORD_FOR:
        return from_nothing(draft, number, now)
    trial = begun(draft, number, 1, now, now)
    over = replace(trial.submission, ended_at=now, reason=NOT_CREATED)
    # A create of the daemon that wrote what was lost may still be under way.
    again = replace(trial, submission=over, retry_at=now + quarantine)
    return changed(None, again.enter(TrialState.INTERRUPTED, now, NOT_CREATED), now)


def _judged(trial: Trial | None) -> int:
    """Return how many attempts the trial's budgets tell of."""
    if trial is None:
        return 0
    return trial.submission.attempt - (1 if trial.submission.is_open else 0)


def _age(trace: Trace) -> tuple[int, bool, str]:
    return trace.attempt, trace.seen.deleted_at is None, str(trace.seen.created_at)
