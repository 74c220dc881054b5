import json
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, ObjectiveValue, Report, Totals, TrialView
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, TrialState
from sweeper.domain.values import freeze
from sweeper.ports import TickSummary
from sweeper.web import views
from sweeper.web.answers import JsonAnswer
from tests.support.builders import NOW, a_submission, a_sweep, a_trial, after

T0 = "2026-03-01T12:00:00Z"


def a_view(number: int = 0, best: float | None = None, **fields: Any) -> TrialView:
    objective = None
    if best is not None:
        objective = ObjectiveValue(best=best, last=best + 1, reports=2, updated_at=NOW)
    return TrialView(trial=a_trial(number, **fields), objective=objective)


def a_tick(**fields: Any) -> TickSummary:
    given: dict[str, Any] = {
        "sweep": a_sweep(),
        "at": after(seconds=10),
        "seconds": 0.1,
        "totals": Totals(),
        "live": [],
        "observed_at": after(seconds=8),
        "active_limit": 4,
        "pending_limit": None,
        "gpu_limit": 0.5,
        "best": None,
        "trouble": "no answer",
    }
    return TickSummary(**given | fields)


def a_sweep_view(**fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "sweep": a_sweep(),
        "totals": Totals(),
        "live": [],
        "best": None,
        "tick": None,
        "now": NOW,
    } | fields
    positional = [given.pop(name) for name in ("sweep", "totals", "live", "best")]
    return views.sweep_view(*positional, **given)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))))
def test_a_time_comes_back_from_its_text(at: datetime) -> None:
    try:
        text = views.time_text(at)
    except OverflowError:
        return

    assert text is not None
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == at


def test_a_time_that_never_was_is_null() -> None:
    assert views.time_text(None) is None


def test_trials_without_a_row_are_waiting() -> None:
    totals = Totals(states={TrialState.ACTIVE: 2, TrialState.FAILED: 1, TrialState.PRUNED: 1})

    counted = a_sweep_view(totals=totals)["trials"]

    assert (counted["planned"], counted["waiting"], counted["settled"]) == (10, 6, 2)
    assert counted["states"]["active"] == 2
    assert set(counted["states"]) == {state.value for state in TrialState} - {"waiting"}


def test_of_an_unbounded_sweep_nothing_is_waiting() -> None:
    assert a_sweep_view(sweep=a_sweep(planned=None))["trials"]["waiting"] is None


def test_live_trials_are_listed_up_to_a_bound_and_counted_by_phase() -> None:
    live = [a_trial(number) for number in range(60)] + [a_trial(60, phase=Phase.PENDING)]

    view = a_sweep_view(live=live)

    assert (len(view["live"]), view["live_count"]) == (50, 61)
    assert view["phases"] == {"Pending": 1, "Running": 60}
    assert view["live"][3]["workload_name"] == "demo-abcdefghij-3-1"


def test_the_best_trial_is_shown() -> None:
    assert a_sweep_view(best=a_view(3, 0.5))["best"]["objective"] == 0.5


def test_a_sweep_tells_its_objective_and_goal() -> None:
    record = a_sweep(objective="loss", goal=Goal.MINIMIZE)

    view = a_sweep_view(sweep=record)["sweep"]

    assert view["objective"] == {"name": "loss", "goal": "minimize"}
    assert (view["state"], view["created_at"], view["ended_at"]) == ("open", T0, None)


def test_a_sweep_without_a_goal_says_so() -> None:
    assert views.sweep_record_view(a_sweep())["objective"] is None
    assert views.sweep_record_view(a_sweep(objective="x"))["objective"] == {
        "name": "x",
        "goal": None,
    }


def test_the_definition_of_a_sweep_is_not_shown() -> None:
    text = json.dumps(a_sweep_view(sweep=a_sweep(definition={"secret": "hush"})))

    assert "hush" not in text


def test_without_a_daemon_there_is_no_age() -> None:
    assert a_sweep_view()["daemon"] is None


def test_the_daemon_tells_the_age_of_what_it_saw() -> None:
    daemon = a_sweep_view(tick=a_tick(), now=after(seconds=12))["daemon"]

    assert daemon["observation_age_seconds"] == 4.0
    assert daemon["limits"] == {"active": 4, "pending": None, "gpus": 0.5}
    assert daemon["trouble"] == "no answer"


