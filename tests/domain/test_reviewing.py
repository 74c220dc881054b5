from dataclasses import replace
from typing import Any

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.planning import Snapshot
from sweeper.domain.record import (
    ObjectiveValue,
    SweepState,
    Totals,
    TrialView,
    Wish,
    WishKind,
)
from sweeper.domain.reviewing import (
    forgiving,
    granted,
    is_drained,
    is_held_up,
    is_settled,
    not_rejected,
    rejected,
    review,
    target_reached,
)
from sweeper.domain.sweep import Goal, LimitsSpec, ObjectiveSpec
from sweeper.domain.trial import Trial, TrialState
from tests.support.builders import NOW, a_snapshot, a_spec, a_sweep, a_trial, after

HELD = a_trial(state=TrialState.HELD)


def snapshot(state: SweepState, *live: Trial, done: bool = True, **fields: Any) -> Snapshot:
    """Return a sweep in `state`; with `done`, no trial is left to be started."""
    given: dict[str, Any] = {"next_number": 10 if done else 5}
    return a_snapshot(*live, sweep=a_sweep(state=state), **given | fields)


def with_failures(failed: int, *, planned: int | None = 10, **limits: Any) -> Snapshot:
    return replace(
        a_snapshot(planned=planned, spec=a_spec(limits=LimitsSpec(active=4, **limits))),
        totals=Totals(states={TrialState.FAILED: failed}, next_number=8),
    )


@pytest.mark.parametrize("state", [SweepState.OPEN, SweepState.PAUSED, SweepState.SUSPENDED])
def test_a_sweep_is_finished_once_every_trial_is_settled(state: SweepState) -> None:
    after_it = review(snapshot(state), NOW)

    assert (after_it.state, after_it.ended_at) == (SweepState.FINISHED, NOW)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(snapshot(SweepState.OPEN, done=False), id="trials left"),
        pytest.param(snapshot(SweepState.OPEN, a_trial()), id="a trial lives"),
        pytest.param(snapshot(SweepState.CANCELLING, a_trial()), id="a training lives"),
        pytest.param(snapshot(SweepState.STOPPED, a_trial()), id="stopped, one finishes"),
        pytest.param(snapshot(SweepState.FINISHED), id="finished"),
        pytest.param(snapshot(SweepState.CANCELLED), id="cancelled"),
        pytest.param(a_snapshot(planned=None, next_number=10**9), id="unbounded"),
    ],
)
def test_a_sweep_stays_as_it_is_until_something_changes(given: Snapshot) -> None:
    assert review(given, NOW) is given.sweep


def test_an_unbounded_sweep_is_finished_once_no_trial_is_wanted() -> None:
    given = a_snapshot(planned=None, exhausted=True)

    assert review(given, NOW).state is SweepState.FINISHED


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (SweepState.CANCELLING, SweepState.CANCELLED),
        (SweepState.STOPPED, SweepState.STOPPED),
    ],
)
def test_the_end_is_noted_once_nothing_lives(state: SweepState, end: SweepState) -> None:
    given = snapshot(state, done=False)

    ended = review(given, NOW)

    assert (ended.state, ended.ended_at) == (end, NOW)
    assert review(replace(given, sweep=ended), after(hours=1)) is ended


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(with_failures(2, failures=3), "", id="below the count"),
        pytest.param(with_failures(3, failures=3), "limits.failures: 3", id="at the count"),
        pytest.param(with_failures(2, failures_ratio=0.25), "", id="below the share"),
        pytest.param(with_failures(3, failures_ratio=0.25), "failures: 25%", id="at the share"),
        pytest.param(with_failures(0, failures_ratio=0.0), "", id="no failure at all"),
        pytest.param(with_failures(1, failures_ratio=0.0), "failures: 0%", id="the first"),
        pytest.param(
            with_failures(4, planned=None, failures_ratio=0.25), "", id="too small a sample"
        ),
        pytest.param(
            with_failures(5, planned=None, failures_ratio=0.25), "failures: 25%", id="unbounded"
        ),
        pytest.param(with_failures(10**6), "", id="no limit"),
    ],
)
def test_too_many_failures_stop_the_sweep(given: Snapshot, words: str) -> None:
    after_it = review(given, NOW)

    assert (after_it.state is SweepState.STOPPED) is bool(words)
    assert words in after_it.stop_reason


