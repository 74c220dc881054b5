import os
import signal

import pytest

from sweeper.bootstrap.signals import StopSignals, exit_code, stop_signals


def test_the_first_signal_asks_for_a_stop_once() -> None:
    asked: list[str] = []
    signals = StopSignals(leave=lambda _: asked.append("left"), seconds=lambda: 0.0)
    signals.on_stop(lambda: asked.append("asked"))

    signals.take(signal.SIGTERM)

    assert asked == ["asked"]
    assert signals.received is signal.SIGTERM


def test_the_second_signal_leaves_at_once_with_the_code_of_the_first() -> None:
    left: list[int] = []
    times = iter([5.0, 6.0])
    signals = StopSignals(leave=left.append, seconds=lambda: next(times))
    signals.take(signal.SIGINT)

    signals.take(signal.SIGTERM)

    assert left == [130]


def test_a_signal_that_is_sent_to_the_group_as_well_counts_once() -> None:
    left: list[int] = []
    times = iter([5.0, 5.9])
    signals = StopSignals(leave=left.append, seconds=lambda: next(times))
    signals.take(signal.SIGTERM)

    signals.take(signal.SIGTERM)

    assert left == []


def test_a_signal_that_came_before_anyone_could_stop_is_not_lost() -> None:
    asked: list[str] = []
    signals = StopSignals(leave=lambda _: None, seconds=lambda: 0.0)
    signals.take(signal.SIGTERM)

    signals.on_stop(lambda: asked.append("asked"))

    assert asked == ["asked"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_real_signals_are_delivered_while_the_block_lasts(number: signal.Signals) -> None:
    import asyncio

    came = asyncio.Event()
    with stop_signals(StopSignals(leave=lambda _: None)) as signals:
        signals.on_stop(came.set)

        os.kill(os.getpid(), number)

        async with asyncio.timeout(5):
            await came.wait()
    assert signals.received is number


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_exit_codes_are_those_of_a_shell(number: signal.Signals, code: int) -> None:
    assert exit_code(number) == code
