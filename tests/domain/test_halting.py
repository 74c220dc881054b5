from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.actions import Action, Delete, Record, Resume, Submit, Suspend
from sweeper.domain.phase import Phase
from sweeper.domain.planning import Snapshot, plan
from sweeper.domain.record import (
    Comparison,
    EventKind,
    ObjectiveValue,
    RungPlace,
    SweepState,
    Totals,
)
from sweeper.domain.stopping import last_place
from sweeper.domain.sweep import (
    EarlyTerminateSpec,
    Goal,
    LimitsSpec,
    ObjectiveSpec,
    StoppingAction,
    StoppingRule,
)
from sweeper.domain.trial import Halt, Trial, TrialState
from tests.support.builders import NOW, a_draft, a_snapshot, a_spec, a_sweep, a_trial

ASHA = EarlyTerminateSpec(rule=StoppingRule.ASHA, action=StoppingAction.PROMOTE, rungs=(1, 3, 9))
HALVING = replace(ASHA, rule=StoppingRule.SUCCESSIVE_HALVING)
BAND = EarlyTerminateSpec(rungs=(3, 9))


def at_rung(rung: int, value: float, **fields: Any) -> ObjectiveValue:
    given: dict[str, Any] = {
        "best": value,
        "last": value,
        "reports": rung,
        "updated_at": NOW,
        "iterations": rung,
        "best_at": rung,
        "rung": rung,
        "rung_value": value,
    }
    return ObjectiveValue(**given | fields)


def parked(number: int, rung: int = 1, **fields: Any) -> Trial:
    """Return a trial whose training is suspended, for it was poor at `rung`."""
    given: dict[str, Any] = {
        "state": TrialState.PARKED,
        "phase": Phase.STOPPED,
        "running_since": None,
        "suspend_sent_at": NOW,
        "halt": Halt.PARK,
        "rung": rung,
    }
    return a_trial(number, **given | fields)


def comparing(
    early: EarlyTerminateSpec,
    *live: Trial,
    reached: dict[int, ObjectiveValue],
    others: Sequence[tuple[int, float]] = (),
    goal: Goal = Goal.MINIMIZE,
    **fields: Any,
) -> Snapshot:
    """Return what a plan sees; `others` are rung and value of trials that are settled."""
    there: dict[int, list[tuple[float, int]]] = {}
    for number, one in reached.items():
        there.setdefault(one.rung, []).append((one.rung_value or 0.0, number))
    for number, (rung, value) in enumerate(others, start=1000):
        there.setdefault(rung, []).append((value, number))
    places: dict[tuple[int, int], RungPlace] = {}
    for rung, values in there.items():
        values.sort(key=lambda pair: (pair[0] if goal is Goal.MINIMIZE else -pair[0], pair[1]))
        place = last_place(early, len(values))
        places[rung, 0] = RungPlace(reached=len(values))
        if place is not None:
            value, trial = values[place]
            places[rung, 0] = RungPlace(reached=len(values), trial=trial, value=value)
    spec = a_spec(
        early_terminate=early,
        objective=ObjectiveSpec(name="loss", goal=goal),
        limits=LimitsSpec(active=fields.pop("active", 4)),
    )
    comparison = Comparison(progress=reached, places=places)
    return a_snapshot(*live, spec=spec, comparison=comparison, **fields)


def ended(*live: Trial, **fields: Any) -> dict[str, Any]:
    """Return what makes a sweep one in which no trial is left to be begun."""
    return {"planned": max((trial.number for trial in live), default=0) + 1, **fields}


def the_decisions(actions: Sequence[Action]) -> list[tuple[int | None, str]]:
    events = [event for action in actions for event in action.events]
    return [(one.trial, one.outcome) for one in events if one.kind is EventKind.DECISION]


def test_a_poor_trial_is_pruned_and_its_training_deleted() -> None:
    good, poor = a_trial(0), a_trial(1)
    values = {0: at_rung(3, 0.1), 1: at_rung(3, 0.9)}

    actions = plan(comparing(BAND, good, poor, reached=values, active=2), a_draft, NOW)

    (delete,) = actions
    assert isinstance(delete, Delete)
    assert (delete.trial.number, delete.trial.halt, delete.trial.rung) == (1, Halt.PRUNE, 3)
    (decision,) = delete.events
    assert decision.detail == "rule=hyperband rung=3 value=0.9 threshold=0.1 reached=2"