@pytest.mark.parametrize(("failed", "stops"), [(9, False), (10, True)])
def test_failures_that_a_person_forgave_do_not_stop_it_again(failed: int, stops: bool) -> None:
    given = with_failures(failed, failures=3)
    forgiven = replace(given.sweep, forgiven=7)

    after_it = review(replace(given, sweep=forgiven), NOW)

    assert (after_it.state is SweepState.STOPPED) is stops
    assert ("3 trials failed, beside 7 forgiven" in after_it.stop_reason) is stops


@pytest.mark.parametrize(
    ("state", "forgiven", "failed", "then"),
    [
        pytest.param(SweepState.STOPPED, 0, 3, 3, id="reopened"),
        pytest.param(SweepState.FINISHED, 1, 3, 3, id="reopened again"),
        pytest.param(SweepState.OPEN, 0, 3, 0, id="open anyway"),
        pytest.param(SweepState.OPEN, 3, 2, 2, id="a forgiven one was retried"),
    ],
)
def test_a_retry_forgives_what_it_leaves_failed_when_it_reopens_the_sweep(
    state: SweepState, forgiven: int, failed: int, then: int
) -> None:
    sweep = replace(a_sweep(state=state), forgiven=forgiven)
    wished = granted(sweep, [wish(WishKind.RETRY)])
    totals = Totals(states={TrialState.FAILED: failed}, next_number=8)

    assert forgiving(sweep, wished, totals).forgiven == then


def test_a_suspended_sweep_is_not_stopped_before_it_is_unpaused() -> None:
    given = with_failures(3, failures=3)
    suspended = replace(given.sweep, state=SweepState.SUSPENDED)

    assert review(replace(given, sweep=suspended), NOW) is suspended


def test_three_equal_refusals_in_a_row_stop_the_sweep() -> None:
    sweep = a_sweep()
    for words in ("a", "b", "b"):
        sweep = rejected(sweep, words, compliance=False)
    assert review(a_snapshot(sweep=sweep), NOW) is sweep

    sweep = rejected(sweep, "b", compliance=False)

    stopped = review(a_snapshot(sweep=sweep), NOW)
    assert stopped.state is SweepState.STOPPED
    assert stopped.stop_reason == "the control plane refuses its trainings: b"


def test_one_broken_policy_stops_the_sweep_whatever_else_is_answered() -> None:
    sweep = rejected(a_sweep(), "policy", compliance=True)

    sweep = rejected(not_rejected(sweep), "other words", compliance=False)

    assert review(a_snapshot(sweep=sweep), NOW).state is SweepState.STOPPED


def test_a_create_that_succeeds_ends_the_row_of_refusals() -> None:
    sweep = a_sweep()
    twice = rejected(rejected(sweep, "a", compliance=False), "a", compliance=False)

    assert not_rejected(twice) == sweep
    assert not_rejected(sweep) is sweep


