import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sweeper.clock import pause
from sweeper.domain.values import JsonValue
from sweeper.errors import AuthError, ControlPlaneError, ForbiddenError, TransientError
from sweeper.runai.calls import Call
from sweeper.runai.operations import Operation
from sweeper.runai.retrying import TokenUnavailableError
from tests.runai.scripted import Script, Wired, bearers, numbered_tokens, token_answer, wired

pytestmark = pytest.mark.looptime

TOKEN_PATH = "/api/v2/token"
CLUSTERS = Call(operation=Operation.CLUSTERS, method="GET", path="/clusters")
CREATE = Call(operation=Operation.CREATE, method="POST", path="/create", body={"name": "a"})
GOOD = httpx.Response(200, json=[])


def now() -> float:
    return asyncio.get_running_loop().time()


async def make(link: Wired, call: Call = CLUSTERS) -> JsonValue:
    return await link.calls.make(call, link.auth)


async def make_many(link: Wired, count: int) -> list[BaseException | None]:
    """Make calls at once and return what each of them raised."""
    raised: list[BaseException | None] = []

    async def one() -> None:
        try:
            await make(link)
        except ControlPlaneError as error:
            raised.append(error)
        else:
            raised.append(None)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one(), name="call")
    return raised


def slow(seconds: float, step: Callable[[httpx.Request], httpx.Response]) -> Any:
    async def answer(request: httpx.Request) -> httpx.Response:
        await pause(seconds)
        return step(request)

    return answer


def only(*good: str) -> Callable[[httpx.Request], httpx.Response]:
    """Return a step that takes these tokens only."""

    def step(request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in good:
            return httpx.Response(200, json=[])
        return httpx.Response(401, json={"message": "Issuer"})

    return step


async def test_a_token_is_fetched_once_and_used_for_every_call() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens()).on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await make(link)

    assert script.paths() == [TOKEN_PATH, "/clusters", "/clusters"]
    assert bearers(script.requests) == ["token-1", "token-1"]


async def test_the_token_call_itself_carries_no_token() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens()).on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)

    assert "authorization" not in script.requests[0].headers


async def test_callers_who_need_a_token_at_once_share_one_call() -> None:
    script = Script().on(TOKEN_PATH, slow(1.0, numbered_tokens())).on("/clusters", GOOD)

    async with wired(script) as link:
        raised = await make_many(link, 8)

    assert raised == [None] * 8
    assert script.count(TOKEN_PATH) == 1


async def test_a_token_is_renewed_when_four_fifths_of_its_life_are_over() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens(life=100.0)).on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await pause(79.0)
        await make(link)
        await pause(2.0)
        await make(link)

    assert bearers(script.requests) == ["token-1", "token-1", "token-2"]


async def test_a_living_token_is_used_on_while_it_cannot_be_renewed() -> None:
    script = Script().on(TOKEN_PATH, token_answer("old", expires_in=100), httpx.Response(400))
    script.on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await pause(85.0)
        await make(link)
        await make(link)

    assert bearers(script.requests) == ["old"] * 3
    assert script.count(TOKEN_PATH) == 2


async def test_a_token_call_that_hangs_holds_up_one_call_and_fails_none() -> None:
    script = Script().on(
        TOKEN_PATH, token_answer("old", expires_in=100), slow(60.0, numbered_tokens())
    )
    script.on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await pause(81.0)
        raised = await make_many(link, 5)
        assert now() == pytest.approx(88.5)

    assert raised == [None] * 5
    assert bearers(script.requests) == ["old"] * 6
    assert script.count(TOKEN_PATH) == 2


async def test_a_token_that_expires_while_it_cannot_be_renewed_is_not_used() -> None:
    script = Script().on(
        TOKEN_PATH, token_answer("old", expires_in=100), slow(5.0, lambda _: httpx.Response(400))
    )
    script.on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await pause(99.0)
        with pytest.raises(AuthError):
            await make(link)

    assert bearers(script.requests) == ["old"]


async def test_an_expired_token_is_not_used() -> None:
    script = Script().on(TOKEN_PATH, token_answer("old", expires_in=100), httpx.Response(400))
    script.on("/clusters", GOOD)

    async with wired(script) as link:
        await make(link)
        await pause(101.0)
        with pytest.raises(AuthError):
            await make(link)

    assert bearers(script.requests) == ["old"]


async def test_a_refused_token_is_renewed_and_the_call_replayed_once() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens()).on("/clusters", only("token-2"))

    async with wired(script) as link:
        assert await make(link) == []

    assert bearers(script.requests) == ["token-1", "token-2"]
    assert link.heard.requests == [
        ("token", "200"),
        ("clusters", "401"),
        ("token", "200"),
        ("clusters", "200"),
    ]


async def test_the_replay_of_a_create_carries_its_body_again() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens())
    script.on("/create", httpx.Response(401), httpx.Response(403))

    async with wired(script) as link:
        with pytest.raises(ForbiddenError):
            await make(link, CREATE)

    sent = [request.content for request in script.requests if request.url.path == "/create"]
    assert sent == [b'{"name": "a"}'] * 2


