import asyncio
import random

import pytest

from sweeper.clock import pause
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    NameTakenError,
    NotSentError,
    RejectedError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.runai.budget import RetryBudget
from sweeper.runai.operations import Operation
from sweeper.runai.retrying import FIRST_WAIT_SECONDS, MAX_ATTEMPTS, TokenUnavailableError, repeat
from tests.runai.scripted import Heard

pytestmark = pytest.mark.looptime


class Attempt:
    """Fails with the given errors, the last one for ever; notes when it was made."""

    def __init__(self, *errors: BaseException | None, takes: float = 0.0) -> None:
        self.errors = list(errors)
        self.takes = takes
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(asyncio.get_running_loop().time())
        await pause(self.takes)
        error = self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]
        if error is not None:
            raise error
        return "done"


async def run(
    attempt: Attempt,
    *,
    deadline: float = 15.0,
    seed: int = 7,
    heard: Heard | None = None,
    budget: RetryBudget | None = None,
) -> str:
    return await repeat(
        attempt,
        operation=Operation.GET,
        deadline=deadline,
        rng=random.Random(seed),
        observer=(heard or Heard()).observer(),
        may_repeat=(budget or RetryBudget()).spend,
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotSentError("refused"), "not_sent"),
        (TransientError("503"), "transient"),
        (AmbiguousError("cut"), "ambiguous"),
    ],
    ids=["not sent", "transient", "ambiguous"],
)
async def test_what_may_pass_is_repeated_and_said(error: Exception, reason: str) -> None:
    attempt, heard = Attempt(error, error, None), Heard()

    assert await run(attempt, heard=heard) == "done"

    assert len(attempt.at) == 3
    assert heard.retries == [("get", reason)] * 2


@pytest.mark.parametrize(
    "error",
    [
        AuthError("x"),
        ForbiddenError("x"),
        RejectedError("x"),
        NameTakenError("x"),
        TrainingGoneError("x"),
        UnsupportedError("x"),
        ControlPlaneError("x"),
        TokenUnavailableError("x"),
        KeyError("x"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_will_not_pass_is_raised_at_once(error: BaseException) -> None:
    attempt = Attempt(error)

    with pytest.raises(type(error)) as caught:
        await run(attempt)

    assert caught.value is error
    assert len(attempt.at) == 1


async def test_the_last_failure_is_raised_after_a_few_attempts() -> None:
    attempt = Attempt(TransientError("first"), TransientError("later"))

    with pytest.raises(TransientError, match="later"):
        await run(attempt)

    assert len(attempt.at) == MAX_ATTEMPTS


@pytest.mark.parametrize("seed", range(20))
async def test_waits_are_jittered_and_grow_within_a_few_seconds(seed: int) -> None:
    attempt = Attempt(TransientError("503"))

    with pytest.raises(TransientError):
        await run(attempt, seed=seed)

    waits = [after - before for before, after in zip(attempt.at, attempt.at[1:], strict=False)]
    assert all(wait <= FIRST_WAIT_SECONDS * 2**n + 1e-9 for n, wait in enumerate(waits))


async def test_no_two_callers_wait_alike() -> None:
    attempts = [Attempt(TransientError("503"), None) for _ in range(20)]

    for seed, attempt in enumerate(attempts):
        await run(attempt, seed=seed, deadline=1e9)

    assert len({attempt.at[1] - attempt.at[0] for attempt in attempts}) == 20


async def test_a_wait_that_the_server_asks_for_is_kept() -> None:
    attempt = Attempt(TransientError("503", retry_after=6.0), None)

    await run(attempt)

    assert 6.0 <= attempt.at[1] - attempt.at[0] <= 6.0 + FIRST_WAIT_SECONDS


async def test_a_wait_longer_than_the_time_left_is_handed_on_at_once() -> None:
    attempt = Attempt(TransientError("503", retry_after=60.0))

    with pytest.raises(TransientError) as caught:
        await run(attempt)

    assert caught.value.retry_after == 60.0
    assert asyncio.get_running_loop().time() == 0.0


async def test_nothing_is_repeated_after_the_deadline() -> None:
    attempt = Attempt(TransientError("slow"), takes=8.0)

    with pytest.raises(TransientError):
        await run(attempt, deadline=15.0)

    assert len(attempt.at) == 2


@pytest.mark.parametrize(("takes", "attempts"), [(13.0, 2), (14.25, 1)])
async def test_nothing_is_repeated_without_time_for_an_answer(takes: float, attempts: int) -> None:
    attempt = Attempt(TransientError("slow"), takes=takes)

    with pytest.raises(TransientError):
        await run(attempt, deadline=15.0)

    assert len(attempt.at) == attempts


async def test_nothing_is_repeated_without_a_budget() -> None:
    attempt, heard = Attempt(TransientError("503")), Heard()

    with pytest.raises(TransientError):
        await run(attempt, heard=heard, budget=RetryBudget(most=1.0))

    assert len(attempt.at) == 2
    assert heard.retries == [("get", "transient")]


async def test_a_repeat_that_comes_too_late_costs_nothing() -> None:
    budget = RetryBudget(most=1.0)

    with pytest.raises(TransientError):
        await run(Attempt(TransientError("503", retry_after=60.0)), budget=budget)

    assert budget.spend()
