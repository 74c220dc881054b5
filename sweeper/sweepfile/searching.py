"""Reads `search`: what draws params where neither a grid nor chance does."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import Method
from sweeper.domain.values import JsonValue
from sweeper.sweepfile.amounts import PositiveNumber, complaint, whole
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.shapes import Section, read_section

_PATH = ("search",)

Names = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=100)]
Startup = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(whole)]
Candidates = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(whole)]
Population = Annotated[int, Field(ge=2, le=10_000), BeforeValidator(whole)]

_OPTIONS: dict[str, tuple[str, ...]] = {
    SamplerName.TPE: ("startup", "candidates", "multivariate", "warm_start"),
    SamplerName.GP: ("startup", "deterministic", "warm_start"),
    SamplerName.CMAES: ("startup", "sigma", "population", "warm_start"),
    SamplerName.SOBOL: (),
    SamplerName.HALTON: (),
}


class SearchShape(Section):
    """What draws params: evenly spread points, or a model of the results so far."""

    example: ClassVar[str] = "{sampler: tpe}"

    sampler: Literal["tpe", "gp", "cmaes", "sobol", "halton"]
    """tpe, gp and cmaes learn from results (Optuna's samplers); sobol and halton spread evenly."""
    startup: Startup | None = None
    """How many trials are drawn at random before the model is asked. tpe, gp: 10, cmaes: 1."""
    candidates: Candidates | None = None
    """Of how many draws tpe takes the most promising. Default: 24."""
    multivariate: bool | None = None
    """Whether tpe looks at parameters together. Default: as Optuna does."""
    deterministic: bool | None = None
    """Whether gp takes the objective for free of noise. Default: false."""
    sigma: PositiveNumber | None = None
    """How far cmaes looks at first, as a share of the ranges. Default: a sixth."""
    population: Population | None = None
    """How many trials a generation of cmaes has. Default: by the number of parameters."""

    warm_start: Names | None = None
    """Sweeps, or files that `sweeper results --json` wrote, from which the model learns first."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        taken = _OPTIONS[self.sampler]
        for name in self.model_dump(exclude={"sampler"}, exclude_none=True):
            if name not in taken:
                remedy = f"it takes {', '.join(taken)}" if taken else "it takes no options"
                raise complaint(f"{self.sampler} has no {name}: {remedy}")
        return self

    @property
    def options(self) -> dict[str, JsonValue]:
        """The options that are given, for the sampler itself."""
        given: dict[str, Any] = self.model_dump(
            exclude={"sampler", "warm_start"}, exclude_none=True
        )
        return given


def read_search(findings: Findings) -> SearchSpec | None:
    """Return what `search` says, None when it cannot be read."""
    read = read_section(SearchShape, findings, _PATH)
    if read is None:
        return None
    return SearchSpec(
        sampler=SamplerName(read.sampler),
        options=read.options,
        warm_start=tuple(read.warm_start or ()),
    )


def settle_search(
    findings: Findings, given: SearchSpec | None, method: Method | None, *, has_metric: bool
) -> SearchSpec | None:
    """Return the search that the file means: bayes alone is one by tpe."""
    if given is None:
        implied = SearchSpec(sampler=SamplerName.TPE, is_implied=True)
        return implied if method is Method.BAYES else None
    name, is_model = given.sampler, given.sampler.is_model_based
    if method is Method.GRID:
        remedy = "a grid is walked, not searched: write method: random or bayes"
        findings.fault(_PATH, remedy, key=True)
    elif is_model and not has_metric and method is not Method.BAYES:
        remedy = "write metric: {name: ..., goal: ...}"
        findings.fault(_PATH, f"{name} needs a metric: {remedy}", key=True)
    elif not is_model and method is Method.BAYES:
        remedy = "write method: random"
        findings.fault(_PATH, f"{name} learns from no result: {remedy}", key=True)
    return given
