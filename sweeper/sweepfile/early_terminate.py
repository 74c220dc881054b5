"""Reads `early_terminate`: W&B's hyperband, and the rules that we have beside it."""

from collections.abc import Mapping, Set
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sweeper.domain.stopping import bands, evenly, rungs
from sweeper.domain.sweep import EarlyTerminateSpec, StoppingAction, StoppingRule
from sweeper.sweepfile.amounts import Count, Number, PositiveWhole, complaint, whole
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import ForeignSection, read_section

Steps = Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)]

MIN_TRIALS = 5
"""How many trials must have got to an iteration before median and percentile stop any there."""

_COMPARING = frozenset({"min_iter", "every", "min_trials", "strict"})
_KEYS: Mapping[StoppingRule, Set[str]] = {
    StoppingRule.HYPERBAND: {"min_iter", "max_iter", "s", "eta", "strict"},
    StoppingRule.ASHA: {"min_iter", "max_iter", "eta"},
    StoppingRule.SUCCESSIVE_HALVING: {"min_iter", "max_iter", "eta", "bracket"},
    StoppingRule.MEDIAN: _COMPARING,
    StoppingRule.PERCENTILE: _COMPARING | {"percentile"},
    StoppingRule.THRESHOLD: {"min_iter", "every", "strict", "value"},
    StoppingRule.PATIENCE: {"patience"},
}
_NEEDED: Mapping[StoppingRule, tuple[str, str]] = {
    StoppingRule.PERCENTILE: ("percentile", "25"),
    StoppingRule.THRESHOLD: ("value", "0.5"),
    StoppingRule.PATIENCE: ("patience", "5"),
}
_PROMOTING = frozenset({StoppingRule.ASHA, StoppingRule.SUCCESSIVE_HALVING})


class EarlyTerminateShape(ForeignSection):
    """When to stop bad trials early, by W&B's hyperband or a rule of ours."""

    example: ClassVar[str] = "{type: hyperband, min_iter: 3}"

    type: Literal[
        "hyperband", "asha", "successive_halving", "median", "percentile", "threshold", "patience"
    ]
    """By what trials are found poor; only hyperband is W&B's."""
    action: Literal["stop", "suspend", "promote"] | None = None
    """What becomes of a poor trial. `stop`: its training is deleted; `suspend`: it is suspended
    until the sweep ends; `promote`: it is suspended, and goes on once it is among the best of its
    rung (asha and successive_halving, whose default it is)."""
    min_iter: PositiveWhole | None = None
    """The first iteration at which trials are compared; the others follow by `eta` or `every`."""
    max_iter: PositiveWhole | None = None
    """The last iteration of a trial. For hyperband it is divided by `eta` `s` times."""
    s: Steps | None = None
    """How many times `max_iter` is divided."""
    eta: Number = 3
    """By what iterations are multiplied; the best 1/eta of the trials go on. Above 1."""
    strict: bool = True
    """Whether the value at the iteration counts (true), or the best one so far."""
    every: Count | None = None
    """How far iterations are apart at which trials are compared. Default: `min_iter`."""
    min_trials: Count = MIN_TRIALS
    """How many trials must have got to an iteration before any is stopped there."""
    percentile: Number = None
    """The share of the trials that goes on, in per cent; median is 50."""
    value: Number = None
    """What a trial must not be worse than."""
    patience: Count | None = None
    """After how many iterations without a better value a trial is stopped."""
    bracket: Count | None = None
    """How many trials, in order of their numbers, wait for each other. Default: all."""

    @property
    def rule(self) -> StoppingRule:
        """By what trials are found poor."""
        return StoppingRule(self.type)

    @property
    def meant_action(self) -> StoppingAction:
        """What becomes of a poor trial."""
        default = "promote" if self.rule in _PROMOTING else "stop"
        return StoppingAction(self.action or default)

    @model_validator(mode="after")
    def _takes(self) -> Self:
        own = _KEYS[self.rule] | {"type", "action"}
        strange = [name for name in type(self).model_fields if name in self.model_fields_set - own]
        if strange:
            known = ", ".join(name for name in type(self).model_fields if name in own)
            raise complaint(f"{strange[0]} means nothing for {self.type}, which takes {known}")
        name, example = _NEEDED.get(self.rule, ("type", ""))
        if getattr(self, name) is None:
            raise complaint(f"{self.type} needs {name}: write {name}: {example}")
        if self.meant_action is StoppingAction.PROMOTE and self.rule not in _PROMOTING:
            raise complaint(f"{self.type} promotes nobody: write action: stop, or type: asha")
        if self.rule is StoppingRule.SUCCESSIVE_HALVING and self.action not in {None, "promote"}:
            raise complaint("successive_halving promotes: leave action out, or write type: asha")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.eta <= 1:
            raise complaint(f"eta {self.eta} is not above 1: write 3")
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise complaint(f"percentile {self.percentile} is not within 0 and 100: write 25")
        if self.rule is StoppingRule.HYPERBAND:
            if self.max_iter is not None and self.s is None:
                raise complaint("max_iter needs s, the number of times it is divided: write s: 2")
            if self.max_iter is None and self.min_iter is None:
                raise complaint("says no iterations: write min_iter, or max_iter and s")
        if self.rule is not StoppingRule.PATIENCE and not self.rungs:
            if self.rule is StoppingRule.HYPERBAND:
                raise complaint(
                    f"compares trials nowhere: max_iter {self.max_iter} is below eta {self.eta}"
                )
            raise complaint(f"compares trials nowhere: min_iter is not below {self.max_iter}")
        return self

    @property
    def rungs(self) -> tuple[int, ...]:
        """The iterations at which trials are compared."""
        first = self.min_iter or 1
        match self.rule:
            case StoppingRule.HYPERBAND:
                found = bands(
                    eta=self.eta, min_iter=self.min_iter, max_iter=self.max_iter, s=self.s
                )
                return rungs(found)
            case StoppingRule.ASHA | StoppingRule.SUCCESSIVE_HALVING:
                return rungs(bands(eta=self.eta, min_iter=first), below=self.max_iter)
            case StoppingRule.PATIENCE:
                return ()
            case _:
                return evenly(first, self.every or first)


def read_early_terminate(findings: Findings) -> EarlyTerminateSpec | None:
    """Return what `early_terminate` says, None when it cannot be read."""
    path = ("early_terminate",)
    read = read_section(EarlyTerminateShape, findings, path)
    if read is None:
        return None
    if "metric" not in findings.root.members:
        words = "needs a metric to compare trials by: write metric"
        # W&B takes such a file, and stops nothing.
        say = findings.warning if read.rule is StoppingRule.HYPERBAND else findings.fault
        say(path, words, key=True)
    return EarlyTerminateSpec(
        rule=read.rule,
        action=read.meant_action,
        rungs=read.rungs,
        eta=float(read.eta),
        strict=read.strict,
        percentile=50.0 if read.percentile is None else float(read.percentile),
        min_trials=read.min_trials,
        threshold=None if read.value is None else float(read.value),
        patience=read.patience,
        bracket=read.bracket,
    )
