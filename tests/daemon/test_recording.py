import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sweeper.daemon.recording import Recorder
from sweeper.domain.change import Change, changed
from sweeper.domain.outbox import Notice
from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, Report, SlotGuard
from sweeper.domain.trial import Trial, TrialState
from sweeper.errors import StoreError
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_sweep, a_trial
from tests.support.clock import Clock
from tests.support.daemon import Heard


class Slow(MemoryStore):
    """Writes nothing before `disk` is free; remembers which trials were written together."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = asyncio.Event()
        self.together: list[list[int]] = []

    async def commit(
        self,
        trials: Sequence[Trial],
        events: Sequence[Event] = (),
        *,
        guard: SlotGuard | None = None,
        notices: Sequence[Notice] = (),
    ) -> Sequence[Trial]:
        self.together.append([trial.number for trial in trials])
        await self.disk.wait()
        return await super().commit(trials, events, guard=guard, notices=notices)


async def a_recorder(store: MemoryStore) -> Recorder:
    await store.save_sweep(a_sweep())

    async def read_reports(trials: Sequence[Trial]) -> None:
        return None

    return Recorder(store=store, telemetry=Heard(), read_reports=read_reports, now=Clock())


async def settle_all(store: Slow, trials: Sequence[Trial]) -> list[int | str]:
    """Settle trials side by side; return what each came to, in the order in which they did."""
    recorder = await a_recorder(store)
    came: list[int | str] = []

    async def settle(trial: Trial) -> None:
        try:
            await recorder.settle(a_sweep(), Change(trial=trial))
        except StoreError as error:
            came.append(type(error).__name__)
        else:
            came.append(trial.number)

    async with asyncio.TaskGroup() as group:
        for trial in trials:
            group.create_task(settle(trial), name=f"settle {trial.number}")
        asyncio.get_running_loop().call_soon(store.disk.set)
    return came


async def test_what_ends_while_the_disk_is_busy_shares_the_next_transaction() -> None:
    store = Slow()

    came = await settle_all(store, [a_trial(number, version=0) for number in range(4)])

    assert came == [0, 1, 2, 3]
    assert store.together == [[0], [1, 2, 3]]
    assert [trial.number for trial in await store.live_trials()] == [0, 1, 2, 3]


async def test_whoever_has_a_share_in_what_is_not_written_hears_of_it() -> None:
    store = Slow()

    came = await settle_all(
        store, [a_trial(number, version=9 if number == 1 else 0) for number in range(3)]
    )

    assert came == [0, "StoreError", "StoreError"]
    assert [trial.number for trial in await store.live_trials()] == [0]


async def what_is_told(*, objective: str | None, reported: str) -> Sequence[Event]:
    """Return what is told of a trial's objective as it completes, having reported something."""
    store, sweep = MemoryStore(), a_sweep(objective=objective)
    recorder = await a_recorder(store)
    await store.save_sweep(sweep)
    (trial,) = await store.commit([a_trial(3, version=0)])
    report = Report(trial=3, key="a", at=NOW, values={reported: 1.0})

    async def read_reports(_trials: Sequence[Trial]) -> None:
        await store.add_reports([report])

    recorder.read_reports = read_reports
    ended = replace(
        trial, submission=replace(trial.submission, phase=Phase.COMPLETED, ended_at=NOW)
    )
    done = ended.enter(TrialState.COMPLETED, NOW)
    await recorder.write(sweep, [changed(trial, done, NOW)])
    return [event for event in await store.events() if event.kind is EventKind.OBJECTIVE]


async def test_a_trial_that_completes_without_its_objective_is_told_loudly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (event,) = await what_is_told(objective="loss", reported="Loss")

    assert (event.trial, event.outcome) == (3, "never_reported")
    assert event.detail == "completed, and never reported loss"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_what_is_reported_at_the_last_moment_counts() -> None:
    assert await what_is_told(objective="loss", reported="loss") == []


async def test_a_sweep_that_optimises_nothing_misses_nothing() -> None:
    assert await what_is_told(objective=None, reported="loss") == []
