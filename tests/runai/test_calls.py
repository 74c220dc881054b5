import asyncio
import logging
import traceback
from collections.abc import Iterator

import httpx
import pytest

from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    NotSentError,
    RejectedError,
    TrainingGoneError,
    TransientError,
)
from sweeper.runai.calls import MAX_BYTES, Call
from sweeper.runai.classify import classify
from sweeper.runai.operations import Operation
from sweeper.runai.retrying import MAX_ATTEMPTS
from tests.runai.scripted import (
    SECRET,
    TOKEN,
    WORKLOAD_ID,
    Script,
    Step,
    Wired,
    token_answer,
    wired,
)

pytestmark = pytest.mark.looptime

TOKEN_PATH = "/api/v2/token"
CREATE = Call(
    operation=Operation.CREATE, method="POST", path="/x", body={"name": "a", "lr": (0.1,)}
)
GET = Call(operation=Operation.GET, method="GET", path="/x", params={"a": "b,=c"})
SUSPEND = Call(operation=Operation.SUSPEND, method="POST", path="/x")
DELETE = Call(operation=Operation.DELETE, method="DELETE", path="/x")
FOUND = httpx.Response(200, json={"workloadId": WORKLOAD_ID})
ACCEPTED = httpx.Response(202)
GONE = httpx.Response(404)
UNAVAILABLE = httpx.Response(503)


def script(*steps: Step) -> Script:
    return Script().on(TOKEN_PATH, token_answer(expires_in=3600)).on("/x", *steps)


async def make(link: Wired, call: Call) -> object:
    return await link.calls.make(call, link.auth)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and whatever led to it, shown or not."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def test_a_create_is_sent_once_as_json() -> None:
    server = script(FOUND)

    async with wired(server) as link:
        assert await make(link, CREATE) == {"workloadId": WORKLOAD_ID}

    request = server.requests[-1]
    assert (request.method, request.content) == ("POST", b'{"name": "a", "lr": [0.1]}')
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_parameters_are_percent_encoded() -> None:
    server = script(FOUND)

    async with wired(server) as link:
        await make(link, GET)

    assert server.requests[-1].url.query == b"a=b%2C%3Dc"
    assert "content-type" not in server.requests[-1].headers


@pytest.mark.parametrize(
    ("step", "error"),
    [
        pytest.param(UNAVAILABLE, AmbiguousError, id="503"),
        pytest.param(httpx.Response(429), TransientError, id="429"),
        pytest.param(httpx.ConnectError("refused"), NotSentError, id="refused"),
        pytest.param(httpx.ReadError(""), AmbiguousError, id="reset"),
        pytest.param(httpx.ReadTimeout(""), AmbiguousError, id="black hole"),
        pytest.param(httpx.Response(202), AmbiguousError, id="no id"),
        pytest.param(httpx.Response(400), RejectedError, id="400"),
        pytest.param(OSError("broken pipe"), AmbiguousError, id="unmapped"),
    ],
)
async def test_a_create_is_never_repeated(step: Step, error: type[ControlPlaneError]) -> None:
    server = script(step)

    async with wired(server) as link:
        with pytest.raises(error) as caught:
            await make(link, CREATE)

    assert type(caught.value) is error
    assert server.count("/x") == 1
    assert link.heard.retries == []


@pytest.mark.parametrize("call", [GET, SUSPEND, DELETE], ids=["get", "suspend", "delete"])
@pytest.mark.parametrize(
    "step", [UNAVAILABLE, httpx.Response(429), httpx.ReadError("")], ids=["503", "429", "reset"]
)
async def test_every_other_call_is_repeated_until_it_works(call: Call, step: Step) -> None:
    server = script(step, step, FOUND)

    async with wired(server) as link:
        await make(link, call)

    assert server.count("/x") == 3
    assert len(link.heard.retries) == 2


async def test_repeats_end_within_the_deadline_of_the_call() -> None:
    async with wired(script(UNAVAILABLE)) as link:
        with pytest.raises(TransientError, match="get was answered 503"):
            await make(link, GET)

    assert asyncio.get_running_loop().time() < 15.0
    assert link.heard.requests.count(("get", "503")) == MAX_ATTEMPTS


async def test_a_delete_left_open_has_worked_when_the_training_is_gone() -> None:
    server = script(UNAVAILABLE, GONE)

    async with wired(server) as link:
        assert await make(link, DELETE) is None

    assert server.count("/x") == 2


async def test_a_delete_of_what_is_gone_says_so() -> None:
    async with wired(script(httpx.Response(429), GONE)) as link:
        with pytest.raises(TrainingGoneError):
            await make(link, DELETE)


async def test_a_suspend_of_what_is_gone_says_so_even_after_one_left_open() -> None:
    async with wired(script(UNAVAILABLE, GONE)) as link:
        with pytest.raises(TrainingGoneError):
            await make(link, SUSPEND)