def test_larger_is_better_where_the_goal_says_so() -> None:
    values = {0: at_rung(3, 0.1), 1: at_rung(3, 0.9)}
    snapshot = comparing(BAND, a_trial(0), a_trial(1), reached=values, goal=Goal.MAXIMIZE, active=2)

    assert the_decisions(plan(snapshot, a_draft, NOW)) == [(0, "pruned")]


def test_who_is_not_strict_is_judged_by_the_best_so_far() -> None:
    values = {0: at_rung(3, 0.1), 1: at_rung(3, 0.9, best=0.05)}
    lenient = replace(BAND, strict=False)
    snapshot = comparing(lenient, a_trial(0), a_trial(1), reached=values, active=2)

    assert plan(snapshot, a_draft, NOW) == ()


def test_median_leaves_all_alone_until_enough_got_there() -> None:
    median = EarlyTerminateSpec(rule=StoppingRule.MEDIAN, rungs=(3,), min_trials=3)
    values = {0: at_rung(3, 0.9)}

    few = comparing(median, a_trial(0), reached=values, others=[(3, 0.1)], active=1)
    enough = comparing(median, a_trial(0), reached=values, others=[(3, 0.1), (3, 0.2)], active=1)

    assert plan(few, a_draft, NOW) == ()
    assert the_decisions(plan(enough, a_draft, NOW)) == [(0, "pruned")]


@pytest.mark.parametrize(
    ("early", "poor", "good"),
    [
        pytest.param(
            EarlyTerminateSpec(rule=StoppingRule.THRESHOLD, rungs=(3,), threshold=0.5),
            at_rung(3, 0.6),
            at_rung(3, 0.5),
            id="threshold",
        ),
        pytest.param(
            EarlyTerminateSpec(rule=StoppingRule.PATIENCE, patience=4),
            at_rung(0, 0.6, iterations=9, best_at=5),
            at_rung(0, 0.6, iterations=9, best_at=6),
            id="patience",
        ),
        pytest.param(
            EarlyTerminateSpec(rule=StoppingRule.PERCENTILE, rungs=(3,), percentile=25),
            at_rung(3, 0.4),
            at_rung(3, 0.1),
            id="percentile",
        ),
        pytest.param(
            EarlyTerminateSpec(rule=StoppingRule.ASHA, rungs=(3,)),
            at_rung(3, 0.25),
            at_rung(3, 0.1),
            id="asha that stops",
        ),
    ],
)
def test_each_rule_tells_poor_from_good(
    early: EarlyTerminateSpec, poor: ObjectiveValue, good: ObjectiveValue
) -> None:
    others = [(3, 0.15), (3, 0.2), (3, 0.3)]

    def found(value: ObjectiveValue) -> list[tuple[int | None, str]]:
        snapshot = comparing(early, a_trial(0), reached={0: value}, others=others, active=1)
        return the_decisions(plan(snapshot, a_draft, NOW))

    assert found(poor) == [(0, "pruned")]
    assert (0, "pruned") not in found(good)


def test_a_trial_that_is_poor_at_a_rung_is_parked() -> None:
    values = {0: at_rung(1, 0.9)}

    actions = plan(comparing(ASHA, a_trial(0), reached=values, active=1), a_draft, NOW)

    (suspend,) = actions
    assert isinstance(suspend, Suspend)
    assert (suspend.trial.halt, suspend.trial.rung) == (Halt.PARK, 1)
    assert suspend.trial.submission.suspend_sent_at == NOW
    assert the_decisions(actions) == [(0, "parked")]


def test_one_of_the_best_share_goes_on_without_a_pause() -> None:
    values = {0: at_rung(1, 0.1)}
    others = [(1, 0.2), (1, 0.3)]
    snapshot = comparing(ASHA, a_trial(0), reached=values, others=others, active=1)

    (record,) = plan(snapshot, a_draft, NOW)

    assert isinstance(record, Record)
    assert (record.trial.halt, record.trial.rung) == (None, 1)
    assert the_decisions([record]) == [(0, "kept")]


def test_what_is_parked_holds_no_slot() -> None:
    values = {0: at_rung(1, 0.9)}

    actions = plan(comparing(ASHA, parked(0), reached=values, active=1), a_draft, NOW)

    assert [(type(one), one.trial.number) for one in actions] == [(Submit, 1)]


