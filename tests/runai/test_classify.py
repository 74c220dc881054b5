import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from sweeper.runai.answers import Answer
from sweeper.runai.classify import (
    Kind,
    Outcome,
    OversizedError,
    classify,
    error_for,
    is_uuid,
    unusable,
)
from sweeper.runai.operations import BY_ID, LISTINGS, READS, Operation

WORKLOAD_ID = "8f3e4b6a-2c51-4e0b-9a7d-5f1c2d3e4f50"
WRITES = set(Operation) - READS


def exception_types(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(kind for child in root.__subclasses__() for kind in exception_types(child))]


HTTPX_EXCEPTIONS = sorted(
    {
        kind
        for root in (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
        for kind in exception_types(root)
    },
    key=lambda kind: kind.__name__,
)
NEVER_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "LocalProtocolError",
    "UnsupportedProtocol",
    "ProxyError",
    "InvalidURL",
    "CookieConflict",
}
BODIES = {
    "empty": b"",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "cut": b'{"workloadId": "8f3e4b6a-2c5',
    "list": b"[]",
    "text": b'"accepted"',
    "null": b"null",
    "no id": b'{"name": "a"}',
    "id of wrong type": b'{"workloadId": 7, "workloads": {}, "accessToken": {}}',
    "id no uuid": b'{"workloadId": "../../admin", "id": "x"}',
    "not UTF-8": b'{"workloadId": "\xff\xfe"}',
    "deep": b"[" * 100_000,
    "many digits": b'{"workloadId": ' + b"9" * 10_000 + b"}",
    "nan": b'{"workloadId": NaN}',
    "error": b'{"code": 400, "message": "Required parameter is missing"}',
    "odd error": b'{"code": "x", "message": {"a": []}, "details": 3, "complianceIssues": {}}',
    "odd issues": b'{"complianceIssues": [1, null, {"field": {"a": 1}}]}',
}
NO_JSON = {"html", "cut", "not UTF-8", "deep", "many digits", "nan"}


def make(kind: type[Exception], text: str = "boom") -> Exception:
    if issubclass(kind, httpx.HTTPStatusError):
        return kind(text, request=httpx.Request("GET", "https://a"), response=httpx.Response(500))
    try:
        return kind(text)
    except TypeError:
        return kind()


def answer(status: int, body: Any = None, **fields: Any) -> Answer:
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    return Answer(status=status, content=content, **fields)


def kind_of(operation: Operation, status: int, body: Any = None) -> Kind:
    return classify(operation, answer(status, body)).kind


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("error_type", HTTPX_EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_has_an_outcome(
    operation: Operation, error_type: type[Exception]
) -> None:
    outcome = classify(operation, make(error_type))

    if error_type.__name__ in NEVER_SENT:
        assert outcome.kind is Kind.NOT_SENT
    else:
        assert outcome.kind is (Kind.TRANSIENT if operation in READS else Kind.AMBIGUOUS)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_every_status_with_every_odd_body_has_an_outcome(operation: Operation, body: bytes) -> None:
    for status in range(100, 1000):
        outcome = classify(operation, answer(status, body))

        if outcome.kind is Kind.OK:
            assert 200 <= status < 300
        else:
            assert outcome.message
            assert outcome.message.isprintable()
            assert isinstance(error_for(outcome), ControlPlaneError)


@given(
    st.sampled_from(Operation),
    st.integers(min_value=-10, max_value=10_000),
    st.binary(max_size=200),
)
def test_any_answer_has_an_outcome(operation: Operation, status: int, content: bytes) -> None:
    outcome = classify(operation, Answer(status=status, content=content))

    assert isinstance(outcome.kind, Kind)


@given(st.sampled_from(Operation), st.integers(100, 999), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["message", "details", "complianceIssues", "field", "workloadId", "error"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
))  # fmt: skip
def test_any_json_has_an_outcome(operation: Operation, status: int, body: object) -> None:
    outcome = classify(operation, answer(status, body))

    assert outcome.kind is Kind.OK or outcome.message.isprintable()


@given(st.integers(min_value=0, max_value=100))
def test_any_other_exception_has_an_outcome(number: int) -> None:
    assert classify(Operation.CREATE, ValueError(number)).kind is Kind.AMBIGUOUS
    assert classify(Operation.LIST, ValueError(number)).kind is Kind.TRANSIENT


@pytest.mark.parametrize("status", [200, 201, 202, 203, 299])
def test_any_2xx_with_an_id_is_a_create_that_worked(status: int) -> None:
    outcome = classify(Operation.CREATE, answer(status, {"workloadId": WORKLOAD_ID}))

    assert outcome == Outcome(kind=Kind.OK, body={"workloadId": WORKLOAD_ID})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [200, 202])
