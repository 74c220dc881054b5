"""Why a training waits: the API's reasons, and the scheduler's words."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from sweeper.local.quotas import Excess, Kind

OVER_LIMIT: Final = "OverLimit"
"""The API's word for a request beyond what a project may have, or beyond what there is."""
OVER_QUOTA: Final = "NonPreemptibleOverQuota"
"""The API's word for a request that must stay within the quota, and does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why a training waits; `is_forever` when what it asks for alone is too much."""

    reason: str = ""
    message: str = ""
    is_forever: bool = False


LENT: Final = Wait(message="Waits for GPUs that another control plane of this machine uses")


def turn(names: Iterable[str]) -> Wait:
    """Return the wait for what is in use."""
    wanted = ", ".join(sorted(names))
    return Wait(message=f"Not enough resources in the requested nodepool: waits for {wanted}")


def over_limit(excess: Excess) -> Wait:
    """Return the wait for more than a project or department may have."""
    kind = excess.kind
    message = (
        f"{excess.owner} quota has reached the allowable limit of {kind}. "
        f"Limit is {_amount(kind, excess.bound)}, currently {_amount(kind, excess.used)} "
        f"allocated and workload requested {_amount(kind, excess.asked)}"
    )
    return Wait(reason=OVER_LIMIT, message=message, is_forever=excess.asked > excess.bound)


def over_quota(excess: Excess) -> Wait:
    """Return the wait for more than what a project or department deserves."""
    kind = excess.kind
    message = (
        "Non-preemptible workload is over quota. "
        f"Workload requested {_amount(kind, excess.asked)}, but {excess.owner} quota is "
        f"{_amount(kind, excess.bound)}, while {_amount(kind, excess.used)} are already "
        "allocated for non-preemptible pods. Use a preemptible workload to go over quota."
    )
    return Wait(reason=OVER_QUOTA, message=message, is_forever=excess.asked > excess.bound)


def beyond_all(parts: Iterable[str]) -> Wait:
    """Return the wait for what there is nowhere."""
    message = f"Asks for more than there is: {', '.join(parts)}"
    return Wait(reason=OVER_LIMIT, message=message, is_forever=True)


def _amount(kind: Kind, amount: Fraction) -> str:
    if kind is Kind.MEMORY:
        return f"{float(amount / 10**9):g} GB"
    return f"{float(amount):g} {kind}"


def reason_word(reason: str) -> Literal["OverLimit", "NonPreemptibleOverQuota"] | None:
    """Return the reason as the listing has it; none for those that are no quota's."""
    match reason:
        case "OverLimit" | "NonPreemptibleOverQuota":
            return reason
        case _:
            return None
