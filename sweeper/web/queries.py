"""What a request asks for, read from its query and body; anything may stand there."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sweeper.domain.record import Wish, WishKind
from sweeper.domain.trial import FailureClass, TrialState
from sweeper.domain.values import Params
from sweeper.web.answers import bounded_body
from sweeper.wire.scalars import is_uuid

PAGE_BOUND = 1000
"""Entries that one page may hold."""

CURVE_BOUND = 10_000
"""Points of a curve that one answer may hold."""

NUMBER_BOUND = 2**63 - 1
_BODY_BOUND = 65_536
_PER_TRIAL = frozenset({WishKind.CANCEL, WishKind.RETRY, WishKind.ADOPT})


def number_in(request: Request, name: str, default: int, *, bound: int = NUMBER_BOUND) -> int:
    """Return a whole number of the query, from -1 to `bound`.

    Raises:
        HTTPException: 400 when something else stands there.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    number = _whole(text)
    if number is None or not -1 <= number <= bound:
        raise HTTPException(400, f"{name}={text[:40]!r}: must be a whole number up to {bound}")
    return number


def limit_in(request: Request, default: int = 500, *, bound: int = PAGE_BOUND) -> int:
    """Return how many entries are asked for; at least one."""
    return max(number_in(request, "limit", default, bound=bound), 1)


def states_in(request: Request) -> Sequence[TrialState] | None:
    """Return the states of the query (`state=failed&state=held`, or with commas), None for all."""
    words = [word for text in request.query_params.getlist("state") for word in text.split(",")]
    if not words:
        return None
    try:
        return [TrialState(word) for word in words]
    except ValueError as error:
        known = ", ".join(state.value for state in TrialState)
        raise HTTPException(400, f"state: must be among {known}") from error


def trial_in_path(request: Request) -> int:
    """Return the trial number of the path; 404 when it is none."""
    number = _whole(request.path_params["trial"])
    if number is None or not 0 <= number <= NUMBER_BOUND:
        raise HTTPException(404, "there is no such trial")
    return number


async def wish_in(request: Request, at: datetime) -> Wish:
    """Return the wish in the body, made at `at`.

    Raises:
        HTTPException: 400 when it is no wish, 413 when it is too large.
    """
    found = _json_object(await bounded_body(request, _BODY_BOUND))
    try:
        kind = WishKind(str(found.get("kind")))
    except ValueError as error:
        known = ", ".join(kind.value for kind in WishKind)
        raise HTTPException(400, f"kind: must be one of {known}") from error
    trial = _trial_in(found, kind)
    return Wish(
        kind=kind,
        at=at,
        trial=trial,
        workload_id=_workload_in(found, kind),
        failure=_failure_in(found, kind, trial),
        params=_params_in(found, kind),
    )


def _trial_in(found: dict[str, Any], kind: WishKind) -> int | None:
    trial = found.get("trial")
    if trial is None and kind is WishKind.ADOPT:
        raise HTTPException(400, "trial: say whose training it is")
    if trial is None:
        return None
    if isinstance(trial, bool) or not isinstance(trial, int) or not 0 <= trial <= NUMBER_BOUND:
        raise HTTPException(400, "trial: must be the number of a trial")
    if kind not in _PER_TRIAL:
        raise HTTPException(400, f"{kind} is for the whole sweep, not for one trial")
    return trial


def _workload_in(found: dict[str, Any], kind: WishKind) -> str | None:
    workload_id = found.get("workload_id")
    if kind is not WishKind.ADOPT:
        if workload_id is not None:
            raise HTTPException(400, f"workload_id: {kind} takes none")
        return None
    if not isinstance(workload_id, str) or not is_uuid(workload_id):
        raise HTTPException(400, "workload_id: must be the id of a workload, a UUID")
    return workload_id.lower()


def _failure_in(found: dict[str, Any], kind: WishKind, trial: int | None) -> FailureClass | None:
    failure = found.get("failure")
    if failure is None:
        return None
    if kind is not WishKind.RETRY or trial is not None:
        raise HTTPException(400, "failure: only a retry of all failed trials takes one")
    try:
        return FailureClass(str(failure))
    except ValueError as error:
        known = ", ".join(failure.value for failure in FailureClass)
        raise HTTPException(400, f"failure: must be one of {known}") from error


def _params_in(found: dict[str, Any], kind: WishKind) -> Params | None:
    params = found.get("params")
    if kind is not WishKind.ENQUEUE:
        if params is not None:
            raise HTTPException(400, f"params: {kind} takes none")
        return None
    if not isinstance(params, dict) or not params:
        raise HTTPException(400, "params: must be an object, the value of each parameter by name")
    return params


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body must be JSON") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return found


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20):
        return None
    return int(text)
