"""When so many trainings are unknown at once that something else is wrong than they are.

A restored server, another tenant or another project answers 404 for trainings that may well be
at work. One that neither listing has any more, living or deleted, is *lost*; few lost ones were
deleted by somebody, many freeze all writes until they are seen again or a person decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sweeper.domain.actions import Action, Delete, Resume, Submit, Suspend
from sweeper.domain.change import Change, note
from sweeper.domain.record import EventKind, SweepRecord, SweepState
from sweeper.domain.trial import Trial

LOST_WINDOW = timedelta(seconds=60)
"""How long a lost training is not given up, so that all that are lost with it are found out."""

LOST_INTERVAL = timedelta(minutes=5)
"""How often a training that stays lost is looked up again; the listing is read all the while."""

MOST_DELETES = 100
"""So many trainings are deleted within one tick, whatever decided that they are to go."""

FEW = 5
SHARE = 0.02

_ENDING = frozenset({SweepState.CANCELLING, SweepState.CANCELLED, SweepState.FINISHED})


def lost(trial: Trial, now: datetime) -> Change:
    """Record that neither listing has the training; what that means, all of them decide."""
    submission = trial.submission
    if submission.lost_since is not None:
        decided_at = submission.lost_since + LOST_WINDOW
        due = decided_at if now < decided_at else now + LOST_INTERVAL
        again = replace(submission, next_call_at=due)
        return Change(trial=replace(trial, submission=again))
    first = replace(submission, lost_since=now, next_call_at=now + LOST_WINDOW)
    after = replace(trial, submission=first)
    return Change(trial=after, events=(note(after, now, EventKind.LOOK_UP, "lost"),))


def is_given_up(trial: Trial, sweep: SweepRecord) -> bool:
    """Return whether the training is to go: by our own delete, or because a person said so."""
    is_asked = trial.is_given_up or sweep.state is SweepState.CANCELLING
    return is_asked or trial.submission.delete_sent_at is not None


def may_be_believed(trial: Trial, sweep: SweepRecord, now: datetime) -> bool:
    """Return whether a training still absent from both listings counts as gone for good."""
    if is_given_up(trial, sweep):
        return True
    since = trial.submission.lost_since
    return sweep.frozen is None and since is not None and now - since >= LOST_WINDOW


def judged(sweep: SweepRecord, live: Sequence[Trial]) -> SweepRecord:
    """Return the sweep frozen if too many trainings are lost, or thawed once all are seen again.

    Between the two nothing changes: while one of many is still lost, so is the trust.
    """
    lost_now = sum(_counts(trial, sweep) for trial in live)
    if sweep.frozen is not None:
        is_over = lost_now == 0 or sweep.state in _ENDING
        return replace(sweep, frozen=None) if is_over else sweep
    known = sum(
        trial.submission.is_open and trial.submission.workload_id is not None for trial in live
    )
    if sweep.state in _ENDING or lost_now <= max(FEW, SHARE * known):
        return sweep
    reason = (
        f"{lost_now} of {known} trainings are known neither among the living nor the deleted: is "
        "this the right project and tenant, or was the server restored? Nothing is created, "
        f"resumed or deleted until they are seen again, or `sweeper unpause {sweep.name} --force` "
        "says that they are gone"
    )
    return replace(sweep, frozen=reason)


def thawed(sweep: SweepRecord, at: datetime) -> SweepRecord:
    """Return the sweep after a person said that what was missing at `at` is gone indeed."""
    return replace(sweep, frozen=None, thawed_at=at)


def without_writes(actions: Iterable[Action], sweep: SweepRecord) -> list[Action]:
    """Return the actions that a frozen sweep may take: what reads, and deletes a person asked for.

    Such a delete goes to an id of ours alone, so even on another tenant it can do no harm.
    """
    return [action for action in actions if not _is_held_back(action, sweep)]


def few_deletes(actions: Sequence[Action]) -> list[Action]:
    """Return the actions with `MOST_DELETES` deletes, the most urgent ones.

    Nothing is recorded of the others, so the next tick plans them anew, from a fresh reading.
    """
    deletes = [action for action in actions if isinstance(action, Delete)]
    late = set(map(id, deletes[MOST_DELETES:]))
    return [action for action in actions if id(action) not in late]


def _is_held_back(action: Action, sweep: SweepRecord) -> bool:
    if isinstance(action, Delete):
        is_asked = action.trial.cancel_asked_at is not None
        return not is_asked and sweep.state is not SweepState.CANCELLING
    return isinstance(action, Submit | Resume | Suspend)


def _counts(trial: Trial, sweep: SweepRecord) -> bool:
    """Whether a training is lost, nobody wanted it to go, and no person has said that it is."""
    submission = trial.submission
    if submission.lost_since is None or not submission.is_open or is_given_up(trial, sweep):
        return False
    missing = submission.missing_since or submission.lost_since
    return sweep.thawed_at is None or missing > sweep.thawed_at