GIVEN_UP = replace(HELD, cancel_asked_at=NOW)
STUCK = a_trial(state=TrialState.HELD, phase=Phase.DELETING, cancel_asked_at=NOW)


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        pytest.param(snapshot(SweepState.FINISHED), True, id="finished"),
        pytest.param(snapshot(SweepState.CANCELLED), True, id="cancelled"),
        pytest.param(snapshot(SweepState.STOPPED, done=False), True, id="stopped"),
        pytest.param(snapshot(SweepState.STOPPED, a_trial(), done=False), False, id="one lives"),
        pytest.param(snapshot(SweepState.STOPPED, HELD, done=False), True, id="stopped, held"),
        pytest.param(snapshot(SweepState.OPEN, HELD), True, id="only held"),
        pytest.param(snapshot(SweepState.OPEN, HELD, a_trial(1)), False, id="not only held"),
        pytest.param(snapshot(SweepState.OPEN, HELD, done=False), False, id="held, trials left"),
        pytest.param(snapshot(SweepState.OPEN, GIVEN_UP), False, id="held, to be deleted"),
        pytest.param(snapshot(SweepState.OPEN, STUCK), True, id="cannot be deleted"),
        pytest.param(snapshot(SweepState.CANCELLING, HELD), False, id="cancelling, held"),
        pytest.param(snapshot(SweepState.CANCELLING, STUCK, done=False), True, id="stuck"),
        pytest.param(snapshot(SweepState.CANCELLING), False, id="its end is not noted yet"),
        pytest.param(snapshot(SweepState.OPEN, done=False), False, id="open"),
        pytest.param(snapshot(SweepState.PAUSED, done=False), False, id="paused"),
    ],
)
def test_a_sweep_is_settled_when_only_a_person_can_go_on(given: Snapshot, settled: bool) -> None:
    assert is_settled(given) is settled


SUSPENDED = SweepState.SUSPENDED


@pytest.mark.parametrize(
    ("given", "drained"),
    [
        pytest.param(snapshot(SweepState.OPEN, a_trial()), True, id="nothing asked for"),
        pytest.param(snapshot(SweepState.OPEN, a_trial(cancel_asked_at=NOW)), False, id="given up"),
        pytest.param(snapshot(SweepState.OPEN, STUCK), True, id="cannot be deleted"),
        pytest.param(snapshot(SweepState.OPEN, HELD, a_trial(1)), True, id="held, not given up"),
        pytest.param(snapshot(SweepState.OPEN, GIVEN_UP), False, id="held and given up"),
        pytest.param(snapshot(SweepState.CANCELLING), False, id="cancelling"),
        pytest.param(snapshot(SUSPENDED, a_trial()), False, id="still running"),
        pytest.param(snapshot(SUSPENDED, a_trial(phase=Phase.STOPPED)), True, id="stopped"),
        pytest.param(snapshot(SUSPENDED, a_trial(workload_id=None)), True, id="left open"),
        pytest.param(
            snapshot(SUSPENDED, a_trial(state=TrialState.INTERRUPTED, ended_at=NOW)),
            True,
            id="between attempts",
        ),
    ],
)
def test_a_sweep_is_drained_when_what_was_asked_for_is_done(given: Snapshot, drained: bool) -> None:
    assert is_drained(given) is drained


def wish(kind: WishKind, trial: int | None = None) -> Wish:
    return Wish(kind=kind, at=NOW, trial=trial)


STATES_AFTER = {
    WishKind.PAUSE: dict.fromkeys(["open", "paused", "suspended"], "paused"),
    WishKind.SUSPEND: dict.fromkeys(["open", "paused", "suspended"], "suspended"),
    WishKind.UNPAUSE: dict.fromkeys(["open", "paused", "suspended"], "open"),
    WishKind.CANCEL: dict.fromkeys(["open", "paused", "suspended", "stopped"], "cancelling"),
    WishKind.RETRY: dict.fromkeys(["stopped", "finished"], "open"),
    WishKind.ENQUEUE: dict.fromkeys(["stopped", "finished"], "open"),
    WishKind.THAW: dict.fromkeys(["open", "paused", "suspended"], "open"),
    WishKind.ADOPT: {},
}


@pytest.mark.parametrize("state", SweepState)
@pytest.mark.parametrize("kind", WishKind)
def test_every_wish_has_an_effect_or_none_in_every_state(kind: WishKind, state: SweepState) -> None:
    sweep = granted(a_sweep(state=state), [wish(kind)])

    assert sweep.state == STATES_AFTER[kind].get(state, state)
    assert granted(sweep, [wish(kind)]) == sweep