async def test_a_fresh_token_that_is_refused_too_is_the_end() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens()).on("/clusters", only())

    async with wired(script) as link:
        with pytest.raises(AuthError, match="clusters was answered 401: Issuer"):
            await make(link)

    assert bearers(script.requests) == ["token-1", "token-2"]


async def test_many_refusals_of_one_token_lead_to_one_renewal() -> None:
    script = Script().on(TOKEN_PATH, slow(1.0, numbered_tokens()))
    script.on("/clusters", slow(0.5, only("token-2")))

    async with wired(script) as link:
        raised = await make_many(link, 20)

    assert raised == [None] * 20
    assert script.count(TOKEN_PATH) == 2


async def test_a_late_refusal_of_a_token_that_was_renewed_meanwhile_renews_nothing() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens())
    good = only("token-2")
    script.on("/clusters", slow(0.5, good), slow(3.0, good), good)

    async with wired(script) as link:
        raised = await make_many(link, 2)

    assert raised == [None] * 2
    assert script.count(TOKEN_PATH) == 2


async def test_a_server_that_gives_the_same_token_again_is_asked_once_for_many() -> None:
    script = Script().on(TOKEN_PATH, slow(1.0, lambda _: token_answer("same", expires_in=60)))
    script.on("/clusters", only())

    async with wired(script) as link:
        raised = await make_many(link, 8)

    assert [type(error) for error in raised] == [AuthError] * 8
    assert script.count(TOKEN_PATH) == 2


async def test_a_failed_renewal_fails_for_all_who_waited_and_the_next_call_tries_again() -> None:
    script = Script().on(TOKEN_PATH, slow(1.0, lambda _: httpx.Response(400)), numbered_tokens())
    script.on("/clusters", GOOD)

    async with wired(script) as link:
        raised = await make_many(link, 8)
        await make(link)

    assert [type(error) for error in raised] == [AuthError] * 8
    assert len({id(error) for error in raised}) == 8
    assert script.count(TOKEN_PATH) == 2


async def test_no_token_for_the_moment_means_that_nothing_was_sent() -> None:
    script = Script().on(TOKEN_PATH, httpx.Response(503, headers={"Retry-After": "60"}))
    script.on("/create", GOOD)

    async with wired(script) as link:
        with pytest.raises(TokenUnavailableError, match="no token: token was answered 503") as one:
            await make(link, CREATE)

    assert one.value.retry_after == 60.0
    assert script.count("/create") == 0


async def test_a_token_that_cannot_be_had_is_asked_for_by_the_token_call_alone() -> None:
    script = Script().on(TOKEN_PATH, slow(0.1, lambda _: httpx.Response(503)))

    async with wired(script) as link:
        raised = await make_many(link, 5)

    assert [type(error) for error in raised] == [TokenUnavailableError] * 5
    assert all(isinstance(error, TransientError) for error in raised)
    assert script.count(TOKEN_PATH) == 4
    assert link.heard.retries == [("token", "transient")] * 3


async def test_who_is_cancelled_while_fetching_leaves_the_fetching_to_another() -> None:
    script = Script().on(TOKEN_PATH, slow(2.0, numbered_tokens())).on("/clusters", GOOD)

    async with wired(script) as link, asyncio.TaskGroup() as group:
        first = group.create_task(make(link), name="first")
        await pause(0.5)
        others = [group.create_task(make(link), name="other") for _ in range(3)]
        await pause(0.5)
        first.cancel()

    assert first.cancelled()
    assert [other.result() for other in others] == [[]] * 3
    assert script.count(TOKEN_PATH) == 2
    assert now() == pytest.approx(3.0)


async def test_who_is_cancelled_while_waiting_disturbs_nobody() -> None:
    script = Script().on(TOKEN_PATH, slow(2.0, numbered_tokens())).on("/clusters", GOOD)

    async with wired(script) as link, asyncio.TaskGroup() as group:
        first = group.create_task(make(link), name="first")
        await pause(0.5)
        second = group.create_task(make(link), name="second")
        await pause(0.5)
        second.cancel()

    assert second.cancelled()
    assert first.result() == []
    assert script.count(TOKEN_PATH) == 1


async def test_nobody_waits_for_a_token_beyond_the_own_deadline() -> None:
    script = Script().on(TOKEN_PATH, slow(14.0, numbered_tokens())).on("/clusters", GOOD)

    async with wired(script, deadline_seconds=15.0) as link, asyncio.TaskGroup() as group:
        group.create_task(make(link), name="first")
        await pause(0.0)
        link.calls._deadline_seconds = 5.0
        with pytest.raises(TokenUnavailableError, match="until the deadline"):
            await make(link)
        assert now() == pytest.approx(5.0)


async def test_the_present_tokens_expiry_can_be_read() -> None:
    script = Script().on(TOKEN_PATH, numbered_tokens(life=100.0)).on("/clusters", GOOD)

    async with wired(script) as link:
        before = link.auth.expires_at
        await make(link)

    assert (before, link.auth.expires_at) == (None, 100.0)


async def test_each_new_token_is_told_with_its_life() -> None:
    script = Script({TOKEN_PATH: [numbered_tokens(life=60)], "/clusters": [GOOD]})
    async with wired(script) as link:
        await make(link)
        await make(link)
        await pause(61)
        await make(link)

        assert link.heard.tokens == [60, 60]
