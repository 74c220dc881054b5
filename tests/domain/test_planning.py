from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.actions import Action, Delete, LookUp, Record, Resume, Submit
from sweeper.domain.leaving import OnExit
from sweeper.domain.phase import Phase
from sweeper.domain.planning import REFUSALS, Draft, Snapshot, guard, is_exhausted, plan, sent_at
from sweeper.domain.record import EventKind, SlotGuard, SweepState, Totals
from sweeper.domain.sweep import LimitsSpec, ResumeSpec, UserSuspended
from sweeper.domain.trial import TERMINAL_STATES, FailureClass, Trial, TrialState
from sweeper.domain.values import Params
from tests.support.builders import (
    NOW,
    a_draft,
    a_snapshot,
    a_spec,
    a_submission,
    a_sweep,
    a_trial,
    after,
    workload_name,
)


def limited(*live: Trial, active: int = 4, submitted: int = 0, **limits: Any) -> Snapshot:
    spec = a_spec(limits=LimitsSpec(active=active, **limits))
    return a_snapshot(*live, spec=spec, submitted=submitted)


def asking(*gpus: int | Fraction) -> Any:
    """Return a drafting in which trial n asks for the n-th number of GPUs (the last for all)."""

    def draft(number: int, attempt: int, params: Params | None) -> Draft:
        return a_draft(number, attempt, params, gpus[min(number, len(gpus) - 1)])

    return draft


def numbers(actions: Sequence[Action], kind: type[Action] = Submit) -> list[int]:
    return [action.trial.number for action in actions if isinstance(action, kind)]


def due(number: int, *, retry_at: Any = NOW) -> Trial:
    """Return a trial whose first attempt failed and whose next one is due."""
    return a_trial(
        number,
        state=TrialState.INTERRUPTED,
        phase=Phase.FAILED,
        ended_at=NOW,
        running_since=None,
        retry_at=retry_at,
        failure=FailureClass.INFRASTRUCTURE,
    )


def test_free_slots_are_filled_in_the_order_of_the_trials() -> None:
    assert numbers(plan(limited(), a_draft, NOW)) == [0, 1, 2, 3]


def test_an_intent_holds_name_and_time_before_anything_is_sent() -> None:
    action = plan(limited(active=1), a_draft, NOW)[0]

    assert isinstance(action, Submit)
    assert action.before is None
    assert action.trial.state is TrialState.SUBMITTING
    submission = action.trial.submission
    assert (submission.attempt, submission.workload_name) == (1, workload_name(0))
    assert (submission.intent_at, submission.sent_at) == (NOW, NOW)
    assert [event.detail for event in action.events] == ["waiting -> submitting"]


@pytest.mark.parametrize(
    ("snapshot", "count"),
    [
        pytest.param(limited(a_trial(0), a_trial(1)), 2, id="active"),
        pytest.param(limited(*map(a_trial, range(4)), active=2), 0, id="lowered"),
        pytest.param(limited(a_trial(0), a_trial(1, phase=Phase.PENDING), pending=2), 1, id="pend"),
        pytest.param(limited(pending=0), 0, id="no pending"),
        pytest.param(limited(submit_per_minute=3, submitted=2), 1, id="rate"),
        pytest.param(limited(submit_per_minute=3, submitted=9), 0, id="rate exceeded"),
        pytest.param(limited(a_trial(0, state=TrialState.HELD), active=1), 0, id="held"),
        pytest.param(limited(a_trial(0, workload_id=None), active=1), 0, id="left open"),
        pytest.param(limited(due(0, retry_at=after(seconds=9)), active=1), 1, id="between"),
    ],
)
def test_no_more_is_submitted_than_the_limits_leave(snapshot: Snapshot, count: int) -> None:
    assert len(numbers(plan(snapshot, a_draft, NOW))) == count


def test_fractions_of_gpus_are_summed_exactly() -> None:
    snapshot = limited(active=99, gpus=Fraction(1))

    assert len(numbers(plan(snapshot, asking(Fraction(1, 10)), NOW))) == 10


def test_a_large_trial_is_not_starved_by_small_ones() -> None:
    busy = a_trial(0, gpus=Fraction(3))
    snapshot = limited(busy, gpus=Fraction(4))

    assert numbers(plan(snapshot, asking(3, 4, 1), NOW)) == []


def test_a_trial_that_can_never_fit_fails_and_lets_others_pass() -> None:
    actions = plan(limited(active=1, gpus=Fraction(2)), asking(1, 8, 1), NOW)
    assert numbers(actions) == [0]

    actions = plan(
        replace(limited(gpus=Fraction(2)), totals=Totals(next_number=1)), asking(1, 8, 1), NOW
    )

    (refused,) = (action for action in actions if isinstance(action, Record))
    assert (refused.trial.number, refused.trial.state) == (1, TrialState.FAILED)
    assert refused.trial.reason == "it asks for 8 GPUs, and limits.gpus is 2"
    assert not refused.trial.holds_slot
    assert numbers(actions) == [2, 3]


