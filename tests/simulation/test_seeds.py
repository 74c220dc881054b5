"""Many worlds, each from a seed: none of them may break an invariant."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.history import shown
from tests.simulation.world import Outcome, run_seed

CHUNK = 10
SEEDS = 300
_TAIL = 60


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def told(outcome: Outcome) -> str:
    """Return what is wrong with a world, how to see it again, and how it ended."""
    seed = outcome.scenario.seed
    wrong = "\n".join(map(str, outcome.violations))
    tail = "\n".join(shown(line) for line in outcome.history.lines[-_TAIL:])
    return f"{wrong}\npython -m tests.simulation --seed {seed} --trace\n{tail}"


@pytest.mark.timeout(300)  # thousands of virtual seconds, and nothing that could hang for long
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_an_invariant(first: int) -> None:
    wrong = [
        told(outcome)
        for seed in range(first, first + CHUNK)
        if (outcome := run_seed(seed)).violations
    ]

    assert not wrong, "\n\n".join(wrong)
