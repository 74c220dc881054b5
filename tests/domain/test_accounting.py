from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.accounting import Charge, Span, Use, Watch, found, happened, looked, signed
from sweeper.domain.change import note
from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.record import EventKind
from sweeper.domain.trial import TERMINAL_STATES, Trial, TrialState
from tests.support.builders import NOW, a_trial, after


def _pending(**fields: Any) -> Trial:
    return a_trial(phase=Phase.PENDING, gpus=Fraction(2), **fields)


def _running(since: float = 0, **fields: Any) -> Trial:
    """Return a trial on two GPUs, at work since so many seconds after `NOW`."""
    started = {"running_since": after(seconds=since), "first_running_at": after(seconds=since)}
    return a_trial(gpus=Fraction(2), **started | fields)


def _at_work(sign: float | None = None) -> Watch:
    last_sign = None if sign is None else after(seconds=sign)
    return found(_running(), NOW, last_sign)


def _event(kind: EventKind, outcome: str, at: datetime) -> Any:
    return note(_running(), at, kind, outcome)


def _times(charges: list[Charge]) -> dict[str, float]:
    return {str(charge.of): charge.seconds for charge in charges}


def test_waiting_is_charged_as_it_passes() -> None:
    watch, first = looked(found(_pending(), NOW, None), _pending(), after(seconds=10))
    _, second = looked(watch, _pending(), after(seconds=25))

    assert _times(first) == {"wasted_pending": 20}
    assert _times(second) == {"wasted_pending": 30}


def test_waiting_ends_where_running_begins() -> None:
    watch = found(_pending(), NOW, None)

    watch, charges = looked(watch, _running(since=7), after(seconds=10))

    assert _times(charges) == {"wasted_pending": 14, "pending": 7}
    assert (watch.work_from, watch.wait_from) == (after(seconds=7), None)


def test_the_wait_of_a_training_begins_with_its_create() -> None:
    """Also where another process sent it."""
    sent = {"sent_at": NOW, "intent_at": NOW}
    watch = found(_pending(**sent), after(hours=2), None)

    _, charges = looked(watch, _running(since=7300, **sent), after(seconds=7305))

    assert _times(charges)["pending"] == 7300


def test_a_training_waits_for_its_first_run_only_once() -> None:
    watch, _ = looked(found(_pending(), NOW, None), _running(since=5), after(seconds=5))
    preempted = _pending(state=TrialState.INTERRUPTED, first_running_at=after(seconds=5))
    watch, _ = looked(watch, preempted, after(seconds=10))

    _, charges = looked(watch, _running(since=20), after(seconds=20))

    assert "pending" not in _times(charges)


def test_work_is_in_the_balance_while_it_goes_on() -> None:
    watch, charges = looked(_at_work(), _running(), after(hours=3))

    assert charges == []
    assert watch.work_from == NOW


def test_a_report_proves_the_work_before_it_useful() -> None:
    watch, first = signed(_at_work(), after(seconds=30))
    _, second = signed(watch, after(seconds=40))

    assert _times(first) == {"useful": 60}
    assert _times(second) == {"useful": 20}


def test_a_report_from_before_proves_nothing() -> None:
    watch, charges = signed(_at_work(sign=30), after(seconds=20))

    assert charges == []
    assert watch.work_from == after(seconds=30)


def test_a_report_of_a_training_that_waits_proves_nothing() -> None:
    assert signed(found(_pending(), NOW, None), after(seconds=20))[1] == []


@pytest.mark.parametrize("state", [TrialState.COMPLETED, TrialState.PRUNED])
def test_the_work_of_a_trial_that_ends_well_was_useful(state: TrialState) -> None:
    watch, charges = happened(_at_work(), _event(EventKind.TRANSITION, state, after(seconds=60)))

    assert watch is None
    assert _times(charges) == {"useful": 120, "trial": 60}


@pytest.mark.parametrize("state", [TrialState.FAILED, TrialState.CANCELLED])
def test_the_work_after_the_last_report_is_lost_with_its_trial(state: TrialState) -> None:
    event = _event(EventKind.TRANSITION, state, after(seconds=60))

    _, charges = happened(_at_work(sign=50), event)

    assert _times(charges) == {"lost": 20, "trial": 60}


def test_the_end_of_a_trial_that_waits_ends_its_wait() -> None:
    event = _event(EventKind.TRANSITION, TrialState.CANCELLED, after(seconds=60))

    _, charges = happened(found(_pending(), after(seconds=10), None), event)

    assert _times(charges) == {"wasted_pending": 100, "trial": 60}


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.PREEMPTION, "seen"),
        (EventKind.SUSPENSION, "other"),
        (EventKind.SUSPENSION, "us"),
    ],
)
def test_the_work_after_the_last_report_is_lost_with_the_place(
    kind: EventKind, outcome: str
) -> None:
    watch, charges = happened(_at_work(sign=50), _event(kind, outcome, after(seconds=60)))

    assert _times(charges) == {"lost": 20}
    assert watch is not None
    assert watch.work_from is None


