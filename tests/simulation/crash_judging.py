"""What must be true after a sweep whose daemon died, by the server's own history."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, SweepRecord, SweepState, TrialView
from sweeper.domain.trial import TrialState
from sweeper.local.trainings import LocalTraining
from sweeper.ports import Store
from tests.simulation.crash_sweeps import SmallSweep
from tests.support.simulated_daemon import History, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """The server's history, and what the daemons left in their store."""

    history: History
    sweep: SweepRecord
    trials: Mapping[int, TrialView]
    known: frozenset[str]
    events: Sequence[Event]

    @classmethod
    async def of(cls, store: Store, server: Server) -> Self:
        """Read both."""
        sweep = await store.load_sweep()
        assert sweep is not None
        views = await store.trials(limit=10_000)
        submissions = [
            submission
            for view in views
            for submission in await store.submissions(view.trial.number)
        ]
        return cls(
            history=await server.history(),
            sweep=sweep,
            trials={view.trial.number: view for view in views},
            known=frozenset(one.workload_id for one in submissions if one.workload_id),
            events=await store.events(limit=100_000),
        )


def faults_of(sweep: SmallSweep, aftermath: Aftermath) -> Iterator[str]:
    """Yield what is wrong with a sweep that has come to its end."""
    yield from _doubled(aftermath.history)
    yield from _beyond_the_limit(sweep, aftermath.history)
    if aftermath.sweep.state is not sweep.state:
        yield f"the sweep is {aftermath.sweep.state}"
    for number in range(sweep.trials):
        yield from _trial(sweep, aftermath, number)
    yield from _left_over(aftermath)
    yield from _settled_twice(aftermath)


def _left_over(aftermath: Aftermath) -> Iterator[str]:
    """Look for what still lives, and for what no row of the store knows."""
    for training in aftermath.history.trainings:
        is_known = training.workload_id in aftermath.known
        # What a person deleted before anybody knew of it is nobody's.
        if not is_known and training.deleted_at is None:
            yield f"{training.name} is an orphan"
        if not training.is_over:
            yield f"{training.name} is left {training.phase}"


def _settled_twice(aftermath: Aftermath) -> Iterator[str]:
    # A person may have a trial tried again that has failed.
    settled = Counter(
        (event.trial, event.attempt)
        for event in aftermath.events
        if event.trial is not None and event.outcome in _FINAL
    )
    for (number, attempt), times in settled.items():
        if times > 1:
            yield f"attempt {attempt} at trial {number} was settled {times} times"


_FINAL = frozenset(state.value for state in TrialState if state.is_terminal)


def _number(training: LocalTraining) -> int:
    return int(training.name.split("-")[-2])


def _doubled(history: History) -> Iterator[str]:
    yield from (f"{name} was created while another lived" for name in history.twice_live())


def _beyond_the_limit(sweep: SmallSweep, history: History) -> Iterator[str]:
    """Count the living at each creation."""
    for training in history.trainings:
        living = sum(
            one.created_at <= training.created_at
            and ((over := one.completed_at or one.deleted_at) is None or over > training.created_at)
            for one in history.trainings
        )
        if living > sweep.active:
            yield f"{living} lived when {training.name} was created"


def _trial(sweep: SmallSweep, aftermath: Aftermath, number: int) -> Iterator[str]:
    view = aftermath.trials.get(number)
    trainings = aftermath.history.by_trial.get(number, ())
    if view is None:
        if trainings or sweep.state is SweepState.FINISHED:
            yield f"trial {number} is lost"
        return
    state = view.trial.state
    if state not in sweep.ends:
        yield f"trial {number} is {state}: {view.trial.reason}"
    if len(trainings) > sweep.attempts:
        yield f"trial {number} had {len(trainings)} trainings"
    completed = sum(one.phase is Phase.COMPLETED for one in trainings)
    if completed != int(state is TrialState.COMPLETED):
        yield f"trial {number} is {state} with {completed} completed trainings"
