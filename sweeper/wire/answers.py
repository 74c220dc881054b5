"""What a control plane answers to the operations of the contract, built to the letter.

A control plane makes these from what it knows and sends `answer()`. Whoever gets an answer reads
it elsewhere, and more tolerantly.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.values import plain
from sweeper.wire.issues import Issue, Severity
from sweeper.wire.scalars import Text1, Uuid

_SCALARS = frozenset({str, int, float, bool})

StatusCode = Annotated[int, Field(ge=100, le=599)]
"""An HTTP status, repeated in the body."""


class AnswerModel(BaseModel):
    """An object in an answer: built by its attributes, sent by the API's names."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        hide_input_in_errors=True,
    )

    def answer(self) -> dict[str, Any]:
        """Return the JSON object to send: what is None is left out, times are UTC with a Z."""
        return {
            alias: value if type(value) in _SCALARS else _sent(value)
            for name, alias in _names(type(self))
            if (value := getattr(self, name)) is not None
        }


class WorkloadMeta(AnswerModel):
    """Who a training is and what becomes of it."""

    name: Text1
    """The final name."""
    requested_name: str
    """The name that was asked for; another one only where it served as a prefix."""
    workload_id: Uuid
    """The id that get, delete, suspend and resume take."""
    project_id: str
    """The project that was asked for."""
    department_id: Text1 | None = None
    """The project's department."""
    cluster_id: Uuid
    """The cluster that was asked for."""
    created_by: str
    """Who created it."""
    created_at: AwareDatetime
    """When it was accepted."""
    deleted_at: AwareDatetime | None = None
    """When it was deleted."""
    desired_phase: DesiredPhase
    """What it was last told to do."""
    actual_phase: Phase | None = None
    """What it does."""


class Training(WorkloadMeta):
    """The answer to a create and to a get."""

    spec: Mapping[str, Any] | None = Field(default=None, repr=False)
    """The spec exactly as it was sent: no default added, no null dropped."""


class HttpResponse(AnswerModel):
    """The answer to a delete, a suspend or a resume."""

    code: StatusCode = 202
    """The status of the answer."""
    message: str = "Request has been accepted."
    """Words for people."""


class Error(AnswerModel):
    """The answer to what cannot be done."""

    code: StatusCode
    """The status of the answer."""
    message: str
    """What is wrong."""
    details: str | None = None
    """More about it."""


class ComplianceIssue(AnswerModel):
    """What is wrong with one field of a create."""

    field: str
    """The field's path, such as `compute.gpuDevicesRequest`."""
    details: str
    """What is wrong with it."""


class SubmissionError(Error):
    """The answer to a create that is refused."""

    compliance_issues: Sequence[ComplianceIssue] | None = None
    """One entry for each field that is at fault."""


def refusal(issues: Sequence[Issue]) -> SubmissionError:
    """Return the answer to a create that has `issues`: one entry for each field with errors."""
    details: dict[str, list[str]] = {}
    for issue in issues:
        if issue.severity is Severity.ERROR:
            details.setdefault(issue.field, []).append(issue.message)
    entries = [
        ComplianceIssue(field=field, details="; ".join(found)) for field, found in details.items()
    ]
    faults = "; ".join(f"{one.field or 'the body'} {one.details}" for one in entries[:1])
    message = f"The request is not valid: {faults}"
    return SubmissionError(code=400, message=message, compliance_issues=entries or None)


@cache
def _names(model: type[AnswerModel]) -> Sequence[tuple[str, str]]:
    """Return the names of a model's attributes, and what they are called when sent."""
    return [(name, one.serialization_alias or name) for name, one in model.model_fields.items()]


def _sent(value: Any) -> Any:
    """Return the JSON form of an attribute's value."""
    match value:
        case AnswerModel():
            return value.answer()
        case Enum():
            return value.value
        case datetime():
            text = value.astimezone(UTC).isoformat(timespec="milliseconds")
            return text.replace("+00:00", "Z")
        case list() | tuple():
            return [_sent(item) for item in value]
        case Mapping():
            return plain(value)
        case _:
            return value
