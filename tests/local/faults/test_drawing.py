"""What is remembered of tokens and trainings stays within bounds."""

from datetime import UTC, datetime

import pytest

from sweeper.local.faults import drawing
from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.plan import Amnesia, Latency, TokenLife
from tests.local.faults.faulty import always

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    monkeypatch.setattr(drawing, "_MOST_REMEMBERED", 3)
    return Faults(now=lambda: NOW)


def test_the_oldest_tokens_are_forgotten(faults: Faults) -> None:
    for number in range(5):
        faults.saw_token(f"t{number}")

    faults.expire_tokens()

    assert [faults.is_dead(f"t{number}") for number in range(5)] == [False, False, True, True, True]


def test_dead_tokens_are_forgotten_in_the_end(faults: Faults) -> None:
    for number in range(8):
        faults.saw_token(f"t{number}")
        faults.expire_tokens()

    assert [faults.is_dead(f"t{number}") for number in range(8)].count(True) <= 4
    assert faults.is_dead("t7")


def test_a_token_given_again_is_good_again(faults: Faults) -> None:
    faults.saw_token("t")
    faults.expire_tokens()

    faults.gave_token("t")

    assert not faults.is_dead("t")


def test_a_token_without_a_known_beginning_does_not_age(faults: Faults) -> None:
    faults.replace(always(TokenLife(seconds=0)))

    assert not faults.is_dead("unseen")
    faults.gave_token("t")
    assert faults.is_dead("t")


def test_verdicts_on_trainings_are_bounded(faults: Faults) -> None:
    amnesia = Amnesia(share=0.5)

    verdicts = [faults.is_forgotten(amnesia, f"id-{number}") for number in range(40)]

    assert len(set(verdicts)) == 2


def test_latencies_are_drawn_anew_from_the_seed(faults: Faults) -> None:
    latency = Latency(seconds=1, most=2)

    first = [faults.latency(latency) for _ in range(3)]
    faults.replace(faults.plan)

    assert [faults.latency(latency) for _ in range(3)] == first
    assert len(set(first)) == 3
