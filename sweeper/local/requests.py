"""Reading requests to the local control plane, whatever was sent."""

from collections.abc import Mapping
from typing import TypeVar

from starlette.requests import Request

from sweeper.domain.values import JsonValue
from sweeper.local.filters import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_OFFSET,
    Query,
    QueryError,
    read_filter,
)
from sweeper.local.keeping import Keeper
from sweeper.local.trainings import LocalTraining
from sweeper.wire.reading import UnreadableError, read_json
from sweeper.wire.scalars import is_uuid

MAX_BODY_BYTES = 1024 * 1024

_T = TypeVar("_T")

_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}
_ORDERS: Mapping[str, bool] = {"desc": True, "asc": False}


class RequestError(Exception):
    """A request that is answered with an error: its status, and a message fit for the answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


async def read_body(request: Request) -> bytes:
    """Return the whole body.

    Raises:
        RequestError: it is too large; the rest was left unread.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            # The contract declares no 413.
            raise RequestError(400, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return bytes(content)


async def read_object(request: Request) -> Mapping[str, JsonValue]:
    """Return the JSON object in the body.

    Raises:
        RequestError: there is none.
    """
    try:
        body = read_json(await read_body(request))
    except UnreadableError as error:
        raise RequestError(400, f"the body cannot be read: {error}") from error
    if not isinstance(body, Mapping):
        raise RequestError(400, "the body must be a JSON object")
    return body


def read_workload_id(request: Request) -> str:
    """Return the workload id in the path.

    Raises:
        RequestError: it is none, so there is no such workload.
    """
    workload_id = str(request.path_params["workload_id"])
    if not is_uuid(workload_id):
        raise not_found(workload_id)
    return workload_id.lower()


async def find_workload(request: Request, keeper: Keeper) -> LocalTraining:
    """Return the workload whose id is in the path, deleted or not.

    Raises:
        RequestError: there is none.
    """
    workload_id = read_workload_id(request)
    training = await keeper.find(workload_id)
    if training is None:
        raise not_found(workload_id)
    return training


def not_found(workload_id: str) -> RequestError:
    """Return the error for a workload that there is not."""
    return RequestError(404, f"Resource id not found: {workload_id[:80]!r}")


def read_query(request: Request, *, descending: bool = False) -> Query:
    """Return what a listing is asked for; `descending` is the order when none is given.

    Raises:
        RequestError: a parameter does not make sense.
    """
    given = request.query_params
    try:
        terms = read_filter(given.getlist("filterBy"))
    except QueryError as error:
        raise RequestError(400, str(error)) from error
    return Query(
        terms=terms,
        search=given.get("search", ""),
        deleted=read_flag(request, "deleted"),
        sort_by=given.get("sortBy", "createdAt"),
        descending=_chosen(request, "sortOrder", _ORDERS, default=descending),
        offset=read_number(request, "offset", (0, MAX_OFFSET)) or 0,
        limit=read_number(request, "limit", (1, MAX_LIMIT)) or DEFAULT_LIMIT,
    )


def read_flag(request: Request, key: str) -> bool:
    """Return a parameter that is true or false, and false where it is not given.

    Raises:
        RequestError: it is neither.
    """
    return _chosen(request, key, _BOOLEANS, default=False)


def read_number(request: Request, key: str, bounds: tuple[int, int]) -> int | None:
    """Return a parameter that is a number within `bounds`, None where it is not given.

    Raises:
        RequestError: it is none.
    """
    text = request.query_params.get(key)
    if text is None:
        return None
    low, high = bounds
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    if not is_number or not low <= int(text) <= high:
        raise RequestError(400, f"{key}: {text[:40]!r} is no number from {low} to {high}")
    return int(text)


def _chosen(request: Request, key: str, words: Mapping[str, _T], *, default: _T) -> _T:
    word = request.query_params.get(key)
    if word is None:
        return default
    if word.lower() not in words:
        raise RequestError(400, f"{key}: {word[:40]!r} is none of {', '.join(words)}")
    return words[word.lower()]
