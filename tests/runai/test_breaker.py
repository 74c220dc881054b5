import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.runai.breaker import RECENT, Breaker, BreakerPolicy, BreakerState


def make(seed: int = 7) -> Breaker:
    return Breaker(BreakerPolicy(), rng=random.Random(seed))


def end(breaker: Breaker, *, is_well: bool, now: float = 0.0, is_probe: bool = False) -> None:
    breaker.end(now, is_well=is_well, is_probe=is_probe)


def opened(seed: int = 7) -> Breaker:
    breaker = make(seed)
    for _ in range(5):
        end(breaker, is_well=False)
    return breaker


def test_a_row_of_failures_opens_it() -> None:
    breaker = make()

    states = []
    for _ in range(5):
        end(breaker, is_well=False)
        states.append(breaker.state)

    assert states == [*[BreakerState.CLOSED] * 4, BreakerState.OPEN]


def test_a_good_answer_ends_the_row() -> None:
    breaker = make()

    for is_well in [False, False, False, False, True, False, False, False, False]:
        end(breaker, is_well=is_well)

    assert breaker.state is BreakerState.CLOSED


def test_half_of_the_newest_calls_open_it_too() -> None:
    breaker = make()

    for number in range(RECENT):
        assert breaker.state is BreakerState.CLOSED
        end(breaker, is_well=number % 2 == 0)

    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize("seed", range(10))
def test_probes_come_seldomer_with_each_failure_but_never_too_seldom(seed: int) -> None:
    breaker, waits, now = opened(seed), [], 0.0

    for _ in range(50):
        wait = breaker.wait(now)
        now += wait
        assert breaker.begin()
        end(breaker, is_well=False, now=now, is_probe=True)
        waits.append(wait)

    assert all(3.0 <= wait <= 15.0 for wait in waits)
    assert waits[0] <= 3.0 + 1e-9
    assert max(waits) > 12.0
    assert len(set(waits)) > 40


def test_while_one_probes_nobody_else_does() -> None:
    breaker = opened()
    assert breaker.wait(60.0) == 0.0
    breaker.begin()

    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.wait(60.0) > 0


def test_a_good_probe_closes_it_and_forgets() -> None:
    breaker = opened()
    breaker.begin()
    end(breaker, is_well=True, now=60.0, is_probe=True)

    for _ in range(4):
        end(breaker, is_well=False, now=60.0)

    assert (breaker.state, breaker.wait(60.0)) == (BreakerState.CLOSED, 0.0)
    assert not breaker.begin()


def test_a_probe_that_tells_nothing_is_followed_by_another() -> None:
    breaker = opened()
    breaker.begin()

    breaker.abandon(is_probe=True)

    assert (breaker.state, breaker.wait(60.0)) == (BreakerState.OPEN, 0.0)


def test_a_call_that_tells_nothing_changes_nothing() -> None:
    breaker = make()

    breaker.abandon(is_probe=False)

    assert breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("is_well", [True, False], ids=["good", "bad"])
def test_what_was_sent_before_it_opened_is_old_news(is_well: bool) -> None:
    breaker = opened()
    wait = breaker.wait(0.0)

    end(breaker, is_well=is_well)

    assert (breaker.state, breaker.wait(0.0)) == (BreakerState.OPEN, wait)


@given(ends=st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0, 9)), max_size=80))
def test_it_can_always_be_closed_again(ends: list[tuple[bool | None, float]]) -> None:
    breaker, now = make(), 0.0
    for is_well, seconds in ends:
        now += seconds
        if breaker.wait(now):
            continue
        is_probe = breaker.begin()
        if is_well is None:
            breaker.abandon(is_probe=is_probe)
        else:
            breaker.end(now, is_well=is_well, is_probe=is_probe)

    now += breaker.wait(now)
    breaker.end(now, is_well=True, is_probe=breaker.begin())

    assert breaker.state is BreakerState.CLOSED
