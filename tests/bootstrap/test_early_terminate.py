import asyncio

import pytest

from sweeper.bootstrap.early_terminate import ELSEWHERE, HERE, Nudge, nudging
from sweeper.clock import pause
from sweeper.domain.record import Report
from sweeper.domain.sweep import EarlyTerminateSpec, ObjectiveSpec
from tests.support.builders import NOW, a_spec

EARLY = a_spec(early_terminate=EarlyTerminateSpec(), objective=ObjectiveSpec(name="loss"))


def a_report(**values: float) -> Report:
    return Report(trial=0, key="k", at=NOW, values=values)


@pytest.mark.looptime
async def test_a_tick_comes_soon_after_reports_that_trials_are_compared_by() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()
    nudge = Nudge(objective="loss", wake=lambda: times.append(loop.time()), seconds=0.2)

    nudge.heard([a_report(acc=1.0)])
    nudge.heard([a_report(loss=1.0)])
    await pause(0.1)
    nudge.heard([a_report(loss=0.9)])
    await pause(1.0)
    nudge.heard([a_report(loss=0.8)])
    await pause(1.0)

    assert times == [pytest.approx(0.2), pytest.approx(1.3)]


@pytest.mark.parametrize(("is_local", "seconds"), [(True, HERE), (False, ELSEWHERE)])
def test_where_a_tick_makes_requests_it_comes_later(is_local: bool, seconds: float) -> None:
    nudge = nudging(EARLY, lambda: None, is_local=is_local)

    assert nudge is not None
    assert (nudge.objective, nudge.seconds) == ("loss", seconds)


def test_a_sweep_that_stops_nobody_early_needs_no_ticks() -> None:
    assert nudging(a_spec(), lambda: None, is_local=True) is None
