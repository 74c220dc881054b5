"""Reads what a sweep optimises: `metric`, as W&B writes it."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from sweeper.domain.sweep import Goal, ObjectiveSpec
from sweeper.sweepfile.amounts import Number, complaint
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import ForeignSection, read_section
from sweeper.wire.rules.view import shown


def _goal(value: Any) -> Any:
    if value in ("minimize", "maximize"):
        return value
    text = value.casefold() if isinstance(value, str) else ""
    near = "maximize" if text.startswith("max") else "minimize" if text.startswith("min") else ""
    remedy = f"did you mean {near}?" if near else "write minimize or maximize"
    raise complaint(f"{shown(value)} is no goal: {remedy}")


class MetricShape(ForeignSection):
    """The value that the sweep optimises."""

    example: ClassVar[str] = "{name: loss, goal: minimize}"

    name: str | None = Field(default=None, min_length=1)
    """The key under which trials report it."""
    goal: Annotated[Literal["minimize", "maximize"], BeforeValidator(_goal)] = "minimize"
    """Whether smaller or larger values are better."""
    target: Number = None
    """Once a trial reaches it, the sweep starts no more."""
    impute: Literal["latest", "best", "worst"] = "worst"
    """What counts for a failed trial (model-based search only)."""
    impute_while_running: Literal["latest", "best", "worst", "false", False] = "false"
    """What counts for a trial that is still at work (model-based search only)."""


def read_objective(findings: Findings) -> ObjectiveSpec | None:
    """Return what `metric` says, None without one."""
    read = read_section(MetricShape, findings, ("metric",))
    if read is None:
        return None
    if read.name is None:
        findings.violation(("metric",), "name is missing: no trial's value can be told", key=True)
        return None
    return ObjectiveSpec(
        name=read.name,
        goal=Goal(read.goal),
        target=None if read.target is None else float(read.target),
    )
