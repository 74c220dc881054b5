"""Why the server may refuse what the contract's schemas allow, or answer as they do not say.

Each explanation stands for one sentence of the contract's prose, or one silence of it. A failure
that none of them fits is a bug, and so is an explanation that fits nothing any more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Failures of the class `failure` that are meant to be.

    `field` and `says` (regular expressions) fit an entry of the answer's `complianceIssues`; when
    there is none, `says` fits its `message`.
    """

    name: str
    why: str
    failure: str = "RejectedPositiveData"
    status: int = 400
    field: str = ""
    says: str

    def fits(self, field: str, text: str) -> bool:
        """Return whether it explains an entry about `field` (empty: the answer's message)."""
        return bool(re.fullmatch(self.field, field)) and bool(re.search(self.says, text))


EXPLANATIONS: Sequence[Explanation] = (
    Explanation(
        name="no object",
        why="The schema of a create's body lacks its type, so any JSON value is valid by it.",
        says="^the body must be a JSON object$",
    ),
    Explanation(
        name="no body",
        why="The contract does not mark the body of a create as required.",
        says="^the body cannot be read: not JSON at line 1, column 1$",
    ),
    Explanation(
        name="unknown project",
        why="projectId is any text by the schema, and the control plane knows its projects.",
        says="^projectId: there is no project",
    ),
    Explanation(
        name="name taken",
        why="Names are unique in a project; the contract declares no status for that.",
        says="^workload with name .* already exists in this project$",
    ),
    Explanation(
        name="rules for names",
        why="The product's own rules for names go beyond the schema's minimum length.",
        field="name",
        says="is no name for a training|is longer than",
    ),
    Explanation(
        name="mandatory by prose",
        why="Descriptions call these fields mandatory, and the schema requires none of them.",
        field=r".+",
        says="^is mandatory and (missing|empty)|^is missing: ",
    ),
    Explanation(
        name="no amount",
        why="The pattern for amounts takes texts that are no amounts, such as `..` or `5kk`.",
        field=r"compute\.\w+|storage\.pvc\[\d+\]\.claimInfo\.size",
        says="is no amount",
    ),
    Explanation(
        name="rules across fields",
        why="Descriptions say what goes together, what bounds what and what must differ.",
        field=r".+",
        says=(
            "^(does not go with|excludes|goes with the effect|needs standard input"
            "|describes a new claim|is for gpuRequestType|works with 1 device only)"
            "|is above 1: |is below \\w+Request|is taken by|differs from .* of an earlier host path"
        ),
    ),
)


def is_under_way(failure: str, body: Any) -> bool:
    """Return whether a training that was deleted is still there because it is being deleted.

    The answer to a delete means accepted, not done; how long it takes depends on the machine, so
    this serves in some runs and not in others.
    """
    phase = body.get("desiredPhase") if isinstance(body, Mapping) else None
    return failure == "UseAfterFree" and phase == "Deleted"


def explain(failure: str, status: int, body: Any) -> set[str]:
    """Return the names of the explanations that cover an answer wholly, none if one part lacks."""
    candidates = [one for one in EXPLANATIONS if (one.failure, one.status) == (failure, status)]
    names = set()
    for field, text in _parts(body):
        fitting = [one.name for one in candidates if one.fits(field, text)]
        if not fitting:
            return set()
        names.update(fitting)
    return names


def _parts(body: Any) -> Sequence[tuple[str, str]]:
    """Return what an answer complains about: its entries, or its message."""
    if not isinstance(body, Mapping):
        return [("", "")]
    # An entry tells all that is wrong with its field, joined.
    entries = [
        (entry["field"], text)
        for entry in body.get("complianceIssues", ())
        for text in entry["details"].split("; ")
    ]
    return entries or [("", str(body.get("message")))]