def test_a_create_whose_answer_holds_no_id_may_have_worked(status: int, body: bytes) -> None:
    assert kind_of(Operation.CREATE, status, body) is Kind.AMBIGUOUS


@pytest.mark.parametrize("operation", [Operation.SUSPEND, Operation.RESUME, Operation.DELETE])
@pytest.mark.parametrize("name", sorted(set(BODIES) - NO_JSON))
def test_what_is_accepted_needs_no_body(operation: Operation, name: str) -> None:
    assert kind_of(operation, 202, BODIES[name]) is Kind.OK
    assert kind_of(operation, 204, BODIES[name]) is Kind.OK


@pytest.mark.parametrize("operation", [Operation.SUSPEND, Operation.RESUME, Operation.DELETE])
@pytest.mark.parametrize("name", sorted(NO_JSON))
def test_what_is_answered_with_anything_but_json_may_not_have_arrived(
    operation: Operation, name: str
) -> None:
    assert kind_of(operation, 200, BODIES[name]) is Kind.AMBIGUOUS


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (Operation.GET, {"id": WORKLOAD_ID}),
        (Operation.LIST, {"workloads": []}),
        (Operation.LIST, {"workloads": None}),
        (Operation.FIND, {"workloads": []}),
        (Operation.EVENTS, {"events": []}),
        (Operation.TOKEN, {"access_token": "a"}),
        (Operation.TOKEN, {"accessToken": "a"}),
        (Operation.PROJECTS, {"projects": []}),
        (Operation.CLUSTERS, []),
        (Operation.CLUSTERS, {"clusters": []}),
    ],
)
def test_a_read_is_good_only_with_what_was_asked_for(operation: Operation, body: object) -> None:
    assert kind_of(operation, 200, body) is Kind.OK
    assert kind_of(operation, 200, {"other": 1}) is Kind.TRANSIENT
    assert kind_of(operation, 204) is Kind.TRANSIENT


@pytest.mark.parametrize("operation", sorted(WRITES))
@pytest.mark.parametrize(
    "status", [100, 302, 307, 408, 425, 500, 501, 502, 503, 504, 505, 599, 999]
)
def test_a_status_that_says_nothing_leaves_a_write_open(operation: Operation, status: int) -> None:
    assert kind_of(operation, status) is Kind.AMBIGUOUS


@pytest.mark.parametrize("operation", sorted(READS))
@pytest.mark.parametrize(
    "status", [100, 302, 307, 408, 425, 429, 500, 502, 503, 504, 505, 599, 999]
)
def test_a_status_that_says_nothing_leaves_a_read_without_news(
    operation: Operation, status: int
) -> None:
    assert kind_of(operation, status) is Kind.TRANSIENT


@pytest.mark.parametrize("operation", Operation)
def test_429_refuses_before_anything_is_done(operation: Operation) -> None:
    assert kind_of(operation, 429) is Kind.TRANSIENT


@pytest.mark.parametrize("operation", Operation)
def test_401_is_about_the_token(operation: Operation) -> None:
    assert kind_of(operation, 401) is Kind.AUTH


@pytest.mark.parametrize("operation", Operation)
def test_403_is_about_permissions_and_on_the_listing_about_its_absence(
    operation: Operation,
) -> None:
    expected = Kind.FORBIDDEN
    if operation in LISTINGS:
        expected = Kind.UNSUPPORTED
    elif operation is Operation.TOKEN:
        expected = Kind.AUTH

    assert kind_of(operation, 403) is expected


