"""What holds for every change and every action, whatever it is about."""

import re
from collections.abc import Mapping
from datetime import datetime

from sweeper.domain.actions import Action
from sweeper.domain.change import Change
from sweeper.domain.record import Event, EventKind
from sweeper.domain.trial import FailureClass, Trial, TrialState

OUTCOMES: Mapping[EventKind, frozenset[str]] = {
    EventKind.TRANSITION: frozenset(TrialState),
    EventKind.SUBMISSION: frozenset(
        {"created", "adopted", "rejected", "ambiguous", "not_sent", "forbidden"}
    ),
    EventKind.LOOK_UP: frozenset(
        {"found", "absent", "foreign", "lost", "seen_again", "deleted", "failed"}
    ),
    EventKind.PREEMPTION: frozenset({"seen"}),
    EventKind.SUSPENSION: frozenset({"us", "other"}),
    EventKind.SUSPEND: frozenset({"accepted", "failed"}),
    EventKind.RESUME: frozenset({"accepted", "failed"}),
    EventKind.RESUBMIT: frozenset({*FailureClass, "preempted", "asked"}),
    EventKind.DELETE: frozenset({"accepted", "gone", "failed"}),
}
"""The words that the record of acts has for a trial, as `record.EventKind` lists them."""

_TURN = re.compile(r"(\w+) -> (\w+)(?:: (.+))?")


def check_action(action: Action, before: Trial | None, now: datetime) -> None:
    """Compare an action with the trial that it is for (None: one without a row)."""
    assert action.before is before
    check_change(before, Change(trial=action.trial, events=action.events), now)


def check_change(before: Trial | None, change: Change, now: datetime) -> None:
    """Compare a change with the trial as it was: its states, its times, and what it tells."""
    after = change.trial
    state = TrialState.WAITING if before is None else before.state
    _check_times(before, after, now)
    for event in change.events:
        _check_event(event, after, now)
    turns = [event for event in change.events if event.kind is EventKind.TRANSITION]
    for turn in turns:
        found = _TURN.fullmatch(turn.detail)
        assert found is not None, turn.detail
        assert (found[1], found[2]) == (state, turn.outcome)
        state = TrialState(turn.outcome)
    assert state is after.state, "the transitions told do not lead to the state recorded"
    if turns:
        assert turns[-1].detail.partition(": ")[2] == after.reason


def _check_times(before: Trial | None, after: Trial, now: datetime) -> None:
    is_other = before is None or before.state is not after.state
    assert after.state_since == (now if is_other or before is None else before.state_since)
    if after.state.is_terminal:
        assert after.ended_at == (now if is_other or before is None else before.ended_at)
        assert not after.holds_slot
        assert after.retry_at is None
    else:
        assert after.ended_at is None
    for at in (after.created_at, after.submission.intent_at):
        assert isinstance(at, datetime)


def _check_event(event: Event, after: Trial, now: datetime) -> None:
    submission = after.submission
    assert event.outcome in OUTCOMES[event.kind]
    assert isinstance(event.detail, str)
    assert (event.at, event.trial, event.attempt, event.workload_name, event.workload_id) == (
        now,
        after.number,
        submission.attempt,
        submission.workload_name,
        submission.workload_id,
    )
