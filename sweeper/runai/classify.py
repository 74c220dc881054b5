"""What every answer and every exception means: the one place that knows.

An effect is `ambiguous` unless it is sure that it happened or sure that it did not. Reads have no
effect, so whatever goes wrong with them is `transient` unless the answer is plain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeGuard
from uuid import UUID

import httpx

from sweeper.domain.values import JsonValue
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
from sweeper.runai.answers import Answer, show
from sweeper.runai.operations import BY_ID, LISTINGS, READS, Operation
from sweeper.wire.reading import UnreadableError, read_json


class Kind(StrEnum):
    """What became of a call, as far as we can know."""

    OK = "ok"
    NOT_SENT = "not_sent"
    TRANSIENT = "transient"
    AMBIGUOUS = "ambiguous"
    REJECTED = "rejected"
    NAME_TAKEN = "name_taken"
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a call. `body` is the JSON of a good answer, None where it has none."""

    kind: Kind
    message: str = ""
    retry_after: float | None = None
    compliance: bool = False
    body: JsonValue = None


class OversizedError(httpx.ReadError):
    """An answer went on beyond what we read; the rest was left unread."""


def classify(operation: Operation, result: Answer | Exception) -> Outcome:
    """Return what an answer, or the exception in its place, means for `operation`. Total."""
    if isinstance(result, Exception):
        return _of_exception(operation, result)
    body = _body(result.content)
    if 200 <= result.status < 300:
        return _of_success(operation, result, body)
    kind, compliance = _of_status(operation, result.status, body)
    waits = kind in {Kind.TRANSIENT, Kind.AMBIGUOUS}
    return Outcome(
        kind=kind,
        message=f"{operation} was answered {result.status}{_words(body)}",
        retry_after=result.retry_after if waits else None,
        compliance=compliance,
    )


def unusable(operation: Operation, fault: str) -> Outcome:
    """Return the outcome of a good status whose content cannot be relied on."""
    return Outcome(kind=_open_end(operation), message=f"the answer to {operation} {fault}")


def error_for(outcome: Outcome) -> ControlPlaneError:
    """Return the error that stands for an outcome other than `OK`."""
    if outcome.kind is Kind.REJECTED:
        return RejectedError(outcome.message, compliance=outcome.compliance)
    waiting = _WAITING_ERRORS.get(outcome.kind)
    if waiting is not None:
        return waiting(outcome.message, retry_after=outcome.retry_after)
    return _PLAIN_ERRORS[outcome.kind](outcome.message)


_WAITING_ERRORS: Mapping[Kind, type[TransientError] | type[AmbiguousError]] = MappingProxyType(
    {
        Kind.NOT_SENT: NotSentError,
        Kind.TRANSIENT: TransientError,
        Kind.AMBIGUOUS: AmbiguousError,
    }
)
_PLAIN_ERRORS: Mapping[Kind, type[ControlPlaneError]] = MappingProxyType(
    {
        Kind.NAME_TAKEN: NameTakenError,
        Kind.AUTH: AuthError,
        Kind.FORBIDDEN: ForbiddenError,
        Kind.GONE: TrainingGoneError,
        Kind.UNSUPPORTED: UnsupportedError,
    }
)


def is_uuid(value: object) -> TypeGuard[str]:
    """Whether `value` is a workload id in the one spelling that may stand in a path."""
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.InvalidURL,
    httpx.CookieConflict,
)

# The first class that fits gives the words. An exception's own text is shown only where it comes
# from this machine's network code: elsewhere it may quote the token or what the server sent.
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.ConnectError, "no connection"),
    (httpx.PoolTimeout, "no free connection"),
    (httpx.TimeoutException, "no answer in time"),
    (OversizedError, "the answer is too large"),
    (httpx.RemoteProtocolError, "the answer was cut off or is not HTTP"),
    (httpx.LocalProtocolError, "the request cannot be sent as it is"),
    (httpx.NetworkError, "the connection was lost"),
    (httpx.DecodingError, "the answer cannot be decoded"),
)


def _of_exception(operation: Operation, error: Exception) -> Outcome:
    """Return what an exception leaves known."""
    kind = Kind.NOT_SENT if isinstance(error, _NEVER_SENT) else _open_end(operation)
    words = next((text for fits, text in _FAULTS if isinstance(error, fits)), "the call broke off")
    reason = f" ({show(str(error))})" if isinstance(error, httpx.ConnectError) else ""
    name = type(error).__name__
    return Outcome(kind=kind, message=f"{operation}: {words}{reason} [{name}]")


def _open_end(operation: Operation) -> Kind:
    """Return what a call is that ended in a way which says nothing of its effect."""
    return Kind.TRANSIENT if operation in READS else Kind.AMBIGUOUS


def _body(content: bytes) -> JsonValue:
    """Return the JSON in a body, None when there is none."""
    try:
        return read_json(content)
    except UnreadableError:
        return None


