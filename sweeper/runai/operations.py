"""The calls that we make of a control plane, and whoever wants to hear of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """One kind of call; the words are the values of a metric's label."""

    CREATE = "create"
    GET = "get"
    LIST = "list"
    FIND = "find"
    EVENTS = "events"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"
    TOKEN = "token"  # noqa: S105 # the name of a call
    PROJECTS = "projects"
    CLUSTERS = "clusters"


LISTINGS = frozenset({Operation.LIST, Operation.FIND})
"""Both ask the one endpoint that lists workloads, which a control plane need not have."""

READS = LISTINGS | {
    Operation.GET,
    Operation.EVENTS,
    Operation.TOKEN,
    Operation.PROJECTS,
    Operation.CLUSTERS,
}
"""Calls that change nothing on the other side, whatever becomes of the answer."""

BY_ID = frozenset(
    {
        Operation.GET,
        Operation.EVENTS,
        Operation.SUSPEND,
        Operation.RESUME,
        Operation.DELETE,
    }
)
"""Calls about one training, so that 404 speaks of the training and not of the path."""


def _ignore_request(_operation: Operation, _status: str, _seconds: float) -> None:
    """Hear nothing of a request."""


def _ignore_retry(_operation: Operation, _reason: str) -> None:
    """Hear nothing of a retry."""


def _ignore_breaker(_state: str) -> None:
    """Hear nothing of the breaker."""


def _ignore_rate(_per_second: float) -> None:
    """Hear nothing of the rate."""


def _ignore_token(_seconds: float) -> None:
    """Hear nothing of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Callbacks for metrics, called in the event loop; they must neither raise nor wait.

    `on_request(operation, status, seconds)` hears of every HTTP exchange when it is over, tokens
    and replays included; status is the HTTP status as text, or `connect`, `pool`, `timeout`,
    `network`, `protocol`, `oversized`, `cancelled` or `error`. `on_retry(operation, reason)`
    hears of every repeat before its wait; reason is `not_sent`, `transient` or `ambiguous`.
    `on_breaker(state)` hears how the circuit breaker stands, at the start and at each change:
    `closed`, `half_open` or `open`. `on_rate(per_second)` hears of the rate that requests are
    held to, at the start and at each change, and never where there is none. `on_token(seconds)`
    hears of each new token, and how long it lives.
    """

    on_request: Callable[[Operation, str, float], None] = _ignore_request
    on_retry: Callable[[Operation, str], None] = _ignore_retry
    on_breaker: Callable[[str], None] = _ignore_breaker
    on_rate: Callable[[float], None] = _ignore_rate
    on_token: Callable[[float], None] = _ignore_token