def test_a_parked_trial_among_the_best_is_promoted_before_a_new_one_begins() -> None:
    values = {0: at_rung(1, 0.1)}
    snapshot = comparing(ASHA, parked(0), reached=values, others=[(1, 0.2), (1, 0.3)], active=1)

    (resume,) = plan(snapshot, a_draft, NOW)

    assert isinstance(resume, Resume)
    assert (resume.trial.state, resume.trial.halt) == (TrialState.RESUMING, None)
    assert resume.trial.submission.resumes == 0
    assert resume.takes_slot
    assert the_decisions([resume]) == [(0, "promoted")]


def test_promotions_wait_for_a_slot_the_highest_rung_first() -> None:
    values = {0: at_rung(1, 0.1), 1: at_rung(3, 0.5), 2: at_rung(1, 0.9)}
    others = [(1, 0.2), (1, 0.3), (3, 0.6), (3, 0.7)]
    live = (parked(0), parked(1, 3), a_trial(2, rung=1))

    actions = plan(comparing(ASHA, *live, reached=values, others=others, active=2), a_draft, NOW)

    assert [one.trial.number for one in actions if isinstance(one, Resume)] == [1]


def test_when_no_other_may_get_to_a_rung_the_rest_of_it_is_pruned() -> None:
    live = (parked(0), parked(1), a_trial(2, rung=3))
    values = {0: at_rung(1, 0.8), 1: at_rung(1, 0.9), 2: at_rung(3, 0.1)}
    snapshot = comparing(ASHA, *live, reached=values, others=[(1, 0.1)], **ended(*live))

    actions = plan(snapshot, a_draft, NOW)

    assert {(type(one), one.trial.number) for one in actions} >= {(Delete, 0), (Delete, 1)}


def test_a_running_trial_below_keeps_a_rung_open() -> None:
    live = (parked(0), parked(1), a_trial(2))
    values = {0: at_rung(1, 0.8), 1: at_rung(1, 0.9)}

    assert plan(comparing(ASHA, *live, reached=values, **ended(*live)), a_draft, NOW) == ()


def test_one_that_needs_a_person_is_not_waited_for() -> None:
    live = (parked(0), a_trial(1, state=TrialState.HELD))
    values = {0: at_rung(1, 0.8)}
    snapshot = comparing(ASHA, *live, reached=values, others=[(1, 0.1), (1, 0.2)], **ended(*live))

    assert the_decisions(plan(snapshot, a_draft, NOW)) == [(0, "pruned")]


def test_of_a_single_trial_at_the_last_rung_the_best_goes_on() -> None:
    live = (parked(0),)

    actions = plan(
        comparing(ASHA, *live, reached={0: at_rung(1, 0.8)}, **ended(*live)), a_draft, NOW
    )

    assert the_decisions(actions) == [(0, "promoted")]


def test_halving_promotes_nobody_before_all_of_its_trials_are_there() -> None:
    live = (parked(0), parked(1), parked(2))
    values = {0: at_rung(1, 0.1), 1: at_rung(1, 0.2), 2: at_rung(1, 0.3)}

    early = plan(comparing(HALVING, *live, a_trial(3), reached=values, planned=4), a_draft, NOW)
    late = plan(comparing(HALVING, *live, reached=values, **ended(*live)), a_draft, NOW)

    assert the_decisions(early) == []
    assert sorted(the_decisions(late)) == [(0, "promoted"), (1, "pruned"), (2, "pruned")]


def test_a_bracket_waits_for_its_own_trials_alone() -> None:
    early = replace(HALVING, bracket=3)
    live = (parked(0), parked(1), parked(2), a_trial(3))
    values = {0: at_rung(1, 0.1), 1: at_rung(1, 0.2), 2: at_rung(1, 0.3)}

    actions = plan(comparing(early, *live, reached=values, planned=100), a_draft, NOW)

    assert sorted(the_decisions(actions)) == [(0, "promoted"), (1, "pruned"), (2, "pruned")]


@pytest.mark.parametrize(
    "fields",
    [
        {"sweep": a_sweep(state=SweepState.STOPPED)},
        {"exhausted": True},
    ],
    ids=["stopped", "target reached"],
)
def test_what_is_parked_when_the_sweep_ends_is_pruned(fields: dict[str, Any]) -> None:
    values = {0: at_rung(1, 0.1)}
    others = [(1, 0.2), (1, 0.3)]

    actions = plan(
        comparing(ASHA, parked(0), reached=values, others=others, **fields), a_draft, NOW
    )

    assert [type(one) for one in actions] == [Delete]
    assert the_decisions(actions) == [(0, "pruned")]