@pytest.mark.parametrize("operation", Operation)
def test_404_is_about_the_training_where_there_is_one_and_else_about_the_path(
    operation: Operation,
) -> None:
    expected = Kind.GONE if operation in BY_ID else Kind.UNSUPPORTED

    assert kind_of(operation, 404) is expected
    assert kind_of(operation, 410) is expected


@pytest.mark.parametrize("operation", Operation)
def test_405_means_that_there_is_no_such_call(operation: Operation) -> None:
    assert kind_of(operation, 405) is Kind.UNSUPPORTED


@pytest.mark.parametrize("operation", sorted(READS))
def test_501_means_that_there_is_no_such_read(operation: Operation) -> None:
    assert kind_of(operation, 501) is Kind.UNSUPPORTED


@pytest.mark.parametrize("operation", sorted(WRITES))
@pytest.mark.parametrize("status", [400, 413, 414, 415, 422, 431])
def test_a_wrong_request_is_rejected(operation: Operation, status: int) -> None:
    outcome = classify(operation, answer(status, {"message": "Required parameter is missing"}))

    assert outcome.kind is Kind.REJECTED
    assert outcome.message == f"{operation} was answered {status}: Required parameter is missing"
    assert not outcome.compliance


@pytest.mark.parametrize("operation", sorted(WRITES))
@pytest.mark.parametrize("status", [402, 407, 418, 421, 423, 424, 428, 451, 499])
def test_a_4xx_of_something_in_between_ends_no_trial(operation: Operation, status: int) -> None:
    assert kind_of(operation, status) is Kind.AMBIGUOUS


@pytest.mark.parametrize("operation", sorted(READS - LISTINGS - {Operation.TOKEN}))
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_read_is_no_news(operation: Operation, status: int) -> None:
    assert kind_of(operation, status) is Kind.TRANSIENT


@pytest.mark.parametrize("operation", sorted(LISTINGS))
def test_a_listing_that_refuses_our_filter_is_no_listing(operation: Operation) -> None:
    assert kind_of(operation, 400) is Kind.UNSUPPORTED
    assert kind_of(operation, 409) is Kind.TRANSIENT


def test_400_on_the_token_call_is_about_the_credentials() -> None:
    body = {"error": "invalid_client", "error_description": "Client authentication failed"}

    outcome = classify(Operation.TOKEN, answer(400, body))

    assert outcome.kind is Kind.AUTH
    assert "invalid_client; Client authentication failed" in outcome.message
    assert kind_of(Operation.TOKEN, 422) is Kind.TRANSIENT


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("key", ["message", "details"])
def test_a_name_that_exists_is_taken(status: int, key: str) -> None:
    body = {"code": status, key: "workload with name 'a-1' Already Exists in this project"}

    assert kind_of(Operation.CREATE, status, body) is Kind.NAME_TAKEN


def test_a_conflict_without_words_is_taken_for_one_of_names() -> None:
    assert kind_of(Operation.CREATE, 409) is Kind.NAME_TAKEN
    assert kind_of(Operation.CREATE, 409, b"<html>") is Kind.NAME_TAKEN
    assert kind_of(Operation.CREATE, 409, {"message": "project is being deleted"}) is Kind.REJECTED
    assert kind_of(Operation.SUSPEND, 409) is Kind.REJECTED


def test_already_exists_elsewhere_than_on_a_refused_create_takes_no_name() -> None:
    body = {"message": "already exists"}

    assert kind_of(Operation.SUSPEND, 400, body) is Kind.REJECTED
    assert kind_of(Operation.CREATE, 422, body) is Kind.REJECTED
    assert kind_of(Operation.CREATE, 500, body) is Kind.AMBIGUOUS


def test_a_broken_policy_is_told_with_its_fields() -> None:
    body = {
        "code": 400,
        "message": "Workload is not compliant",
        "complianceIssues": [
            {"field": "compute.gpuDevicesRequest", "details": "value must be no less than 3"},
            "rubbish",
        ],
    }

    outcome = classify(Operation.CREATE, answer(400, body))

    assert (outcome.kind, outcome.compliance) == (Kind.REJECTED, True)
    assert "compute.gpuDevicesRequest: value must be no less than 3" in outcome.message