def test_giving_up_one_trial_leaves_the_sweep_alone() -> None:
    sweep = a_sweep()

    assert granted(sweep, [wish(WishKind.CANCEL, trial=3)]) is sweep


def test_wishes_are_granted_in_their_order() -> None:
    wishes = [wish(WishKind.PAUSE), wish(WishKind.UNPAUSE), wish(WishKind.SUSPEND)]

    assert granted(a_sweep(), wishes).state is SweepState.SUSPENDED


def test_a_sweep_is_reopened_without_its_old_reasons() -> None:
    stopped = replace(
        rejected(a_sweep(state=SweepState.STOPPED), "words", compliance=True),
        stop_reason="refused",
        ended_at=NOW,
    )

    assert granted(stopped, [wish(WishKind.RETRY)]) == a_sweep()


def view(best: float) -> TrialView:
    value = ObjectiveValue(best=best, last=best, reports=1, updated_at=NOW)
    return TrialView(trial=a_trial(), objective=value)


@pytest.mark.parametrize(
    ("goal", "best", "reached"),
    [
        (Goal.MINIMIZE, 0.6, False),
        (Goal.MINIMIZE, 0.5, True),
        (Goal.MAXIMIZE, 0.4, False),
        (Goal.MAXIMIZE, 0.5, True),
    ],
)
def test_a_target_is_reached_at_it_or_beyond(goal: Goal, best: float, reached: bool) -> None:
    objective = ObjectiveSpec(name="loss", goal=goal, target=0.5)

    assert target_reached(objective, view(best)) is reached


@pytest.mark.parametrize(
    ("objective", "best"),
    [
        (None, view(0)),
        (ObjectiveSpec(name="loss"), view(0)),
        (ObjectiveSpec(name="loss", target=0.5), None),
        (ObjectiveSpec(name="loss", target=0.5), TrialView(trial=a_trial(), objective=None)),
    ],
)
def test_without_a_target_or_a_value_nothing_is_reached(
    objective: ObjectiveSpec | None, best: TrialView | None
) -> None:
    assert not target_reached(objective, best)


def test_a_sweep_on_the_ramp_is_proven_by_its_first_training_at_work() -> None:
    given = a_snapshot(a_trial(first_running_at=after(seconds=5)), ramps=True)

    assert review(given, after(hours=1)).first_running_at == after(seconds=5)


def test_a_sweep_on_the_ramp_is_proven_by_a_trial_that_completed_unseen() -> None:
    totals = Totals(states={TrialState.COMPLETED: 1}, next_number=1)
    given = replace(a_snapshot(ramps=True), totals=totals)

    assert review(given, after(hours=1)).first_running_at == after(hours=1)


def test_a_sweep_without_a_ramp_needs_no_proof() -> None:
    assert review(a_snapshot(a_trial()), NOW).first_running_at is None


def test_a_frozen_sweep_is_reviewed_as_such() -> None:
    lost = [a_trial(number, missing_since=NOW, lost_since=NOW) for number in range(9)]

    assert review(a_snapshot(*lost), NOW).frozen is not None


def test_a_single_refusal_is_forgotten_after_a_create_that_succeeds() -> None:
    assert not_rejected(rejected(a_sweep(), "a", compliance=False)) == a_sweep()


def test_what_a_person_says_is_gone_counts_from_when_they_said_so() -> None:
    said = Wish(kind=WishKind.THAW, at=after(seconds=5))

    sweep = granted(a_sweep(frozen="7 of 9", state=SweepState.PAUSED), [said])

    assert (sweep.thawed_at, sweep.frozen) == (after(seconds=5), None)


@pytest.mark.parametrize(
    ("state", "frozen", "is_held"),
    [(SUSPENDED, "why", True), (SUSPENDED, None, False), (SweepState.OPEN, "why", False)],
)
def test_only_a_suspend_is_held_up_by_frozen_writes(
    state: SweepState, frozen: str | None, is_held: bool
) -> None:
    assert is_held_up(a_sweep(state=state, frozen=frozen)) is is_held
