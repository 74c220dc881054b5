"""How a parameter of each distribution is written, and what it means."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from sweeper.domain import parameters as domain
from sweeper.sweepfile.amounts import (
    NonNegativeNumber,
    Number,
    PositiveNumber,
    Whole,
    complaint,
)
from sweeper.sweepfile.shapes import Section

_LARGEST_EXPONENT = math.log(1e308)


class Shape(Section):
    """What all ways to write a parameter have in common."""

    example: ClassVar[str] = "{value: ...}"
    meaning: ClassVar[type[domain.Parameter]]
    """The domain's class, which takes the fields of this one but `distribution`."""

    def parameter(self) -> domain.Parameter:
        """Return what it means."""
        return self.meaning(**self.model_dump(exclude={"distribution"}))


class ConstantShape(Shape):
    """One value for every trial."""

    meaning = domain.Constant
    distribution: Literal["constant"] = "constant"
    """Always constant; may be left out."""
    value: Any
    """The value, of any type."""


class CategoricalShape(Shape):
    """One of several values, all equally likely."""

    meaning = domain.Categorical
    distribution: Literal["categorical"] = "categorical"
    """Always categorical; may be left out."""
    values: list[Any] = Field(min_length=1)
    """The values, of any types."""


class WeightedShape(Shape):
    """One of several values, each with a probability of its own."""

    meaning = domain.WeightedCategorical
    distribution: Literal["categorical_w_probabilities"] = "categorical_w_probabilities"
    """Always categorical_w_probabilities; may be left out."""
    values: list[Any] = Field(min_length=1)
    """The values, of any types."""
    probabilities: list[NonNegativeNumber] = Field(min_length=1)
    """As many numbers as values; together they make 1."""

    @model_validator(mode="after")
    def _match(self) -> Self:
        given, wanted = len(self.probabilities), len(self.values)
        if given != wanted:
            raise complaint(f"{wanted} values have {given} probabilities: give each value one")
        total = math.fsum(self.probabilities)
        if not math.isclose(total, 1.0, rel_tol=1e-5, abs_tol=1e-8):
            raise complaint(f"the probabilities add up to {total:g}: make them add up to 1")
        return self


class _Range(Shape):
    """A range; its lower bound lies below its upper one."""

    min: Number
    """Lower bound."""
    max: Number
    """Upper bound."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.min > self.max:
            raise complaint(f"min {self.min} is above max {self.max}: swap them")
        if self.min == self.max:
            raise complaint(
                f"min and max are both {self.min}: write a larger max, or {{value: {self.min}}}"
            )
        return self


class _PowerRange(_Range):
    """A range of exponents of e."""

    min: Number
    """Lower bound of the exponent of e."""
    max: Number
    """Upper bound of the exponent of e."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if max(abs(self.min), abs(self.max)) > _LARGEST_EXPONENT:
            raise complaint(
                f"min {self.min} and max {self.max} are exponents of e, of which the largest is "
                "709: write log_uniform_values for bounds of the value itself"
            )
        return self


class _PositiveRange(_Range):
    """A range above 0."""

    min: PositiveNumber
    """Lower bound, above 0."""


class _Steps(Section):
    """Values are rounded to a step."""

    q: PositiveNumber = 1.0
    """The step: values are multiples of it. An int gives ints; left out, 1.0 gives floats."""


def _check_steps(low: float, high: float, q: float) -> None:
    if max(abs(low), abs(high)) / q > 1e300:
        raise complaint(f"q {q} is too small a step for {low} to {high}: write a larger one")


class IntUniformShape(_Range):
    """A whole number from min to max, both included."""

    meaning = domain.IntUniform
    distribution: Literal["int_uniform"] = "int_uniform"
    """Always int_uniform; may be left out where min and max are whole numbers."""
    min: Whole
    """Lowest value."""
    max: Whole
    """Highest value."""


class UniformShape(_Range):
    """A number from min to max."""

    meaning = domain.Uniform
    distribution: Literal["uniform"] = "uniform"
    """Always uniform; may be left out where min or max is a float."""


class QUniformShape(_Range, _Steps):
    """A number from min to max, rounded to multiples of q."""

    meaning = domain.QUniform
    distribution: Literal["q_uniform"]
    """Always q_uniform."""

    @model_validator(mode="after")
    def _step(self) -> Self:
        _check_steps(self.min, self.max, self.q)
        return self


