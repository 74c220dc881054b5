"""A small sweep with everything in it, for stores that go through worse, and its judge."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sweeper.domain.phase import Phase
from sweeper.domain.sweep import LimitsSpec, RetryRule, RetrySpec
from tests.support.builders import a_spec
from tests.support.clock import Clock
from tests.support.daemon import World
from tests.support.remote import Remote

TRIALS, LIMIT = 5, 2
RETRY = RetrySpec(application=RetryRule(attempts=2, backoff=timedelta(seconds=4)))
RUNNING = [Phase.RUNNING] * 3
PHASES = {
    (1, 1): [*RUNNING, Phase.FAILED],
    (1, 2): [*RUNNING, Phase.FAILED],
    (2, 1): [Phase.RUNNING, Phase.STOPPED, *RUNNING, Phase.COMPLETED],
    (3, 1): [Phase.RUNNING, Phase.TERMINATING, Phase.PENDING, *RUNNING, Phase.COMPLETED],
    (4, 1): [Phase.FAILED],
}


def _phases(number: int, attempt: int) -> Sequence[Phase]:
    return PHASES.get((number, attempt), [*RUNNING, Phase.COMPLETED])


def troubled_world(kind: type[Remote], *, has_unique_names: bool = True) -> World:
    """Return five trials, two at a time: some fail, one is suspended, one is preempted."""
    world = World(spec=a_spec(limits=LimitsSpec(active=LIMIT), retry=RETRY), planned=TRIALS)
    world.remote = kind(now=Clock(), script=_phases, has_unique_names=has_unique_names)
    return world


def check(remote: Remote) -> None:
    """Judge a sweep that is over by what the control plane has on record."""
    assert remote.twice_live == set()
    assert remote.most_live <= LIMIT
    assert not any(training.lives for training in remote.trainings)
    names = Counter(training.name for training in remote.trainings)
    assert set(names.values()) == {1}
    done = Counter(one.number for one in remote.trainings if one.phase is Phase.COMPLETED)
    assert done == dict.fromkeys(range(TRIALS), 1)