def test_a_trial_that_cannot_be_made_fails_with_the_reason() -> None:
    def draft(number: int, attempt: int, params: Params | None) -> Draft:
        fault = "parameters.lr: a control character" if number == 0 else ""
        return replace(a_draft(number, attempt, params), fault=fault)

    actions = plan(limited(active=1), draft, NOW)

    (failed,) = (action.trial for action in actions if isinstance(action, Record))
    assert (failed.number, failed.reason) == (0, "parameters.lr: a control character")
    assert numbers(actions) == [1]


def test_an_attempt_that_cannot_be_made_any_more_fails_its_trial() -> None:
    snapshot = limited(replace(due(0), submission=a_submission(ended_at=NOW)), gpus=Fraction(2))

    actions = plan(replace(snapshot, exhausted=True), asking(8), NOW)

    (action,) = actions
    assert (action.trial.state, action.trial.retry_at) == (TrialState.FAILED, None)


def test_a_sweep_without_end_that_never_fits_is_refused_in_steps() -> None:
    snapshot = replace(limited(gpus=Fraction(2)), planned=None)

    actions = plan(snapshot, asking(8), NOW)

    assert numbers(actions, Record) == list(range(REFUSALS))


def test_a_refusal_counts_towards_the_rate() -> None:
    snapshot = limited(gpus=Fraction(2), submit_per_minute=3)

    assert numbers(plan(snapshot, asking(8), NOW), Record) == [0, 1, 2]


def test_attempts_that_are_due_come_before_new_trials() -> None:
    late, early = due(0, retry_at=NOW), due(1, retry_at=after(seconds=-9))

    assert numbers(plan(limited(late, early), a_draft, NOW)) == [1, 0, 2, 3, 4, 5][:4]


def test_a_resubmit_is_a_new_attempt_under_a_new_name() -> None:
    action = plan(limited(due(3), active=1), a_draft, NOW)[0]

    submission = action.trial.submission
    assert (submission.attempt, submission.workload_name) == (2, workload_name(3, 2))
    assert (submission.workload_id, submission.phase) == (None, Phase.UNKNOWN)
    assert action.trial.retry_at is None
    kinds = [event.kind for event in action.events]
    assert kinds == [EventKind.RESUBMIT, EventKind.TRANSITION]
    assert action.events[0].outcome == FailureClass.INFRASTRUCTURE


def test_a_trial_that_was_given_up_gets_no_further_attempt() -> None:
    given_up = replace(due(0), cancel_asked_at=NOW)

    actions = plan(limited(given_up, active=1), a_draft, NOW)

    assert numbers(actions, Record) == [0]
    assert numbers(actions) == [1]


def test_a_slot_that_is_given_back_is_filled_at_once() -> None:
    unsent = a_trial(0, state=TrialState.SUBMITTING, workload_id=None, sent_at=None)
    given_up = replace(unsent, cancel_asked_at=NOW)

    assert numbers(plan(limited(given_up, active=1), a_draft, NOW)) == [1]


def test_a_retry_set_far_ahead_by_another_clock_is_due() -> None:
    assert numbers(plan(limited(due(0, retry_at=after(days=1)), active=1), a_draft, NOW)) == [0]


@pytest.mark.parametrize("state", sorted(set(SweepState) - {SweepState.OPEN}))
def test_only_an_open_sweep_submits(state: SweepState) -> None:
    snapshot = replace(limited(due(0)), sweep=a_sweep(state=state))

    assert numbers(plan(snapshot, a_draft, NOW)) == []


def test_no_create_is_planned_while_creates_are_closed() -> None:
    unsent = a_trial(0, state=TrialState.SUBMITTING, workload_id=None, sent_at=None)
    open_ = a_trial(1, state=TrialState.SUBMITTING, workload_id=None, sent_at=after(minutes=-1))
    snapshot = replace(limited(unsent, open_), creates_open=False)

    actions = plan(snapshot, a_draft, NOW)

    assert numbers(actions) == []
    assert numbers(actions, LookUp) == [1]


def test_no_new_trial_is_wanted_once_exhausted_but_attempts_go_on() -> None:
    snapshot = replace(limited(due(0)), exhausted=True)

    assert numbers(plan(snapshot, a_draft, NOW)) == [0]


def test_a_sweep_ends_with_its_last_trial() -> None:
    assert numbers(plan(replace(limited(), planned=2), a_draft, NOW)) == [0, 1]


