from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from sweeper.domain.estimating import MOST_TRIALS, Estimate, Looks, estimate
from sweeper.domain.sweep import LimitsSpec

_LOOKS = Looks(quiet=timedelta(seconds=15), busy=timedelta(seconds=1.5))
_TEN = timedelta(minutes=10)


def _estimate(trials: int, each: Fraction = Fraction(1), /, **limits: Any) -> Estimate:
    found = estimate(trials, _TEN, each, LimitsSpec(**{"active": 4} | limits), _LOOKS)
    assert found is not None
    return found


def test_trials_run_side_by_side_in_as_many_waves_as_it_takes() -> None:
    assert [_estimate(trials).wall_clock for trials in (1, 4, 5, 9)] == [
        _TEN,
        _TEN,
        2 * _TEN,
        3 * _TEN,
    ]


def test_fewer_trials_than_slots_take_as_many_slots_as_they_are() -> None:
    assert _estimate(3).slots == 3


def test_gpus_that_are_limited_leave_fewer_slots() -> None:
    assert _estimate(8, Fraction(1, 2), gpus=Fraction(1)).slots == 2
    assert _estimate(8, Fraction(0), gpus=Fraction(1)).slots == 4
    assert _estimate(8, Fraction(2), gpus=Fraction(1)).slots == 1


def test_gpu_hours_are_those_of_all_trials() -> None:
    assert _estimate(12, Fraction(1, 2)).gpu_hours == pytest.approx(1)


def test_submissions_by_the_minute_keep_trials_waiting() -> None:
    found = _estimate(61, active=100, submit_per_minute=2)

    assert found.wall_clock == timedelta(minutes=30) + _TEN


def test_the_control_plane_is_looked_at_often_only_while_the_last_trials_run() -> None:
    found = _estimate(8)

    assert found.creates == 8
    assert found.listings == 40 + 400


@pytest.mark.parametrize(
    ("deadline", "is_cut"),
    [(None, False), (timedelta(minutes=9), True), (_TEN, False)],
    ids=["none", "before the last trial", "with the last trial"],
)
def test_a_deadline_before_the_last_trial_is_told(deadline: timedelta | None, is_cut: bool) -> None:
    assert _estimate(8, deadline=deadline).is_cut is is_cut


@pytest.mark.parametrize("trials", [0, MOST_TRIALS + 1, 10**400], ids=["0", "many", "huge"])
def test_of_no_trials_or_of_far_too_many_nothing_is_said(trials: int) -> None:
    assert estimate(trials, _TEN, Fraction(0), LimitsSpec(active=1), _LOOKS) is None
