"""Reads what a sweep optimises: `metric` and `early_terminate`, as W&B writes them."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sweeper.domain.stopping import bands
from sweeper.domain.sweep import EarlyTerminateSpec, Goal, ObjectiveSpec
from sweeper.sweepfile.amounts import Number, PositiveWhole, complaint, whole
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import ForeignSection, read_section
from sweeper.wire.rules.view import shown

Steps = Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)]


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


class HyperbandShape(ForeignSection):
    """When to stop bad trials early: W&B's hyperband."""

    example: ClassVar[str] = "{type: hyperband, min_iter: 3}"

    type: Literal["hyperband"]
    """The only kind there is."""
    min_iter: PositiveWhole | None = None
    """The first iteration at which trials are compared; the others follow by `eta`."""
    max_iter: PositiveWhole | None = None
    """The last iteration of a trial; it is divided by `eta` `s` times."""
    s: Steps | None = None
    """How many times `max_iter` is divided."""
    eta: Number = 3
    """By what iterations are multiplied; the best 1/eta of the trials go on. Above 1."""
    strict: bool = True
    """Whether the value at the iteration counts (true), or the best one so far."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.eta <= 1:
            raise complaint(f"eta {self.eta} is not above 1: write 3")
        if self.max_iter is not None and self.s is None:
            raise complaint("max_iter needs s, the number of times it is divided: write s: 2")
        if self.max_iter is None and self.min_iter is None:
            raise complaint("says no iterations: write min_iter, or max_iter and s")
        if not self.bands:
            raise complaint(
                f"compares trials nowhere: max_iter {self.max_iter} is below eta {self.eta}"
            )
        return self

    @property
    def bands(self) -> tuple[int, ...]:
        """The iterations at which trials are compared."""
        return bands(eta=self.eta, min_iter=self.min_iter, max_iter=self.max_iter, s=self.s)


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


def read_early_terminate(findings: Findings) -> EarlyTerminateSpec | None:
    """Return what `early_terminate` says, None when it cannot be read."""
    path = ("early_terminate",)
    read = read_section(HyperbandShape, findings, path)
    if read is None:
        return None
    findings.warning(path, "this version stops no trial early: all run to their end", key=True)
    if "metric" not in findings.root.members:
        findings.warning(path, "needs a metric to compare trials by: write metric", key=True)
    return EarlyTerminateSpec(bands=read.bands, eta=float(read.eta), strict=read.strict)
