"""What an outage of ten minutes costs the control plane, and how soon all is as before."""

import asyncio
import random
from contextlib import suppress
from itertools import pairwise

import httpx
import pytest

from sweeper.clock import pause
from sweeper.errors import TransientError
from sweeper.runai.calls import Call
from sweeper.runai.gate import GatePolicy
from sweeper.runai.operations import Operation
from tests.runai.scripted import WORKLOAD_ID, Script, Wired, token_answer, wired
from tests.support.outage import Figures, Scene, play

pytestmark = [pytest.mark.looptime, pytest.mark.timeout(60)]

WAYS = pytest.mark.parametrize("has_listing", [True, False], ids=["listing", "get only"])


def is_kept(figures: Figures) -> dict[str, bool]:
    """Return which of the promises about an outage are kept."""
    rate = GatePolicy().requests_per_second
    return {
        "one probe in three seconds at most": figures.closest_probes >= 3.0,
        "few requests until the breaker opens": figures.sent_until_open <= 8,
        "one repeat in ten requests at most": figures.retry_ratio <= 0.1,
        "most of the throughput is back in a minute": figures.recovered_after <= 60.0,
        "no rush afterwards": figures.busiest_after <= 1.5 * rate,
    }


@WAYS
async def test_400_trainings_outlive_an_outage_gently(has_listing: bool) -> None:
    figures = await play(
        Scene(has_listing=has_listing, lasts=150.0, begins_at=130.0, usual=40.0, looked_at=40.0)
    )

    assert all(is_kept(figures).values()), (is_kept(figures), figures)
    assert figures.answers_before > 1.0


@WAYS
async def test_an_outage_without_any_answers_is_no_worse(has_listing: bool) -> None:
    figures = await play(
        Scene(
            has_listing=has_listing,
            fault="hang",
            active=40,
            lasts=60.0,
            begins_at=120.0,
            usual=60.0,
            looked_at=90.0,
        )
    )

    assert all(is_kept(figures).values()), (is_kept(figures), figures)


GET = Call(operation=Operation.GET, method="GET", path="/x")


async def poll(link: Wired, begin: float, end: float) -> None:
    """Read every half minute, whatever comes of it."""
    await pause(begin)
    while asyncio.get_running_loop().time() < end:
        with suppress(TransientError):
            await link.calls.make(GET, link.auth)
        await pause(30.0)


def between(times: list[float], begin: float, end: float) -> list[float]:
    return [at for at in times if begin <= at < end]


async def test_400_impatient_callers_get_through_the_gate_no_faster() -> None:
    sent: list[float] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        now = asyncio.get_running_loop().time()
        sent.append(now)
        is_down = 30.0 <= now < 150.0
        return httpx.Response(503 if is_down else 200, json={"workloadId": WORKLOAD_ID})

    server = Script().on("/api/v2/token", token_answer(expires_in=36000)).on("/x", answer)
    dice = random.Random(7)
    async with wired(server) as link, asyncio.TaskGroup() as group:
        for number in range(400):
            group.create_task(poll(link, dice.uniform(0, 30), 200.0), name=f"caller {number}")

    probes, afterwards = between(sent, 32.0, 150.0), between(sent, 150.0, 200.0)
    assert len(between(sent, 30.0, 32.0)) <= 10
    assert min(late - early for early, late in pairwise(probes)) >= 3.0
    assert max(len(between(afterwards, at, at + 1)) for at in afterwards) <= 30
    assert len(between(sent, 180.0, 200.0)) >= 0.8 * len(between(sent, 10.0, 30.0))
