"""Which trainings of a sweep no row of its store owns.

Such a training comes from a create that took effect later than anyone waited for, or from a
store that was put back from an older copy. It is judged by its exact name and our labels alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeper.domain.marks import labels_of
from sweeper.domain.phase import Phase
from sweeper.domain.trial import Observation

_DIGEST = re.compile(r"[0-9a-f]{16}")
_ENDED = frozenset({Phase.COMPLETED, Phase.FAILED})
_ATTEMPT = re.compile(r"(0|[1-9]\d{0,11})-([1-9]\d{0,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a row says of one attempt: its training's id, None while none is known.

    With `is_open` and no id, a training of its name will be looked for, or a person names it.
    """

    attempt: int
    workload_id: str | None
    digest: str
    is_open: bool


def attempt_of(prefix: str, name: str) -> tuple[int, int] | None:
    """Return trial and attempt of a name that begins with a sweep's prefix, None for any other."""
    if not name.startswith(prefix):
        return None
    found = _ATTEMPT.fullmatch(name[len(prefix) :])
    return None if found is None else (int(found[1]), int(found[2]))


def is_of_sweep(prefix: str, sweep_id: str, name: str, labels: Mapping[str, str] | None) -> bool:
    """Return whether a training has a name of the sweep and, to the letter, its labels."""
    place = attempt_of(prefix, name)
    if place is None or labels is None:
        return False
    digest = labels.get("sweeper/params", "")
    expected = labels_of(sweep_id, *place, digest)
    is_marked = all(labels.get(key) == value for key, value in expected.items())
    return is_marked and _DIGEST.fullmatch(digest) is not None


def is_owned(seen: Observation, attempt: int, claims: Sequence[Claim]) -> bool:
    """Return whether the rows of the trial's attempts account for a training of its `attempt`.

    Finished ones of older attempts belong to the trial, even where a rebuilt store has no row
    of them.
    """
    claim = next((claim for claim in claims if claim.attempt == attempt), None)
    if claim is not None:
        return claim.is_open if claim.workload_id is None else claim.workload_id == seen.workload_id
    newest = max((claim.attempt for claim in claims), default=0)
    return attempt < newest and seen.phase in _ENDED


def is_other_point(labels: Mapping[str, str] | None, attempt: int, claims: Sequence[Claim]) -> bool:
    """Return whether the labels name other params than the row of that attempt does."""
    digests = {claim.digest for claim in claims if claim.attempt == attempt}
    return bool(digests) and (labels or {}).get("sweeper/params") not in digests
