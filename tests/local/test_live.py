import asyncio

import pytest

from sweeper.clock import pause
from sweeper.domain.phase import Phase
from sweeper.local import trainings as after
from sweeper.local.live import UNHURRIED_SECONDS, ClosedError, LiveTrainings
from sweeper.local.trainings import Step
from tests.local.builders import NOW, a_training, ended


def some_live() -> tuple[LiveTrainings, asyncio.Event]:
    wake = asyncio.Event()
    live = LiveTrainings(wake)
    live.load(a_training(1, Phase.PENDING))
    live.load(a_training(2, Phase.RUNNING))
    return live, wake


@pytest.mark.parametrize(
    ("step", "is_news"),
    [
        pytest.param(after.wait(a_training(1), "", "waits"), False, id="only a message"),
        pytest.param(after.suspend(a_training(1), NOW), True, id="another phase"),
        pytest.param(after.delete(a_training(1), NOW), True, id="deleted"),
        pytest.param(Step(a_training(3, Phase.CREATING)), True, id="new"),
    ],
)
def test_only_a_change_of_phase_is_news(step: Step, is_news: bool) -> None:
    live, wake = some_live()

    live.apply(step)

    assert (live.draft.is_news, live.draft.is_empty) == (is_news, False)
    assert wake.is_set()


def test_the_same_value_changes_nothing() -> None:
    live, wake = some_live()
    training = live.get(a_training(1).workload_id)
    assert training is not None

    live.apply(Step(training))

    assert live.draft.is_empty
    assert not wake.is_set()


@pytest.mark.looptime
async def test_what_nobody_waits_for_is_written_a_moment_later() -> None:
    live, wake = some_live()

    live.apply(after.wait(a_training(1), "", "waits"), is_urgent=False)

    assert not wake.is_set()
    assert await pause(UNHURRIED_SECONDS + 0.001, wake=wake)


def test_the_holder_of_a_key_has_that_process_now() -> None:
    live, _ = some_live()
    waiting, running = a_training(1, Phase.PENDING), a_training(2, Phase.RUNNING)

    assert live.holder(running.key) == running
    assert live.holder(waiting.key) is None
    assert live.holder(f"{running.workload_id}-7") is None
    assert live.holder("nobody-1") is None


def test_what_is_over_stays_until_it_is_on_record() -> None:
    live, _ = some_live()
    done = ended(a_training(2, Phase.RUNNING), 0, NOW)

    live.apply(done)
    assert live.get(done.training.workload_id) is done.training
    live.take_draft()
    settled = list(live.settle())

    assert settled == [done.training]
    assert live.get(done.training.workload_id) is None


def test_what_changed_while_it_was_written_stays() -> None:
    live, _ = some_live()
    done = ended(a_training(2, Phase.RUNNING), 0, NOW)

    live.apply(done)
    live.take_draft()
    live.apply(after.delete(done.training, NOW))
    settled = list(live.settle())

    assert settled == []
    assert live[done.training.workload_id].deleted_at == NOW


async def test_whoever_waits_hears_once_all_up_to_then_is_on_record() -> None:
    live, _ = some_live()
    step = after.suspend(a_training(1), NOW)
    live.apply(step)
    live.take_draft()

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(live.recorded(step.training.workload_id), name="waiting")
        await asyncio.sleep(0)  # noqa: TID251 - lets the task begin
        list(live.settle())
        await asyncio.sleep(0)  # noqa: TID251 - would let it end
        assert not waiting.done()
        live.take_draft()
        list(live.settle())

    await live.recorded(step.training.workload_id)


async def test_nobody_waits_for_what_is_closed() -> None:
    live, _ = some_live()
    step = after.suspend(a_training(1), NOW)
    live.apply(step)

    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(live.recorded(step.training.workload_id), name="given up")
        waiting = group.create_task(_refusal(live, step), name="waiting")
        await asyncio.sleep(0)  # noqa: TID251 - lets the tasks begin
        given_up.cancel()
        await asyncio.sleep(0)  # noqa: TID251 - lets it end
        live.close()

    assert waiting.result()
    assert await _refusal(live, step)


async def _refusal(live: LiveTrainings, step: Step) -> bool:
    with pytest.raises(ClosedError):
        await live.recorded(step.training.workload_id)
    return True
