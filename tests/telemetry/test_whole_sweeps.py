"""What metrics say of whole sweeps agrees with what the store has of them, restarts included."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.bootstrap.measuring import take_over
from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, SweepRecord
from sweeper.ports import TickSummary
from sweeper.telemetry.metrics import Metrics
from tests.support.builders import after
from tests.support.daemon import Heard, World
from tests.telemetry.scraping import series_of

_TRIALS = 3
_MIDDLE = (Phase.PENDING, Phase.RUNNING, Phase.STOPPED, Phase.TERMINATING, Phase.INITIALIZING)
_END = (Phase.COMPLETED, Phase.FAILED)

_LIVES = st.tuples(st.lists(st.sampled_from(_MIDDLE), max_size=8), st.sampled_from(_END)).map(
    lambda parts: (*parts[0], parts[1])
)


@dataclass(slots=True, kw_only=True)
class Telling(Heard):
    """Passes everything on to the metrics of the present process."""

    metrics: Metrics

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        self.metrics.recorded(sweep, events)

    def ticked(self, summary: TickSummary) -> None:
        self.metrics.ticked(summary)


async def _played(
    lives: Sequence[Sequence[Phase]], restart_every: int
) -> tuple[World, dict[str, float]]:
    """Run a sweep to its end in many processes; return the sums of what they counted."""
    world = World(planned=_TRIALS, gpus=dict.fromkeys(range(_TRIALS), 2))
    world.remote.script = lambda number, attempt: lives[(number + attempt) % len(lives)]
    await world.begin()
    counted: defaultdict[str, float] = defaultdict(float)
    is_over = False
    while not is_over:
        assert world.clock() < after(days=10)
        metrics = Metrics(version="1", now=world.clock)
        await take_over(metrics, "demo", world.store)
        world.heard = Telling(metrics=metrics)
        daemon = world.daemon()
        for _ in range(restart_every):
            tick = await daemon.tick()
            is_over = tick.settled
            world.pass_time(0 if is_over else tick.wait)
        for key, value in series_of(metrics).items():
            counted[" ".join(key)] += value
    return world, counted


@settings(max_examples=25, deadline=None)
@given(lives=st.lists(_LIVES, min_size=1, max_size=4), restart_every=st.integers(1, 12))
async def test_metrics_agree_with_the_store(
    lives: Sequence[Sequence[Phase]], restart_every: int
) -> None:
    world, counted = await _played(lives, restart_every)

    views = await world.store.trials()
    for state, count in Counter(view.trial.state for view in views).items():
        if state.is_terminal:
            assert counted[f"trial_outcomes_total {state} demo"] == count
            assert counted[f"trial_duration_seconds_count {state} demo"] == count
    events = Counter((event.kind, event.outcome) for event in await world.store.events(limit=10**4))
    assert counted["preemptions_total demo"] == events[EventKind.PREEMPTION, "seen"]
    assert counted["submissions_total created demo"] == events[EventKind.SUBMISSION, "created"]
    worked = 0.0
    for view in views:
        attempts = await world.store.submissions(view.trial.number)
        worked += sum(float(attempt.gpus) * attempt.running_seconds for attempt in attempts)
    charged = counted["gpu_seconds_total demo useful"] + counted["gpu_seconds_total demo lost"]
    assert charged == pytest.approx(worked)