def test_a_billion_trials_are_planned_as_fast_as_ten() -> None:
    snapshot = replace(limited(), planned=10**9, totals=Totals(next_number=10**9 - 2))

    assert numbers(plan(snapshot, a_draft, NOW)) == [10**9 - 2, 10**9 - 1]


@pytest.mark.parametrize(
    ("planned", "following", "exhausted", "expected"),
    [
        (10, 9, False, False),
        (10, 10, False, True),
        (None, 10**9, False, False),
        (None, 0, True, True),
    ],
)
def test_exhausted_means_that_no_trial_is_left_to_start(
    planned: int | None, following: int, exhausted: bool, expected: bool
) -> None:
    snapshot = a_snapshot(planned=planned, next_number=following, exhausted=exhausted)

    assert is_exhausted(snapshot) is expected


def test_what_gives_slots_back_comes_first_and_new_work_last() -> None:
    live = [
        a_trial(0, state=TrialState.SUBMITTING, workload_id=None, sent_at=after(minutes=-1)),
        a_trial(1, state=TrialState.INTERRUPTED, phase=Phase.STOPPED),
        a_trial(2, cancel_asked_at=NOW),
        a_trial(3, phase=Phase.FAILED),
        a_trial(4, state=TrialState.INTERRUPTED, ended_at=NOW, cancel_asked_at=NOW),
    ]

    actions = plan(limited(*live, active=6), a_draft, NOW)

    assert [type(action).__name__ for action in actions] == [
        *["Record", "Delete", "LookUp", "Inspect", "Resume"],
        *["Submit", "Submit"],
    ]


def test_a_create_that_is_sent_later_than_planned_counts_from_then() -> None:
    (action,) = plan(limited(active=1), a_draft, NOW)
    assert isinstance(action, Submit)

    submission = sent_at(action, after(seconds=9)).trial.submission

    assert (submission.sent_at, submission.intent_at) == (after(seconds=9), after(seconds=9))


def test_a_create_that_is_sent_again_keeps_the_time_of_its_intent() -> None:
    unsent = a_trial(0, state=TrialState.SUBMITTING, workload_id=None, sent_at=None)
    (action,) = plan(limited(unsent, active=1), a_draft, NOW)
    assert isinstance(action, Submit)

    submission = sent_at(action, after(seconds=9)).trial.submission

    assert (submission.sent_at, submission.intent_at) == (after(seconds=9), NOW)


def test_the_guard_says_what_the_plan_kept_to() -> None:
    limits = LimitsSpec(active=4, pending=2, gpus=Fraction(3), submit_per_minute=9)

    bound = guard(limits, NOW)

    assert bound == SlotGuard(
        active=4, pending=2, gpus=Fraction(3), submissions=9, since=after(seconds=-60)
    )


# Whatever is stored and whatever the clock says, planning must hold to the limits and find
# nothing more to do once its intents are recorded.
UNSETTLED = sorted(set(TrialState) - TERMINAL_STATES - {TrialState.WAITING})
times = st.none() | st.integers(-4000, 4000).map(lambda seconds: after(seconds=seconds))
counts = st.integers(0, 25)