def test_what_is_suspended_for_good_is_pruned_when_no_trial_is_left() -> None:
    early = replace(BAND, action=StoppingAction.SUSPEND)
    values = {0: at_rung(3, 0.9), 1: at_rung(3, 0.1)}

    during = plan(
        comparing(early, parked(0, 3), a_trial(1), reached=values, planned=2), a_draft, NOW
    )
    after = plan(comparing(early, parked(0, 3), reached=values, planned=1), a_draft, NOW)

    assert (during, the_decisions(after)) == ((), [(0, "pruned")])


@pytest.mark.parametrize("state", [SweepState.SUSPENDED, SweepState.CANCELLING])
def test_nothing_is_decided_while_a_person_has_the_sweep_stand(state: SweepState) -> None:
    values = {0: at_rung(1, 0.9)}
    snapshot = comparing(ASHA, a_trial(0), reached=values, sweep=a_sweep(state=state))

    assert the_decisions(plan(snapshot, a_draft, NOW)) == []


def test_an_unpaused_sweep_leaves_parked_trials_where_they_are() -> None:
    values = {0: at_rung(1, 0.9)}
    snapshot = comparing(
        ASHA, parked(0), reached=values, totals=Totals(next_number=9), planned=10, active=0
    )

    assert plan(snapshot, a_draft, NOW) == ()


def test_a_parked_trial_that_lost_its_training_gets_none_before_it_is_promoted() -> None:
    lost = parked(0, state=TrialState.INTERRUPTED, ended_at=NOW, retry_at=NOW)
    poor, good = {0: at_rung(1, 0.9)}, {0: at_rung(1, 0.1)}
    others = [(1, 0.2), (1, 0.3)]

    waits = plan(comparing(ASHA, lost, reached=poor, active=1, others=others), a_draft, NOW)
    goes = plan(comparing(ASHA, lost, reached=good, active=1, others=others), a_draft, NOW)

    assert [one.trial.number for one in waits] == [1]
    assert [one.trial.halt for one in goes if one.trial.number == 0] == [None]


_VALUES = st.floats(0, 1, allow_nan=False)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    rule = draw(st.sampled_from([ASHA, HALVING, replace(ASHA, action=StoppingAction.STOP), BAND]))
    live: list[Trial] = []
    reached: dict[int, ObjectiveValue] = {}
    for number in range(draw(st.integers(0, 6))):
        rung = draw(st.sampled_from([0, 1, 3, 9]))
        if rung:
            reached[number] = at_rung(rung, draw(_VALUES))
        is_parked = rung and rule.action is StoppingAction.PROMOTE and draw(st.booleans())
        passed = draw(st.sampled_from([one for one in (0, 1, 3, 9) if one <= rung]))
        live.append(parked(number, rung) if is_parked else a_trial(number, rung=passed))
    others = draw(st.lists(st.tuples(st.sampled_from([1, 3, 9]), _VALUES), max_size=5))
    return comparing(
        rule,
        *live,
        reached=reached,
        others=others,
        active=draw(st.integers(1, 6)),
        planned=draw(st.integers(len(live), 9)),
        exhausted=draw(st.booleans()),
    )


@given(snapshots())
def test_a_plan_on_its_own_result_decides_nothing_more(snapshot: Snapshot) -> None:
    actions = plan(snapshot, a_draft, NOW)
    after = {trial.number: trial for trial in snapshot.live}
    after |= {action.trial.number: action.trial for action in actions}
    number = max((*after, -1)) + 1
    recorded = replace(
        snapshot,
        live=tuple(trial for trial in after.values() if not trial.state.is_terminal),
        totals=replace(snapshot.totals, next_number=number),
    )

    assert plan(recorded, a_draft, NOW) == ()


@given(snapshots())
def test_promotions_and_new_trials_share_the_limit(snapshot: Snapshot) -> None:
    holding = sum(trial.holds_slot for trial in snapshot.live)

    taking = sum(action.takes_slot for action in plan(snapshot, a_draft, NOW))

    assert taking <= max(snapshot.spec.limits.active - holding, 0)
