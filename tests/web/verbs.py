"""A store with something in it, for whoever asks."""

from sweeper.domain.record import Event, EventKind, Report
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial


async def a_store(trials: int = 3, reports: int = 2) -> MemoryStore:
    """Return the store of a sweep with a failed trial 0, and so many trials at work after it."""
    store = MemoryStore()
    await store.save_sweep(a_sweep(objective="loss", goal=Goal.MINIMIZE))
    written = [a_trial(0, state=TrialState.FAILED, version=0)]
    written += [a_trial(number, version=0) for number in range(1, trials)]
    events = [
        Event(at=NOW, kind=EventKind.SUBMISSION, outcome="created", trial=trial.number)
        for trial in written
    ]
    await store.commit(written, events)
    await store.add_reports(
        [
            Report(trial=1, key=str(step), at=NOW, values={"loss": 1.0 / (step + 1)}, step=step)
            for step in range(reports)
        ]
    )
    return store
