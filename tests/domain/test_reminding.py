from dataclasses import replace
from datetime import time

import pytest

from sweeper.domain.notifying import Daily
from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.reminding import Circumstances, reminded, starved
from tests.support.builders import NOW, a_sweep, a_trial, after

DAILY = Daily(at=time(13), local=lambda moment: moment)
WELL = Circumstances(refusal="")
REFUSED = Circumstances(refusal="the token is refused")


def test_what_only_a_person_can_mend_is_marked_once_and_unmarked_when_it_is_over() -> None:
    blocked = reminded(a_sweep(), [], REFUSED, None, NOW)
    again = reminded(blocked, [], replace(REFUSED, refusal="other words"), None, NOW)

    assert blocked.blocked == "the token is refused"
    assert again is blocked
    assert reminded(blocked, [], WELL, None, NOW) == a_sweep()


def test_a_control_plane_that_does_not_answer_changes_nothing_of_that() -> None:
    blocked = a_sweep(blocked="the token is refused")

    assert reminded(blocked, [], Circumstances(), None, NOW) is blocked


def test_a_deadline_is_marked_once_and_unmarked_when_it_is_put_off() -> None:
    late = reminded(a_sweep(), [], Circumstances(is_late=True), None, NOW)

    assert late.late_at == NOW
    assert reminded(late, [], Circumstances(is_late=True), None, after(hours=1)) is late
    assert reminded(late, [], Circumstances(), None, NOW) == a_sweep()


def test_a_summary_is_marked_when_its_time_comes_and_not_again_that_day() -> None:
    told = reminded(a_sweep(), [], WELL, DAILY, after(hours=1))

    assert told.summary_at == after(hours=1)
    assert reminded(a_sweep(), [], WELL, DAILY, after(minutes=59)) == a_sweep()
    assert reminded(told, [], WELL, DAILY, after(hours=24)) is told


@pytest.mark.parametrize(
    "state",
    [SweepState.FINISHED, SweepState.STOPPED, SweepState.CANCELLING, SweepState.CANCELLED],
)
def test_of_a_sweep_that_ends_nobody_is_reminded(state: SweepState) -> None:
    sweep: SweepRecord = a_sweep(state=state)
    around = Circumstances(is_late=True, refusal="the token is refused")

    assert reminded(sweep, [], around, DAILY, after(days=1)) is sweep


def test_trainings_that_all_wait_for_an_hour_need_a_person() -> None:
    waiting = [a_trial(number, phase=Phase.PENDING) for number in range(3)]

    assert starved(waiting, after(minutes=59)) == ""
    assert "3 are pending" in starved(waiting, after(hours=1))
    assert "quota" in (reminded(a_sweep(), waiting, WELL, None, after(hours=1)).blocked or "")


def test_one_training_at_work_shows_that_the_others_only_queue() -> None:
    live = [a_trial(0), a_trial(1, phase=Phase.PENDING)]

    assert starved(live, after(days=1)) == ""
    assert starved([], after(days=1)) == ""
