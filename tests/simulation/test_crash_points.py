"""Whole daemons that die at every point of small sweeps, and again at every point after some.

`python -m tests.simulation.crash_soak` does all pairs of all sweeps.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import SweepState
from tests.simulation.crash_judging import Aftermath, faults_of
from tests.simulation.crash_points import pairs, play, singles
from tests.simulation.crash_soak import points_of, tally
from tests.simulation.crash_sweeps import PLAIN, SWEEPS

pytestmark = pytest.mark.timeout(240)  # hundreds of whole sweeps

SHARDS = 4


@pytest.mark.parametrize("name", SWEEPS)
def test_a_daemon_may_die_at_any_point(name: str) -> None:
    points, found = points_of(name)

    assert found.wrong == ()
    assert len(points) >= 20


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_next_daemon_may_die_at_any_point_too(shard: int) -> None:
    points = [point for point, _ in singles(PLAIN)][::2]

    found = [tally(PLAIN.name, (first,), pairs(PLAIN, first)) for first in points[shard::SHARDS]]

    assert [words for one in found for words in one.wrong] == []
    assert sum(one.runs for one in found) >= 40


def test_between_them_the_sweeps_do_everything_that_a_daemon_can_do() -> None:
    played = [play(sweep) for sweep in SWEEPS.values()]

    done = {f"{event.kind} {event.outcome}" for one in played for event in one.aftermath.events}
    assert done >= DEEDS


DEEDS = {
    "submission created",
    "submission ambiguous",
    "submission adopted",
    "look_up found",
    "look_up absent",
    "suspension other",
    "suspension us",
    "suspend accepted",
    "resume accepted",
    "preemption seen",
    "resubmit application",
    "resubmit vanished",
    "delete accepted",
    "transition failed",
    "transition cancelled",
    "transition held",
    "sweep paused",
    "sweep suspended",
    "sweep open",
    "sweep stopped",
    "sweep cancelled",
    "sweep finished",
}


Doctoring = Callable[[Aftermath], Aftermath]


def _with_first(aftermath: Aftermath, **changes: object) -> Aftermath:
    first, *others = aftermath.history.trainings
    changed = replace(first, **changes)  # type: ignore[arg-type] # whatever a training has
    return replace(aftermath, history=replace(aftermath.history, trainings=[changed, *others]))


def _twice(aftermath: Aftermath) -> Aftermath:
    trainings = aftermath.history.trainings
    again = replace(trainings[0], number=99, workload_id="again")
    history = replace(aftermath.history, trainings=[trainings[0], again, *trainings[1:]])
    return replace(aftermath, history=history)


@pytest.mark.parametrize(
    ("doctored", "words"),
    [
        pytest.param(_twice, "created while another lived", id="doubled"),
        pytest.param(_twice, "is an orphan", id="orphan"),
        pytest.param(_twice, "3 lived when", id="limit"),
        pytest.param(_twice, "had 2 trainings", id="budget"),
        pytest.param(
            lambda one: _with_first(one, phase=Phase.FAILED), "0 completed trainings", id="untrue"
        ),
        pytest.param(
            lambda one: _with_first(one, phase=Phase.RUNNING, completed_at=None),
            "is left",
            id="left",
        ),
        pytest.param(
            lambda one: replace(one, events=[*one.events, *one.events]),
            "settled 2 times",
            id="twice",
        ),
        pytest.param(
            lambda one: replace(one, sweep=replace(one.sweep, state=SweepState.OPEN)),
            "the sweep is open",
            id="open",
        ),
    ],
)
def test_what_is_wrong_is_found(doctored: Doctoring, words: str) -> None:
    aftermath = doctored(play(PLAIN).aftermath)

    assert any(words in fault for fault in faults_of(PLAIN, aftermath))


def test_a_lost_trial_is_found() -> None:
    aftermath = play(replace(PLAIN, trials=2)).aftermath

    assert "trial 2 is lost" in [*faults_of(PLAIN, aftermath)]