async def test_a_wait_that_one_call_was_told_holds_for_all() -> None:
    server = script(httpx.Response(503, headers={"Retry-After": "60"}), FOUND)

    async with wired(server) as link:
        with pytest.raises(AmbiguousError) as first:
            await make(link, CREATE)
        with pytest.raises(NotSentError) as second:
            await make(link, CREATE)

    assert first.value.retry_after == second.value.retry_after == 60.0
    assert server.count("/x") == 1


async def test_a_short_wait_is_waited_out_within_the_call() -> None:
    server = script(httpx.Response(503, headers={"Retry-After": "3"}), FOUND)

    async with wired(server) as link:
        await make(link, GET)

    assert 3.0 <= asyncio.get_running_loop().time() <= 6.0


async def test_a_wait_that_the_token_call_was_told_holds_for_all() -> None:
    server = script(FOUND).on(TOKEN_PATH, httpx.Response(503, headers={"Retry-After": "60"}))

    async with wired(server) as link:
        with pytest.raises(NotSentError):
            await make(link, CREATE)
        with pytest.raises(NotSentError, match="left alone") as caught:
            await make(link, CREATE)

    assert caught.value.retry_after == 60.0
    assert server.count(TOKEN_PATH) == 1


async def test_an_answer_larger_than_allowed_is_not_read() -> None:
    large = httpx.Response(200, content=b" " * MAX_BYTES + b"{}")

    async with wired(script(large)) as link:
        with pytest.raises(TransientError, match="too large"):
            await make(link, GET)


async def test_every_exchange_is_heard_of() -> None:
    async with wired(script(UNAVAILABLE, FOUND)) as link:
        await make(link, GET)

    assert link.heard.requests == [("token", "200"), ("get", "503"), ("get", "200")]
    assert link.heard.retries == [("get", "transient")]


ECHOES = [
    pytest.param(httpx.Response(500, json={"message": f"bad {SECRET} or {TOKEN}"}), id="500"),
    pytest.param(httpx.Response(400, json={"message": f"bad {SECRET} or {TOKEN}"}), id="400"),
    pytest.param(httpx.Response(401, json={"details": f"Bearer {TOKEN}"}), id="401"),
    pytest.param(httpx.Response(403, content=f"{SECRET} {TOKEN}".encode()), id="403 no json"),
    pytest.param(httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"), id="local"),
    pytest.param(httpx.RemoteProtocolError(f"illegal status line {TOKEN}"), id="remote"),
    pytest.param(httpx.InvalidURL(f"bad {TOKEN}"), id="url"),
]


@pytest.mark.parametrize("call", [CREATE, GET], ids=["create", "get"])
@pytest.mark.parametrize("step", ECHOES)
async def test_no_error_and_no_log_ever_holds_a_secret(
    step: Step, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with wired(script(step)) as link:
            with pytest.raises(ControlPlaneError) as caught:
                await make(link, call)

    shown = [f"{error!r} {error}" for error in chain(caught.value)]
    shown += traceback.format_exception(caught.value)
    shown += [record.getMessage() for record in caplog.records]
    assert "canary" not in "\n".join(shown)


@pytest.mark.parametrize("step", ECHOES)
async def test_no_secret_leaks_from_the_token_call(
    step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    server = script(FOUND).on(TOKEN_PATH, step)

    with caplog.at_level(logging.DEBUG):
        async with wired(server) as link:
            with pytest.raises((AuthError, TransientError)) as caught:
                await make(link, GET)

    shown = [f"{error!r} {error}" for error in chain(caught.value)]
    shown += traceback.format_exception(caught.value)
    shown += [record.getMessage() for record in caplog.records]
    assert "canary-client-secret" not in "\n".join(shown)


@pytest.mark.parametrize(
    "text", [f"{TOKEN}\nX-Evil: 1", f"{TOKEN} {TOKEN}", f"{TOKEN}\x00", f"{TOKEN}ä"], ids=repr
)
async def test_a_token_that_no_header_may_hold_reaches_no_header(text: str) -> None:
    server = script(FOUND).on(TOKEN_PATH, token_answer(text))

    async with wired(server) as link:
        with pytest.raises(AuthError) as caught:
            await make(link, GET)

    assert server.count("/x") == 0
    assert "canary" not in "".join(traceback.format_exception(caught.value))


async def test_a_body_is_not_in_the_representation_of_a_call() -> None:
    call = Call(operation=Operation.CREATE, method="POST", path="/x", body={"key": "canary"})

    assert "canary" not in repr(call)


async def test_where_the_network_failed_the_cause_is_kept() -> None:
    refused = httpx.ConnectError("refused")

    async with wired(script(refused)) as link:
        with pytest.raises(NotSentError) as caught:
            await make(link, CREATE)

    assert caught.value.__cause__ is refused
    assert str(caught.value) == classify(Operation.CREATE, refused).message
