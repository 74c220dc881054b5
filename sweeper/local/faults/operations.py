"""Which operation of the API a request asks for, by its method and path alone."""

from enum import StrEnum
from typing import Final

_API: Final = "/api/v1/"
_WORKLOADS: Final = ("workloads",)
_TRAININGS: Final = ("workloads", "trainings")


class Operation(StrEnum):
    """What a fault can be about."""

    CREATE = "create"
    GET = "get"
    DELETE = "delete"
    SUSPEND = "suspend"
    RESUME = "resume"
    LIST = "list"
    COUNT = "count"
    WORKLOAD = "workload"  # one item of the listing
    EVENTS = "events"
    HISTORY = "history"
    PODS = "pods"
    LOGS = "logs"
    BATCH = "batch"
    TOKEN = "token"  # noqa: S105 - a word
    PROJECTS = "projects"
    CLUSTERS = "clusters"


_FIXED: Final = {
    ("POST", *_TRAININGS): Operation.CREATE,
    ("GET", *_WORKLOADS): Operation.LIST,
    ("GET", *_WORKLOADS, "count"): Operation.COUNT,
    ("POST", *_WORKLOADS, "batch"): Operation.BATCH,
    ("POST", "token"): Operation.TOKEN,
    ("GET", "org-unit", "projects"): Operation.PROJECTS,
    ("GET", "clusters"): Operation.CLUSTERS,
}
_OF_TRAINING: Final = {
    ("GET",): Operation.GET,
    ("DELETE",): Operation.DELETE,
    ("POST", "suspend"): Operation.SUSPEND,
    ("POST", "resume"): Operation.RESUME,
}
_OF_WORKLOAD: Final = {
    (): Operation.WORKLOAD,
    ("events",): Operation.EVENTS,
    ("history",): Operation.HISTORY,
    ("pods",): Operation.PODS,
    ("logs",): Operation.LOGS,
}


def operation_of(method: str, path: str) -> Operation | None:
    """Return the operation, None for what is none of the API's (health, description, admin)."""
    if method == "POST" and path == "/api/v2/token":
        return Operation.TOKEN
    if not path.startswith(_API):
        return None
    method = "GET" if method == "HEAD" else method
    parts = tuple(path.removeprefix(_API).split("/"))
    fixed = _FIXED.get((method, *parts))
    if fixed is not None:
        return fixed
    if parts[:2] == _TRAININGS and len(parts) >= 3:
        return _OF_TRAINING.get((method, *parts[3:]))
    if parts[:1] == _WORKLOADS and len(parts) >= 2 and method == "GET":
        return _OF_WORKLOAD.get(parts[2:])
    return None