@pytest.mark.parametrize(
    "issues",
    [[], {}, None, "x", ["x"], [None]],
    ids=["none", "map", "null", "text", "texts", "nulls"],
)
def test_compliance_issues_without_content_are_none(issues: object) -> None:
    assert not classify(Operation.CREATE, answer(400, {"complianceIssues": issues})).compliance


@pytest.mark.parametrize(
    ("operation", "status", "expected"),
    [
        (Operation.CREATE, 503, 7.0),
        (Operation.GET, 503, 7.0),
        (Operation.GET, 429, 7.0),
        (Operation.GET, 404, None),
        (Operation.CREATE, 400, None),
        (Operation.GET, 401, None),
    ],
)
def test_a_wait_is_kept_where_waiting_may_help(
    operation: Operation, status: int, expected: float | None
) -> None:
    outcome = classify(operation, answer(status, retry_after=7.0))

    assert outcome.retry_after == expected


def test_a_servers_words_are_made_harmless() -> None:
    outcome = classify(Operation.GET, answer(500, {"message": "\x1b[2Jgone\n" + "x" * 5000}))

    assert outcome.message.startswith("get was answered 500: \\x1b[2Jgone\\n")
    assert len(outcome.message) < 600


def test_no_text_of_an_exception_is_shown_that_may_quote_a_header() -> None:
    leaks = "Illegal header value b'Bearer canary\\n'"

    for error_type in HTTPX_EXCEPTIONS:
        if not issubclass(error_type, httpx.ConnectError):
            assert "canary" not in classify(Operation.CREATE, make(error_type, leaks)).message


def test_why_there_is_no_connection_is_told() -> None:
    outcome = classify(Operation.GET, httpx.ConnectError("[Errno -2] Name or service not known"))

    assert outcome.message == (
        "get: no connection ([Errno -2] Name or service not known) [ConnectError]"
    )


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        (Kind.NOT_SENT, NotSentError),
        (Kind.TRANSIENT, TransientError),
        (Kind.AMBIGUOUS, AmbiguousError),
        (Kind.REJECTED, RejectedError),
        (Kind.NAME_TAKEN, NameTakenError),
        (Kind.AUTH, AuthError),
        (Kind.FORBIDDEN, ForbiddenError),
        (Kind.GONE, TrainingGoneError),
        (Kind.UNSUPPORTED, UnsupportedError),
    ],
)
def test_every_outcome_has_its_error(kind: Kind, error_type: type[ControlPlaneError]) -> None:
    error = error_for(Outcome(kind=kind, message="why", retry_after=3.0, compliance=True))

    assert type(error) is error_type
    assert str(error) == "why"
    if isinstance(error, (TransientError, AmbiguousError)):
        assert error.retry_after == 3.0
    if type(error) is RejectedError:
        assert error.compliance


def test_no_outcome_but_ok_is_without_an_error() -> None:
    for kind in set(Kind) - {Kind.OK}:
        assert isinstance(error_for(Outcome(kind=kind)), ControlPlaneError)


@pytest.mark.parametrize("operation", Operation)
def test_an_answer_that_cannot_be_relied_on_settles_nothing(operation: Operation) -> None:
    outcome = unusable(operation, "is about another training")

    assert outcome.kind is (Kind.TRANSIENT if operation in READS else Kind.AMBIGUOUS)
    assert outcome.message == f"the answer to {operation} is about another training"


def test_an_answer_without_end_is_told_apart() -> None:
    assert "too large" in classify(Operation.LIST, OversizedError("")).message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WORKLOAD_ID, True),
        (WORKLOAD_ID.upper(), True),
        (WORKLOAD_ID.replace("-", ""), False),
        ("{" + WORKLOAD_ID[:-2] + "}", False),
        ("urn:uuid:" + WORKLOAD_ID[:27], False),
        ("../../../../../../../../etc/passwd/..", False),
        ("8f3e4b6a-2c51-4e0b-9a7d-5f1c2d3e4f5g", False),
        ("8f3e4b6a_2c51-4e0b-9a7d-5f1c2d3e4f50", False),
        ("", False),
        (7, False),
        (None, False),
    ],
)
def test_only_the_usual_spelling_of_a_uuid_is_an_id(value: object, expected: bool) -> None:
    assert is_uuid(value) is expected