def test_work_that_ends_without_a_word_is_lost() -> None:
    _, charges = looked(
        _at_work(), a_trial(phase=Phase.STOPPING, gpus=Fraction(2)), after(seconds=60)
    )

    assert _times(charges) == {"lost": 120}


def test_the_way_back_is_timed_from_the_preemption_on() -> None:
    watch, _ = happened(_at_work(), _event(EventKind.PREEMPTION, "seen", after(seconds=60)))
    assert watch is not None
    back = _running(since=100)

    watch, charges = looked(watch, back, after(seconds=101))

    assert _times(charges) == {"resume": 40}
    assert looked(watch, back, after(seconds=200))[1] == []


def test_the_way_back_leads_over_a_new_attempt() -> None:
    watch, _ = happened(_at_work(), _event(EventKind.PREEMPTION, "seen", after(seconds=60)))
    assert watch is not None
    again = _running(since=100, attempt=2, sent_at=after(seconds=90))

    watch, charges = looked(watch, again, after(seconds=101))

    assert _times(charges) == {"pending": 10, "resume": 40}
    assert watch.attempt == 2


def test_a_suspension_of_ours_is_no_lost_place() -> None:
    watch, _ = happened(_at_work(), _event(EventKind.SUSPENSION, "us", after(seconds=60)))
    assert watch is not None

    _, charges = looked(watch, _running(since=100), after(seconds=101))

    assert "resume" not in _times(charges)


def test_the_way_back_survives_a_restart() -> None:
    away = _pending(
        state=TrialState.INTERRUPTED, state_since=after(seconds=60), first_running_at=NOW
    )
    watch = found(away, after(seconds=70), None)

    _, charges = looked(watch, _running(since=100), after(seconds=101))

    assert _times(charges)["resume"] == 40


def test_work_judged_before_a_restart_is_not_judged_again() -> None:
    event = _event(EventKind.TRANSITION, TrialState.COMPLETED, after(seconds=60))

    _, charges = happened(_at_work(sign=45), event)

    assert _times(charges)["useful"] == 30


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(EventKind.LOOK_UP, "absent"), (EventKind.TRANSITION, "interrupted")],
)
def test_other_events_charge_nothing(kind: EventKind, outcome: str) -> None:
    watch = _at_work()

    assert happened(watch, _event(kind, outcome, after(seconds=60))) == (watch, [])


def test_a_clock_set_back_charges_nothing() -> None:
    late = found(_pending(), after(hours=1), None)

    _, charges = looked(late, _pending(), NOW)

    assert _times(charges) == {"wasted_pending": 0}


_LOOKS = st.lists(
    st.tuples(st.sampled_from(list(Phase)), st.integers(1, 600), st.booleans()), max_size=30
)


@given(_LOOKS, st.sampled_from(sorted(TERMINAL_STATES)))
def test_no_second_is_charged_twice(looks: list[tuple[Phase, int, bool]], end: TrialState) -> None:
    """Whatever is observed: the GPU time charged never exceeds the time that passed."""
    now, since = 0.0, None
    watch = found(a_trial(phase=Phase.PENDING, gpus=Fraction(1)), NOW, None)
    charged = 0.0
    for phase, seconds, signs in looks:
        now += seconds
        runs = PHASE_MEANING[phase] is PhaseMeaning.RUNNING
        since = (since or after(seconds=now)) if runs else None
        work: dict[str, Any] = {"running_since": since, "first_running_at": since} if runs else {}
        trial = a_trial(phase=phase, gpus=Fraction(1), **work)
        watch, charges = looked(watch, trial, after(seconds=now))
        charged += _gpu_time(charges)
        if signs:
            watch, charges = signed(watch, after(seconds=now))
            charged += _gpu_time(charges)

    _, charges = happened(watch, _event(EventKind.TRANSITION, end, after(seconds=now)))

    assert charged + _gpu_time(charges) <= now
    assert _times(charges)["trial"] == now


def _gpu_time(charges: list[Charge]) -> float:
    return sum(charge.seconds for charge in charges if isinstance(charge.of, Use))


def test_spans_and_uses_have_words_of_their_own() -> None:
    assert not set(Use) & set(Span)


def test_work_moves_along_with_a_clock_that_was_set_ahead() -> None:
    """Recorded times are shifted then; what was slept through is no work."""
    moved = _running(since=3600)

    watch, charges = looked(_at_work(), moved, after(seconds=3610))

    assert charges == []
    assert watch.work_from == after(seconds=3600)
