"""A sweep through faults and kills holds at its end what it held at its beginning."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.domain.record import SweepState
from tests.support.soaking import Held, Sample, Soak, faults, soak

TRIALS = 600


@pytest.mark.looptime
@pytest.mark.timeout(300)
async def test_nothing_that_a_long_sweep_holds_grows_with_the_trials_that_are_over(
    tmp_path: Path,
) -> None:
    held = await soak(tmp_path, Soak(trials=TRIALS, active=60, kill_every=25))

    assert faults(held, TRIALS) == []
    assert held.kills >= 6


def a_sample(settled: int, **fields: int) -> Sample:
    given = {"tasks": 1, "descriptors": 9, "wal": 4096, "objects": 100_000} | fields
    return Sample(settled=settled, **given)


def held_after(**fields: int) -> Held:
    """Return what a sweep held that was all right but for `fields` at its end."""
    return Held(
        between=[a_sample(1), a_sample(2), a_sample(3, **fields)],
        most_tasks=[20, 20, 20],
        most_descriptors=[12, 12, 12],
        memory=[80.0, 90.0, 90.0],
        states={"completed": 3},
        state=SweepState.FINISHED,
    )


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        pytest.param(held_after(tasks=2), "tasks stay", id="a task that nobody ends"),
        pytest.param(held_after(descriptors=10), "descriptors stay", id="a file left open"),
        pytest.param(held_after(objects=110_000), "objects stay", id="a list that grows"),
        pytest.param(held_after(wal=9 * 2**20), "log grows", id="a log that is never copied"),
        pytest.param(
            replace(held_after(), most_tasks=[20, 20, 40]), "tasks of a tick", id="tasks of a tick"
        ),
        pytest.param(
            replace(held_after(), most_descriptors=[12, 12, 13]),
            "descriptors of a tick",
            id="descriptors of a tick",
        ),
        pytest.param(replace(held_after(), memory=[80.0, 90.0, 93.0]), "memory", id="memory"),
        pytest.param(replace(held_after(), states={"failed": 2}), "are lost", id="a lost trial"),
        pytest.param(replace(held_after(), double=1), "twice", id="a trial twice"),
        pytest.param(replace(held_after(), state=SweepState.OPEN), "open", id="no end"),
    ],
)
def test_whatever_grows_is_a_fault(held: Held, fault: str) -> None:
    (found,) = faults(held, 3)

    assert fault in found


def test_what_stays_as_it_was_is_none() -> None:
    assert faults(held_after(), 3) == []