@st.composite
def trials(draw: st.DrawFn, number: int) -> Trial:
    known = draw(st.booleans())
    phase = draw(st.sampled_from(sorted(set(Phase) - {Phase.COMPLETED})))
    ended = draw(st.sampled_from([None, None, None, NOW]))
    submission = a_submission(
        number,
        workload_id=f"id-{number}" if known else None,
        phase=phase if known else Phase.UNKNOWN,
        gpus=draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(2)])),
        sent_at=NOW if known else draw(times),
        looked_up_at=draw(times),
        next_call_at=draw(times),
        seen_at=draw(times),
        missing_since=draw(times),
        suspend_sent_at=draw(times),
        resume_sent_at=draw(times),
        delete_sent_at=draw(times),
        calls_failed=draw(st.integers(0, 2)),
        resumes=draw(counts),
        quick_stops=draw(st.integers(0, 4)),
        ended_at=ended,
    )
    return a_trial(
        number,
        submission=submission,
        state=TrialState.INTERRUPTED if ended else draw(st.sampled_from(UNSETTLED)),
        retry_at=draw(times) if ended else None,
        cancel_asked_at=draw(times),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    live = [draw(trials(number)) for number in range(draw(st.integers(0, 4)))]
    optional = st.none() | st.integers(0, 6)
    gpus = draw(optional)
    limits = LimitsSpec(
        active=draw(st.integers(0, 6)),
        pending=draw(optional),
        gpus=None if gpus is None else Fraction(gpus),
        submit_per_minute=draw(optional),
    )
    resume = ResumeSpec(
        backoff=draw(st.sampled_from([timedelta(), timedelta(seconds=30)])),
        user_suspended=draw(st.sampled_from(UserSuspended)),
    )
    spec = a_spec(limits=limits, resume=resume)
    on_exit = draw(st.sampled_from(OnExit))
    return a_snapshot(
        *live,
        spec=spec,
        sweep=a_sweep(state=draw(st.sampled_from(SweepState))),
        planned=draw(st.sampled_from([None, 5, 9])),
        submitted=draw(st.integers(0, 6)),
        exhausted=draw(st.booleans()),
        creates_open=on_exit is OnExit.LEAVE and draw(st.booleans()),
        on_exit=on_exit,
        next_number=len(live),
    )


def recorded(snapshot: Snapshot, actions: Sequence[Action]) -> Snapshot:
    """Return the snapshot once the intents of `actions` are in the store."""
    kept = {trial.number: trial for trial in snapshot.live}
    kept |= {action.trial.number: action.trial for action in actions}
    begun = _begun(actions)
    following = max(snapshot.totals.next_number, *(number + 1 for number in kept), 0)
    return replace(
        snapshot,
        live=tuple(trial for trial in kept.values() if not trial.state.is_terminal),
        totals=Totals(next_number=following),
        submitted=snapshot.submitted + len(begun),
    )


def _begun(actions: Sequence[Action]) -> list[Submit]:
    return [action for action in actions if isinstance(action, Submit) and action.begins_attempt]


def draft_mixed(number: int, attempt: int, params: Params | None) -> Draft:
    sizes = [Fraction(0), Fraction(1, 3), Fraction(1), Fraction(5)]
    return a_draft(number, attempt, params, sizes[number % 4])


@settings(max_examples=100)
@given(snapshot=snapshots())
def test_planning_on_the_result_of_a_plan_yields_nothing_new(snapshot: Snapshot) -> None:
    # An unbounded sweep with room asks for more than any plan may refuse at once.
    bounded = replace(snapshot, planned=snapshot.planned or 60)

    once = recorded(bounded, plan(bounded, draft_mixed, NOW))

    assert plan(once, draft_mixed, NOW) == ()


@settings(max_examples=100)
@given(snapshot=snapshots())
def test_no_plan_goes_over_a_limit(snapshot: Snapshot) -> None:
    limits = snapshot.spec.limits
    actions = plan(snapshot, draft_mixed, NOW)
    begun = _begun(actions)

    holding = [trial for trial in recorded(snapshot, actions).live if trial.holds_slot]
    if begun:
        assert len(holding) <= limits.active
        assert limits.gpus is None or sum(one.submission.gpus for one in holding) <= limits.gpus
        pending = sum(not one.submission.is_at_work for one in holding)
        assert limits.pending is None or pending <= limits.pending
        rate = limits.submit_per_minute
        assert rate is None or snapshot.submitted + len(begun) <= rate


@settings(max_examples=100)
@given(snapshot=snapshots())
def test_a_plan_does_one_thing_at_a_time_for_a_trial_and_ends_none_that_lives(
    snapshot: Snapshot,
) -> None:
    actions = plan(snapshot, draft_mixed, NOW)

    planned = [action.trial.number for action in actions]
    assert len(planned) == len(set(planned))
    for action in actions:
        if action.before is not None and action.before.submission.workload_id is not None:
            lived = action.before.holds_slot
            assert not (lived and action.trial.state.is_terminal)
        if isinstance(action, Resume | Delete):
            assert action.trial.submission.workload_id is not None


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(due(0), id="an attempt is due"),
        pytest.param(a_trial(0, state=TrialState.INTERRUPTED, phase=Phase.STOPPED), id="stopped"),
        pytest.param(
            a_trial(0, state=TrialState.SUBMITTING, workload_id=None, sent_at=None), id="unsent"
        ),
        pytest.param(
            a_trial(0, phase=Phase.CREATING, seen_at=after(days=9)), id="too long in a phase"
        ),
    ],
)
def test_a_frozen_sweep_writes_nothing(trial: Trial) -> None:
    snapshot = a_snapshot(trial)
    frozen = replace(snapshot, sweep=a_sweep(frozen="many are lost"))

    assert plan(snapshot, a_draft, after(hours=1)) != ()
    assert plan(frozen, a_draft, after(hours=1)) == ()


def test_a_frozen_sweep_still_looks_up_what_was_left_open() -> None:
    trial = a_trial(0, state=TrialState.SUBMITTING, workload_id=None)
    frozen = replace(a_snapshot(trial), sweep=a_sweep(frozen="many are lost"))

    actions = plan(frozen, a_draft, after(seconds=9))

    assert [type(action) for action in actions] == [LookUp]
