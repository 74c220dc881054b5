"""The values that labels of metrics may have; whatever else is heard becomes `other`.

Sets that another layer owns (operations, HTTP statuses) are repeated here, so that no change
there can make the number of series grow unseen.
"""

from collections.abc import Collection

from sweeper.domain.trial import TERMINAL_STATES, FailureClass
from sweeper.domain.wording import printable

OTHER = "other"

SUBMISSIONS = (
    "created",
    "adopted",
    "rejected",
    "ambiguous",
    "not_sent",
    "forbidden",
    "failed",
)
SUSPENDERS = ("us", "other")
RESUMES = ("accepted", "failed")
RESUBMITS = (*FailureClass, "preempted", "asked")
DECISIONS = ("pruned", "parked", "promoted", "kept")
OUTCOMES = tuple(sorted(TERMINAL_STATES))
REPORTS = ("new", "known", "refused")
NOTICES = ("sent", "given_up")
SUGGESTIONS = ("suggested", "random")
TABLES = ("trials", "submissions", "events", "reports")

OPERATIONS = frozenset(
    {
        "create",
        "get",
        "list",
        "find",
        "events",
        "suspend",
        "resume",
        "delete",
        "token",
        "projects",
        "clusters",
    }
)
RETRY_REASONS = frozenset({"not_sent", "transient", "ambiguous"})
BREAKER_STATES = ("closed", "half_open", "open")

_STATUSES = frozenset(
    str(status)
    for status in (
        *(200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429),
        *(500, 501, 502, 503, 504),
    )
)
_CUT_SHORT = frozenset(
    {"connect", "pool", "timeout", "network", "protocol", "oversized", "cancelled", "error"}
)
_CLASSES = frozenset("12345")


def known(value: str, among: Collection[str]) -> str:
    """Return `value` if it is one of `among`, else `other`."""
    return value if value in among else OTHER


def status_label(status: str) -> str:
    """Return an HTTP status we expect as it is, any other as its class (`4xx`)."""
    if status in _STATUSES or status in _CUT_SHORT:
        return status
    if len(status) == 3 and status.isascii() and status.isdigit() and status[0] in _CLASSES:
        return f"{status[0]}xx"
    return OTHER


def text_label(text: str | None) -> str:
    """Return a name that a person gave, as a label can hold it: one line, at most 200 letters."""
    return printable(text or "", 200)