def _of_success(operation: Operation, answer: Answer, body: JsonValue) -> Outcome:
    """Return what a 2xx is worth: without what we asked for it settles nothing."""
    is_usable = _USABLE.get(operation)
    # A page in place of JSON comes from something in between: who knows whether it passed on.
    is_plain = body is not None or answer.content.strip() in _NO_BODY
    if is_plain if is_usable is None else is_usable(body):
        return Outcome(kind=Kind.OK, body=body)
    return Outcome(
        kind=_open_end(operation),
        message=f"{operation} was answered {answer.status} without anything usable in it",
    )


def _has_id(body: JsonValue) -> bool:
    return isinstance(body, Mapping) and (
        is_uuid(body.get("workloadId")) or is_uuid(body.get("id"))
    )


def _has_list(key: str) -> Callable[[JsonValue], bool]:
    # Servers in Go write null for a list that was never begun.
    return lambda body: (
        isinstance(body, Mapping) and key in body and isinstance(body[key], list | None)
    )


def _has_token(body: JsonValue) -> bool:
    return isinstance(body, Mapping) and any(
        isinstance(body.get(key), str) for key in ("access_token", "accessToken")
    )


# Suspend, resume and delete are missing here: some releases answer them with an empty body.
_NO_BODY = frozenset({b"", b"null"})
_USABLE: Mapping[Operation, Callable[[JsonValue], bool]] = MappingProxyType(
    {
        Operation.CREATE: _has_id,
        Operation.GET: _has_id,
        Operation.LIST: _has_list("workloads"),
        Operation.FIND: _has_list("workloads"),
        Operation.EVENTS: _has_list("events"),
        Operation.TOKEN: _has_token,
        Operation.PROJECTS: _has_list("projects"),
        Operation.CLUSTERS: lambda body: isinstance(body, list) or _has_list("clusters")(body),
    }
)


# Statuses that say for sure that this request is wrong. Every other 4xx without a meaning of its
# own may come from something in between, and must not end a trial.
_WRONG_REQUEST = frozenset({400, 409, 411, 413, 414, 415, 422, 431})


def _of_status(operation: Operation, status: int, body: JsonValue) -> tuple[Kind, bool]:
    """Return what a status other than 2xx means, and whether it names a broken policy."""
    if status in {401, 403}:
        return _refused_account(operation, status), False
    if status in {404, 405, 410} or (status == 501 and operation in READS):
        return _absent(operation, status), False
    if status == 429:
        return Kind.TRANSIENT, False
    if status in _WRONG_REQUEST:
        return _wrong_request(operation, status, body)
    return _open_end(operation), False


def _refused_account(operation: Operation, status: int) -> Kind:
    """Return what 401 and 403 mean; the listing alone may be closed to an account that works."""
    if status == 401 or operation is Operation.TOKEN:
        return Kind.AUTH
    return Kind.UNSUPPORTED if operation in LISTINGS else Kind.FORBIDDEN


def _absent(operation: Operation, status: int) -> Kind:
    """Return what the statuses for "there is nothing here" mean."""
    if operation in BY_ID and status in {404, 410}:
        return Kind.GONE
    return Kind.UNSUPPORTED


def _wrong_request(operation: Operation, status: int, body: JsonValue) -> tuple[Kind, bool]:
    """Return what a refusal of the request itself means."""
    if operation is Operation.TOKEN:
        return (Kind.AUTH if status == 400 else Kind.TRANSIENT), False
    if operation in LISTINGS and status == 400:
        # An old release may lack an operator of our filter; asking again will not teach it.
        return Kind.UNSUPPORTED, False
    if operation in READS:
        return Kind.TRANSIENT, False
    if operation is Operation.CREATE and _says_taken(status, body):
        return Kind.NAME_TAKEN, False
    return Kind.REJECTED, bool(_issues(body))


def _says_taken(status: int, body: JsonValue) -> bool:
    """Whether a refused create says that the name is taken.

    A conflict that says nothing is taken for one of names: a look-up then tells.
    """
    if status not in {400, 409}:
        return False
    words = " ".join(_texts(body))
    return "already exists" in words.lower() or (status == 409 and not words)


def _words(body: JsonValue) -> str:
    """Return what the body says to people, ready to follow the status."""
    parts = [*_texts(body), *_issues(body)]
    return f": {show('; '.join(parts))}" if parts else ""


def _texts(body: JsonValue) -> list[str]:
    """Return the texts of an error body, in both of the shapes that servers use."""
    if not isinstance(body, Mapping):
        return []
    found = [body.get(key) for key in ("message", "details", "error", "error_description")]
    return [text for text in found if isinstance(text, str) and text]


def _issues(body: JsonValue) -> list[str]:
    """Return `field: details` of each policy that the request breaks."""
    issues = body.get("complianceIssues") if isinstance(body, Mapping) else None
    if not isinstance(issues, list):
        return []
    return [
        f"{issue.get('field')}: {issue.get('details')}"
        for issue in issues
        if isinstance(issue, Mapping)
    ]
