from dataclasses import replace
from datetime import timedelta

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, SweepRecord, SweepState
from sweeper.domain.trial import Trial
from sweeper.telemetry.tracing import MOST_MARKS, Span, Traces, span_id, trace_id
from tests.support.builders import NOW, a_sweep, a_trial
from tests.telemetry.builders import a_move, a_tick, an_act

SWEEP = a_sweep()
LATER = NOW + timedelta(minutes=5)


def told(*events: Event, before: tuple[Event, ...] = (), sweep: SweepRecord = SWEEP) -> list[Span]:
    """Return the spans that are sent for events."""
    spans: list[Span] = []
    traces = Traces(spans.append)
    traces.begin(sweep, [], before)
    traces.recorded(sweep, events)
    return spans


def names(span: Span) -> list[str]:
    return [mark.name for mark in span.marks]


def seen_in(phase: Phase) -> Trial:
    trial = a_trial(3)
    submission = replace(trial.submission, phase=phase, phase_since=NOW)
    return replace(trial, submission=submission)


def test_a_trial_is_sent_once_it_is_settled() -> None:
    begun = a_move("waiting", "submitting")
    created = an_act(EventKind.SUBMISSION, "created")
    over = a_move("active", "completed", "it is done", at=LATER)

    assert told(begun, created) == []
    (span,) = told(begun, created, over)

    assert (span.name, span.began_at, span.ended_at, span.error) == ("trial 3", NOW, LATER, "")
    assert names(span) == ["transition submitting", "submission created", "transition completed"]
    assert span.fields["sweeper.sweep"] == SWEEP.name
    assert span.fields["sweeper.trial"] == 3
    assert span.fields["sweeper.state"] == "completed"
    assert span.fields["sweeper.reason"] == "it is done"


def test_a_trial_that_failed_is_an_error_with_its_reason() -> None:
    (span,) = told(a_move("active", "failed", "exit code 3"))

    assert span.error == "exit code 3"


def test_ids_are_the_same_in_every_process_and_of_every_attempt() -> None:
    (first,) = told(a_move("active", "failed", attempt=1))
    (again,) = told(a_move("active", "completed", attempt=2, at=LATER))

    assert (first.trace_id, first.span_id) == (again.trace_id, again.span_id)
    assert first.trace_id == trace_id(SWEEP.id)
    assert first.parent_id == span_id(SWEEP.id, None)


def test_ids_of_trials_and_of_sweeps_differ() -> None:
    spans = {span_id(sweep, trial) for sweep in ("a", "b") for trial in (None, 0, 1)}

    assert len(spans) == 6
    assert trace_id("a") != trace_id("b")


def test_what_an_earlier_process_did_is_part_of_the_span() -> None:
    before = (a_move("waiting", "submitting"), an_act(EventKind.PREEMPTION, "seen"))

    (span,) = told(a_move("active", "completed", at=LATER), before=before)

    assert span.began_at == NOW
    assert names(span) == ["transition submitting", "preemption seen", "transition completed"]


def test_each_phase_is_marked_once_when_it_was_first_seen() -> None:
    spans: list[Span] = []
    traces = Traces(spans.append)
    traces.begin(SWEEP, [], [])

    for phase in (Phase.PENDING, Phase.RUNNING, Phase.RUNNING):
        traces.ticked(a_tick(seen_in(phase)))
    traces.recorded(SWEEP, [a_move("active", "completed", at=LATER)])

    assert names(spans[0]) == ["phase Pending", "phase Running", "transition completed"]
    assert spans[0].marks[0].fields["sweeper.phase"] == "Pending"
    assert spans[0].marks[0].fields["sweeper.attempt"] == 1


def test_the_phase_in_which_a_new_process_finds_a_trial_is_marked_once() -> None:
    spans: list[Span] = []
    traces = Traces(spans.append)

    traces.begin(SWEEP, [seen_in(Phase.RUNNING)], [])
    traces.ticked(a_tick(seen_in(Phase.RUNNING)))
    traces.recorded(SWEEP, [a_move("active", "completed", at=LATER)])

    assert names(spans[0]) == ["phase Running", "transition completed"]
    assert spans[0].marks[0].at == NOW


def test_what_comes_after_the_end_of_a_trial_is_no_new_story() -> None:
    spans: list[Span] = []
    traces = Traces(spans.append)
    traces.begin(SWEEP, [], [])
    traces.recorded(SWEEP, [a_move("active", "completed"), an_act(EventKind.DELETE, "accepted")])

    traces.ticked(a_tick())
    traces.recorded(SWEEP, [a_move("failed", "completed", at=LATER)])

    assert names(spans[1]) == ["transition completed"]


def test_of_very_many_marks_the_newest_are_kept() -> None:
    acts = [an_act(EventKind.PREEMPTION, "seen") for _ in range(MOST_MARKS + 5)]

    (span,) = told(*acts, a_move("active", "completed", at=LATER))

    assert len(span.marks) == MOST_MARKS
    assert names(span)[-1] == "transition completed"


def test_a_sweep_is_sent_when_it_has_ended_and_only_once() -> None:
    spans: list[Span] = []
    traces = Traces(spans.append)
    traces.begin(SWEEP, [], [])
    over = replace(SWEEP, state=SweepState.STOPPED, stop_reason="3 failures", ended_at=LATER)
    traces.recorded(over, [Event(at=LATER, kind=EventKind.SWEEP, outcome="stopped")])

    for sweep in (SWEEP, over, over):
        traces.ticked(a_tick(sweep=sweep))

    (span,) = spans
    assert (span.span_id, span.parent_id) == (span_id(SWEEP.id, None), None)
    assert (span.began_at, span.ended_at) == (SWEEP.created_at, LATER)
    assert names(span) == ["sweep stopped"]
    assert span.error == "3 failures"


def test_a_sweep_that_had_ended_before_is_not_sent_again() -> None:
    spans: list[Span] = []
    traces = Traces(spans.append)
    over = replace(SWEEP, state=SweepState.FINISHED, ended_at=NOW)

    traces.begin(over, [], [])
    traces.ticked(a_tick(sweep=over))

    assert spans == []
