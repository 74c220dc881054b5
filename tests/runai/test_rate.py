import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.rate import CUT, RECOVERY_SECONDS, Rate


def passed(rate: Rate, begin: float, end: float) -> list[float]:
    """Return when requests pass of which there are always more."""
    times, now = [], begin
    while (now := now + rate.wait(now)) < end:
        rate.take(now)
        times.append(now)
    return times


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    assert passed(Rate(10.0, 3.0), 100.0, 100.25) == pytest.approx(
        [100.0, 100.0, 100.0, 100.1, 100.2]
    )


def test_a_pause_saves_up_no_more_than_a_burst() -> None:
    rate = Rate(10.0, 3.0)
    passed(rate, 0.0, 1.0)

    assert passed(rate, 1000.0, 1000.05) == [1000.0] * 3


def test_a_cut_leaves_a_part_and_never_nothing() -> None:
    rate = Rate(20.0, 10.0)

    rate.cut(0.0)
    assert rate.per_second == pytest.approx(20.0 * CUT)
    for _ in range(50):
        rate.cut(0.0)

    assert rate.per_second == pytest.approx(1.0)


def test_good_answers_bring_the_rate_back_within_the_time_said() -> None:
    rate = Rate(20.0, 10.0)
    rate.restart(0.0)

    for tenth in range(int(RECOVERY_SECONDS * 10)):
        rate.answered(tenth / 10)

    assert rate.per_second == 20.0


def test_many_answers_of_one_moment_count_as_one() -> None:
    rate = Rate(20.0, 10.0)
    rate.restart(0.0)

    for _ in range(1000):
        rate.answered(1.0)

    assert rate.per_second == pytest.approx(2.0)


def test_time_without_answers_says_nothing_good() -> None:
    rate = Rate(20.0, 10.0)
    rate.restart(0.0)

    rate.answered(1000.0)

    assert rate.per_second == pytest.approx(2.0)


def test_a_new_beginning_has_no_burst() -> None:
    rate = Rate(20.0, 10.0)
    rate.restart(5.0)

    assert passed(rate, 5.0, 7.5) == pytest.approx([6.0, 7.0])


def test_an_infinite_rate_lets_everything_pass_whatever_happens() -> None:
    rate = Rate(math.inf, 10.0)

    rate.cut(1.0)
    rate.restart(2.0)
    rate.answered(3.0)
    rate.take(3.0)

    assert (rate.wait(3.0), rate.per_second) == (0.0, math.inf)


@given(
    limit=st.floats(0.5, 100.0),
    burst=st.floats(1.0, 50.0),
    acts=st.lists(st.sampled_from(["cut", "restart", "answered", "take"]), max_size=40),
    gaps=st.lists(st.floats(0.0, 3.0), min_size=40, max_size=40),
)
def test_no_stretch_of_time_sees_more_than_a_burst_and_the_rate(
    limit: float, burst: float, acts: list[str], gaps: list[float]
) -> None:
    rate, now, taken = Rate(limit, burst), 0.0, 0

    for act, gap in zip(acts, gaps, strict=False):
        now += gap
        if act != "take":
            getattr(rate, act)(now)
        elif rate.wait(now) == 0:
            rate.take(now)
            taken += 1

    assert taken <= burst + limit * now + 1e-6
    assert limit / 20 - 1e-9 <= rate.per_second <= limit