def test_before_the_first_observation_the_age_is_null() -> None:
    assert a_sweep_view(tick=a_tick(observed_at=None))["daemon"]["observation_age_seconds"] is None


def test_a_trial_is_shown_with_its_newest_attempt() -> None:
    view = a_view(3, 0.5, failure=FailureClass.TIMEOUT, attempt=2)

    shown = views.trial_view(view)

    assert (shown["trial"], shown["attempts"], shown["objective"]) == (3, 2, 0.5)
    assert (shown["state"], shown["phase"], shown["failure"]) == ("active", "Running", "timeout")


def test_the_reason_of_the_training_stands_in_for_a_missing_one() -> None:
    assert views.trial_view(a_view(reason="image not found"))["reason"] == "image not found"


def test_the_detail_of_a_trial_holds_attempts_and_curve() -> None:
    report = Report(trial=0, key="k", at=NOW, values={"loss": 0.5}, step=1)

    detail = views.trial_detail(a_view(0, 0.5), [a_submission(gpus=Fraction(1, 4))], [report])

    assert detail["submissions"][0]["gpus"] == 0.25
    assert detail["submissions"][0]["intent_at"] == T0
    assert detail["curve"] == [{"at": T0, "step": 1, "values": {"loss": 0.5}}]
    assert detail["objective"] == {"best": 0.5, "last": 1.5, "reports": 2, "updated_at": T0}


def test_the_detail_of_a_trial_without_reports_has_no_objective() -> None:
    assert views.trial_detail(a_view(), [], [])["objective"] is None


def test_a_decision_is_shown_with_the_value_and_what_it_was_held_against() -> None:
    detail = "rule=asha rung=9 value=0.25 threshold=1e-05 reached=11"
    event = Event(at=NOW, kind=EventKind.DECISION, outcome="parked", trial=3, detail=detail)

    assert views.trial_detail(a_view(), [], [], [event])["decisions"] == [
        {
            "at": T0,
            "outcome": "parked",
            "rule": "asha",
            "rung": 9,
            "value": 0.25,
            "threshold": 1e-05,
            "reached": 11,
        }
    ]


def test_an_event_is_shown_whole() -> None:
    event = Event(at=NOW, kind=EventKind.TRANSITION, outcome=TrialState.FAILED, trial=3, number=9)

    shown = views.event_view(event)

    assert (shown["number"], shown["kind"], shown["outcome"]) == (9, "transition", "failed")
    assert (shown["at"], shown["trial"], shown["attempt"]) == (T0, 3, None)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        pytest.param({"first_running_at": None, "running_since": None}, None, id="not yet"),
        pytest.param({"running_seconds": 5.0}, 65.0, id="at work"),
        pytest.param({"running_seconds": 5.0, "running_since": None}, 5.0, id="interrupted"),
        pytest.param(
            {"first_running_at": None, "running_since": None, "ended_at": after(seconds=7)},
            7.0,
            id="never seen at work",
        ),
        pytest.param(
            {"created_at": None, "first_running_at": None, "running_since": None},
            None,
            id="never created",
        ),
    ],
)
def test_a_result_tells_how_long_the_training_was_at_work(
    fields: dict[str, Any], seconds: float | None
) -> None:
    row = views.result_row(a_view(submission=a_submission(**fields)), after(seconds=60))

    assert row["duration_seconds"] == seconds


def test_a_result_has_the_keys_that_users_rely_on() -> None:
    row = views.result_row(a_view(3, 0.5, state=TrialState.COMPLETED), NOW)

    assert list(row) == [
        "trial",
        "state",
        "params",
        "objective",
        "attempts",
        "reason",
        "duration_seconds",
        "started_at",
        "ended_at",
        "workload_name",
    ]
    assert (row["state"], row["objective"], row["ended_at"]) == ("completed", 0.5, T0)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), _JSON, max_size=4), st.text())
def test_params_and_reasons_survive_the_way_to_the_client(
    params: dict[str, Any], reason: str
) -> None:
    view = views.result_row(a_view(params=freeze(params), reason=reason), NOW)

    assert json.loads(bytes(JsonAnswer(view).body)) == view
    assert view["params"] == params