class LogUniformShape(_PowerRange):
    """e to a power from min to max. W&B deprecates it: use log_uniform_values."""

    meaning = domain.LogUniform
    distribution: Literal["log_uniform"]
    """Always log_uniform."""


class QLogUniformShape(_PowerRange, _Steps):
    """e to a power from min to max, rounded. W&B deprecates it: use q_log_uniform_values."""

    meaning = domain.QLogUniform
    distribution: Literal["q_log_uniform"]
    """Always q_log_uniform."""


class InvLogUniformShape(_PowerRange):
    """One over e to a power from min to max. W&B deprecates it: use inv_log_uniform_values."""

    meaning = domain.InvLogUniform
    distribution: Literal["inv_log_uniform"]
    """Always inv_log_uniform."""


class LogUniformValuesShape(_PositiveRange):
    """A number from min to max, evenly spread in its logarithm."""

    meaning = domain.LogUniformValues
    distribution: Literal["log_uniform_values"]
    """Always log_uniform_values."""


class QLogUniformValuesShape(_PositiveRange, _Steps):
    """A number from min to max, evenly spread in its logarithm, rounded to multiples of q."""

    meaning = domain.QLogUniformValues
    distribution: Literal["q_log_uniform_values"]
    """Always q_log_uniform_values."""

    @model_validator(mode="after")
    def _step(self) -> Self:
        _check_steps(self.min, self.max, self.q)
        return self


class InvLogUniformValuesShape(_PositiveRange):
    """The same as log_uniform_values."""

    meaning = domain.InvLogUniformValues
    distribution: Literal["inv_log_uniform_values"]
    """Always inv_log_uniform_values."""


class _Bell(Shape):
    """A normal distribution, or one made of it."""

    mu: Number = 0.0
    """Mean."""
    sigma: NonNegativeNumber = 1.0
    """Standard deviation."""


class NormalShape(_Bell):
    """A normally distributed number."""

    meaning = domain.Normal
    distribution: Literal["normal"]
    """Always normal."""


class QNormalShape(_Bell, _Steps):
    """A normally distributed number, rounded to multiples of q."""

    meaning = domain.QNormal
    distribution: Literal["q_normal"]
    """Always q_normal."""


class LogNormalShape(_Bell):
    """e to a normally distributed power."""

    meaning = domain.LogNormal
    distribution: Literal["log_normal"]
    """Always log_normal."""


class QLogNormalShape(_Bell, _Steps):
    """e to a normally distributed power, rounded to multiples of q."""

    meaning = domain.QLogNormal
    distribution: Literal["q_log_normal"]
    """Always q_log_normal."""


class _Beta(Shape):
    """A beta distribution."""

    a: NonNegativeNumber = 1.0
    """First parameter of the distribution."""
    b: NonNegativeNumber = 1.0
    """Second parameter of the distribution."""


class BetaShape(_Beta):
    """A beta distributed number from 0 to 1."""

    meaning = domain.Beta
    distribution: Literal["beta"]
    """Always beta."""


class QBetaShape(_Beta, _Steps):
    """A beta distributed number from 0 to 1, rounded to multiples of q."""

    meaning = domain.QBeta
    distribution: Literal["q_beta"]
    """Always q_beta."""


AnyShape: TypeAlias = (
    ConstantShape
    | CategoricalShape
    | WeightedShape
    | IntUniformShape
    | UniformShape
    | QUniformShape
    | LogUniformShape
    | QLogUniformShape
    | InvLogUniformShape
    | LogUniformValuesShape
    | QLogUniformValuesShape
    | InvLogUniformValuesShape
    | NormalShape
    | QNormalShape
    | LogNormalShape
    | QLogNormalShape
    | BetaShape
    | QBetaShape
)


class NestedShape(Section):
    """Parameters within a parameter; their values are a mapping under its name."""

    parameters: Annotated[dict[str, "AnyShape | NestedShape"], Field(min_length=1)]
    """The inner parameters by name."""


SHAPES: dict[str, type[Shape]] = {shape.meaning.distribution: shape for shape in AnyShape.__args__}
"""Every way to write a parameter, by the name of its distribution."""

DEPRECATED = {
    "log_uniform": "log_uniform_values",
    "q_log_uniform": "q_log_uniform_values",
    "inv_log_uniform": "inv_log_uniform_values",
}
"""What W&B advises instead of the distributions that take exponents."""
