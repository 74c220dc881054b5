import contextlib
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from sweeper.domain.record import Wish, WishKind
from sweeper.domain.trial import FailureClass, TrialState
from sweeper.web.queries import limit_in, number_in, states_in, trial_in_path, wish_in
from tests.support.builders import NOW

UUID = "0a1b2c3d-0000-4000-8000-00000000abcd"


def a_wish(kind: WishKind, **fields: Any) -> Wish:
    return Wish(kind=kind, at=NOW, **fields)


def a_request(query: str = "", *, body: bytes = b"", trial: str = "0") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "query_string": query.encode("latin-1"),
        "path_params": {"trial": trial},
    }
    return Request(scope, receive)


def test_a_number_is_read_or_the_default_holds() -> None:
    assert number_in(a_request("after=12"), "after", -1) == 12
    assert number_in(a_request("after=-1"), "after", 0) == -1
    assert number_in(a_request(), "after", -1) == -1


@pytest.mark.parametrize("text", ["x", "", "1.5", "-2", "1e3", "9" * 30, str(2**63), "%D9%A3"])
def test_what_is_no_number_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(HTTPException) as caught:
        number_in(a_request(f"after={text}"), "after", 0)

    assert caught.value.status_code == 400
    assert caught.value.detail.startswith("after=")


@pytest.mark.parametrize(("query", "limit"), [("", 500), ("limit=7", 7), ("limit=0", 1)])
def test_a_page_holds_at_least_one_entry(query: str, limit: int) -> None:
    assert limit_in(a_request(query)) == limit


def test_a_page_has_a_bound() -> None:
    with pytest.raises(HTTPException, match="1000"):
        limit_in(a_request("limit=1001"))


def test_states_come_one_by_one_or_with_commas() -> None:
    wanted = [TrialState.FAILED, TrialState.HELD]

    assert states_in(a_request("state=failed&state=held")) == wanted
    assert states_in(a_request("state=failed,held")) == wanted
    assert states_in(a_request()) is None


@pytest.mark.parametrize("query", ["state=", "state=Failed", "state=failed,"])
def test_an_unknown_state_is_refused_with_the_known_ones(query: str) -> None:
    with pytest.raises(HTTPException, match="waiting, submitting, active"):
        states_in(a_request(query))


def test_a_trial_in_the_path_is_its_number() -> None:
    assert trial_in_path(a_request(trial="12")) == 12


@pytest.mark.parametrize("trial", ["-1", "x", "1" * 21, str(2**63)])
def test_what_is_no_trial_is_not_found(trial: str) -> None:
    with pytest.raises(HTTPException) as caught:
        trial_in_path(a_request(trial=trial))

    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        pytest.param({"kind": "pause"}, a_wish(WishKind.PAUSE), id="sweep"),
        pytest.param({"kind": "cancel", "trial": None}, a_wish(WishKind.CANCEL), id="null"),
        pytest.param({"kind": "retry", "trial": 3}, a_wish(WishKind.RETRY, trial=3), id="trial"),
        pytest.param(
            {"kind": "enqueue", "params": {"lr": 0.1}},
            a_wish(WishKind.ENQUEUE, params={"lr": 0.1}),
            id="point",
        ),
        pytest.param(
            {"kind": "retry", "failure": "timeout"},
            a_wish(WishKind.RETRY, failure=FailureClass.TIMEOUT),
            id="class",
        ),
        pytest.param(
            {"kind": "adopt", "trial": 3, "workload_id": UUID.upper()},
            a_wish(WishKind.ADOPT, trial=3, workload_id=UUID),
            id="training",
        ),
    ],
)
async def test_a_wish_is_for_the_sweep_or_one_trial(body: object, wish: Wish) -> None:
    assert await wish_in(a_request(body=json.dumps(body).encode()), NOW) == wish


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "must be JSON", id="empty"),
        pytest.param(b"[" * 4000, "must be JSON", id="deep"),
        pytest.param(b"[]", "JSON object", id="list"),
        pytest.param(b"{}", "kind: must be one of pause, suspend", id="no kind"),
        pytest.param(b'{"kind": ["pause"]}', "kind: must be one of", id="odd kind"),
        pytest.param(b'{"kind": "cancel", "trial": "3"}', "trial: must be", id="text"),
        pytest.param(b'{"kind": "cancel", "trial": true}', "trial: must be", id="bool"),
        pytest.param(b'{"kind": "cancel", "trial": -1}', "trial: must be", id="negative"),
        pytest.param(b'{"kind": "cancel", "trial": 1e3}', "trial: must be", id="float"),
        pytest.param(b'{"kind": "enqueue"}', "params: must be an object", id="no point"),
        pytest.param(b'{"kind": "enqueue", "params": {}}', "must be an object", id="no params"),
        pytest.param(b'{"kind": "enqueue", "params": [1]}', "must be an object", id="list point"),
        pytest.param(
            b'{"kind": "pause", "params": {"lr": 1}}', "params: pause takes none", id="point of all"
        ),
        pytest.param(b'{"kind": "retry", "failure": "rain"}', "one of application", id="class"),
        pytest.param(
            b'{"kind": "retry", "trial": 1, "failure": "timeout"}',
            "only a retry of all",
            id="class of a trial",
        ),
        pytest.param(
            b'{"kind": "pause", "failure": "timeout"}', "only a retry", id="class of a pause"
        ),
        pytest.param(b'{"kind": "pause", "trial": 3}', "for the whole sweep", id="pause a trial"),
        pytest.param(b'{"kind": "adopt"}', "trial: say whose", id="adopt for none"),
        pytest.param(b'{"kind": "adopt", "trial": 3}', "workload_id: must be", id="adopt nothing"),
        pytest.param(
            b'{"kind": "adopt", "trial": 3, "workload_id": "../x"}', "a UUID", id="odd id"
        ),
        pytest.param(b'{"kind": "adopt", "trial": 3, "workload_id": 7}', "a UUID", id="number"),
        pytest.param(b'{"kind": "pause", "workload_id": "x"}', "takes none", id="pause by id"),
    ],
)
async def test_what_is_no_wish_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(HTTPException) as caught:
        await wish_in(a_request(body=body), NOW)

    assert caught.value.status_code == 400
    assert words in caught.value.detail


@given(st.text())
def test_any_query_is_read_or_refused(text: str) -> None:
    request = a_request(str(httpx.QueryParams({"limit": text, "state": text})))

    for read in (limit_in, states_in):
        with contextlib.suppress(HTTPException):
            assert read(request) is not None
