from sweeper.domain.change import Change, changed, merged, note
from sweeper.domain.record import EventKind
from sweeper.domain.trial import TrialState
from tests.support.builders import NOW, a_trial, workload_id, workload_name


def test_a_note_names_the_newest_attempt() -> None:
    event = note(a_trial(3), NOW, EventKind.RESUME, "accepted", "detail")

    assert (event.trial, event.attempt) == (3, 1)
    assert (event.workload_name, event.workload_id) == (workload_name(3), workload_id(3))
    assert (event.at, event.outcome, event.detail) == (NOW, "accepted", "detail")


def test_a_change_of_state_is_recorded_as_a_transition() -> None:
    before = a_trial()

    change = changed(before, before.enter(TrialState.HELD, NOW, "why"), NOW)

    (event,) = change.events
    assert (event.kind, event.outcome) == (EventKind.TRANSITION, "held")
    assert event.detail == "active -> held: why"


def test_a_trial_without_a_row_comes_from_waiting() -> None:
    (event,) = changed(None, a_trial(), NOW).events

    assert event.detail == "waiting -> active"


def test_a_change_within_a_state_records_only_what_it_is_told() -> None:
    trial = a_trial()
    event = note(trial, NOW, EventKind.PREEMPTION, "seen")

    assert changed(trial, trial, NOW, event) == Change(trial=trial, events=(event,))


def test_changes_merge_in_their_order() -> None:
    one, two = a_trial(1), a_trial(2)
    events = [note(trial, NOW, EventKind.SUSPENSION, "us") for trial in (one, two)]
    changes = [Change(trial=one, events=(events[0],)), Change(trial=two, events=(events[1],))]

    assert merged(changes) == ([one, two], events)


def test_a_note_says_nothing_more_unless_it_is_given_something() -> None:
    assert note(a_trial(), NOW, EventKind.DELETE, "gone").detail == ""
