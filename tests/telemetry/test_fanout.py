import logging
from collections.abc import Sequence

import pytest

from sweeper.domain.record import Event, EventKind, SweepRecord
from sweeper.ports import TickSummary
from sweeper.telemetry.fanout import Telemetries
from tests.support.builders import a_sweep
from tests.telemetry.builders import a_tick, an_act


class _Recording:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        self.heard.append((sweep, events))

    def ticked(self, summary: TickSummary) -> None:
        self.heard.append(summary)


class _Broken:
    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        raise RuntimeError("no disk")

    def ticked(self, summary: TickSummary) -> None:
        raise RuntimeError("no disk")


def test_each_hears_everything_once_and_in_order() -> None:
    first, second = _Recording(), _Recording()
    sweep, events, tick = a_sweep(), [an_act(EventKind.PREEMPTION, "seen")], a_tick()

    both = Telemetries([first, second])
    both.recorded(sweep, events)
    both.ticked(tick)

    assert first.heard == second.heard == [(sweep, events), tick]


def test_one_that_fails_keeps_nothing_from_the_others() -> None:
    after = _Recording()

    Telemetries([_Broken(), after]).ticked(a_tick())

    assert len(after.heard) == 1


def test_a_failure_is_logged_once_for_each(caplog: pytest.LogCaptureFixture) -> None:
    telemetries = Telemetries([_Broken(), _Broken()])

    with caplog.at_level(logging.ERROR):
        telemetries.ticked(a_tick())
        telemetries.ticked(a_tick())
        telemetries.recorded(a_sweep(), [])

    words = [record.getMessage() for record in caplog.records]
    assert words == ["_Broken failed; the sweep goes on without it"] * 2
    assert caplog.records[0].exc_info is not None
