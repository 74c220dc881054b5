"""The kinds of parameter a search space is made of: one class for each W&B distribution.

Each gives its value at a quantile strictly between 0 and 1, which is all that a random draw
needs; those that a grid can walk have an axis as well. Bounds are taken as they are: the reader
of the sweep file has checked them.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar, TypeAlias, Union

from sweeper.domain import quantiles
from sweeper.domain.axes import Axis, Counted, Listed, arange, collapse
from sweeper.domain.quantiles import Number
from sweeper.domain.values import JsonValue, freeze, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What every kind of parameter offers; `distribution` is W&B's name for the kind."""

    distribution: ClassVar[str]

    @abstractmethod
    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, which lies strictly between 0 and 1."""

    def describe(self) -> Mapping[str, JsonValue]:
        """Return the bounds or values as the sweep file names them, ready for json."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounded(Distribution):
    min: Number
    max: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class _BoundedSteps(_Bounded):
    q: Number = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bell(Distribution):
    mu: Number = 0
    sigma: Number = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _BellSteps(_Bell):
    q: Number = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Distribution):
    """One value of any type, null included."""

    distribution: ClassVar[str] = "constant"
    value: JsonValue

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", freeze(self.value))

    def at(self, quantile: float) -> JsonValue:  # noqa: ARG002 - the same at every quantile
        """Return the one value."""
        return self.value

    def axis(self) -> Axis:
        """Return the axis of the one value."""
        return Listed(values=(self.value,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical(Distribution):
    """One of `values`, all equally likely; at least one, of any types, equal ones allowed."""

    distribution: ClassVar[str] = "categorical"
    values: tuple[JsonValue, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", freeze(self.values))

    def at(self, quantile: float) -> JsonValue:
        """Return the value whose share of 0..1 holds `quantile`; equal values count apart."""
        return self.values[quantiles.position(quantile, len(self.values))]

    def axis(self) -> Axis:
        """Return the values in the file's order, equal ones collapsed as W&B does."""
        return Listed(values=collapse(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedCategorical(Distribution):
    """One of `values`, each with its own probability; as many of both, summing to 1."""

    distribution: ClassVar[str] = "categorical_w_probabilities"
    values: tuple[JsonValue, ...]
    probabilities: tuple[Number, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", freeze(self.values))
        object.__setattr__(self, "probabilities", tuple(self.probabilities))

    def at(self, quantile: float) -> JsonValue:
        """Return the first value at which the running sum of probabilities exceeds `quantile`."""
        return self.values[quantiles.weighted_position(quantile, self.probabilities)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntUniform(Distribution):
    """An integer from `min` to `max`, both included."""

    distribution: ClassVar[str] = "int_uniform"
    min: int
    max: int

    def at(self, quantile: float) -> JsonValue:
        """Return the integer whose share of 0..1 holds `quantile`."""
        return quantiles.position(quantile, self.max - self.min + 1, self.min)

    def axis(self) -> Axis:
        """Return the integers from `min` to `max`, both included."""
        return Counted(first=self.min, size=self.max - self.min + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform(_Bounded):
    """A float from `min` to `max`."""

    distribution: ClassVar[str] = "uniform"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.uniform(quantile, self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class QUniform(_BoundedSteps):
    """A multiple of `q` near a uniform draw, which may lie just outside of `min`..`max`."""

    distribution: ClassVar[str] = "q_uniform"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one."""
        return quantiles.rounded(quantiles.uniform(quantile, self.min, self.max), self.q)

    def axis(self) -> Axis:
        """Return `min`, `min + q` and so on below `max`: no multiples of `q`, `max` excluded."""
        return arange(self.min, self.max, self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUniform(_Bounded):
    """e to a power from `min` to `max`."""

    distribution: ClassVar[str] = "log_uniform"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.log_uniform(quantile, self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class QLogUniform(_BoundedSteps):
    """A multiple of `q` near e to a power from `min` to `max`."""

    distribution: ClassVar[str] = "q_log_uniform"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one."""
        return quantiles.rounded(quantiles.log_uniform(quantile, self.min, self.max), self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvLogUniform(_Bounded):
    """One over e to a power from `min` to `max`."""

    distribution: ClassVar[str] = "inv_log_uniform"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`; it rises with the quantile."""
        return quantiles.inverse_log_uniform(quantile, self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUniformValues(_Bounded):
    """A float from `min` (above 0) to `max`, evenly spread in its logarithm."""

    distribution: ClassVar[str] = "log_uniform_values"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.log_uniform_between(quantile, self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class QLogUniformValues(_BoundedSteps):
    """A multiple of `q` near a draw from `min` (above 0) to `max`, evenly spread in its log."""

    distribution: ClassVar[str] = "q_log_uniform_values"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one."""
        value = quantiles.log_uniform(quantile, math.log(self.min), math.log(self.max))
        return quantiles.rounded(value, self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvLogUniformValues(_Bounded):
    """The same as `LogUniformValues`, quantile by quantile: so W&B defines it."""

    distribution: ClassVar[str] = "inv_log_uniform_values"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.log_uniform_between(quantile, self.min, self.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal(_Bell):
    """A normally distributed float; `sigma` is its standard deviation, at least 0."""

    distribution: ClassVar[str] = "normal"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.normal(quantile, self.mu, self.sigma)


@dataclass(frozen=True, slots=True, kw_only=True)
class QNormal(_BellSteps):
    """A multiple of `q` near a normally distributed draw."""

    distribution: ClassVar[str] = "q_normal"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one."""
        return quantiles.rounded(quantiles.normal(quantile, self.mu, self.sigma), self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal(_Bell):
    """e to a normally distributed power."""

    distribution: ClassVar[str] = "log_normal"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`."""
        return quantiles.log_normal(quantile, self.mu, self.sigma)


@dataclass(frozen=True, slots=True, kw_only=True)
class QLogNormal(_BellSteps):
    """A multiple of `q` near e to a normally distributed power."""

    distribution: ClassVar[str] = "q_log_normal"

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one."""
        return quantiles.rounded(quantiles.log_normal(quantile, self.mu, self.sigma), self.q)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta(Distribution):
    """A float from 0 to 1, beta distributed; drawing it needs scipy (the extra `search`)."""

    distribution: ClassVar[str] = "beta"
    a: Number = 1
    b: Number = 1

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`; raises MissingExtraError without scipy."""
        return quantiles.beta(quantile, self.a, self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class QBeta(Distribution):
    """A multiple of `q` near a beta distributed draw; drawing it needs scipy."""

    distribution: ClassVar[str] = "q_beta"
    a: Number = 1
    b: Number = 1
    q: Number = 1.0

    def at(self, quantile: float) -> JsonValue:
        """Return the value at `quantile`, an int when `q` is one; raises as `Beta` does."""
        return quantiles.rounded(quantiles.beta(quantile, self.a, self.b), self.q)


Walkable: TypeAlias = Constant | Categorical | IntUniform | QUniform
"""The kinds that a grid can walk: each has an `axis()`."""

Parameter: TypeAlias = (
    Constant
    | Categorical
    | WeightedCategorical
    | IntUniform
    | Uniform
    | QUniform
    | LogUniform
    | QLogUniform
    | InvLogUniform
    | LogUniformValues
    | QLogUniformValues
    | InvLogUniformValues
    | Normal
    | QNormal
    | LogNormal
    | QLogNormal
    | Beta
    | QBeta
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """All parameter domains of a sweep by name, in the file's order.

    A space in the place of a parameter nests to any depth: its params are a mapping under the
    outer name. A dot in a name is part of the name.
    """

    parameters: Mapping[str, Union[Parameter, "SearchSpace"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


_TENTHS = (0.1, 0.3, 0.7, 0.9)


def describe_space(space: SearchSpace) -> dict[str, JsonValue]:
    """Return for each parameter its distribution, its median, and its bounds or values.

    A drawn one shows `examples` as well: its values at one, three, seven and nine tenths.

    A nested space stands as `{"parameters": {...}}`. Raises MissingExtraError for a beta
    distribution without scipy.
    """
    described: dict[str, JsonValue] = {}
    for name, parameter in space.parameters.items():
        if isinstance(parameter, SearchSpace):
            described[name] = {"parameters": describe_space(parameter)}
        else:
            median = plain(parameter.at(0.5))
            shown: dict[str, JsonValue] = {
                "distribution": parameter.distribution,
                "median": median,
                **parameter.describe(),
            }
            if not isinstance(parameter, Constant | Categorical | WeightedCategorical):
                shown["examples"] = [plain(parameter.at(each)) for each in _TENTHS]
            described[name] = shown
    return described
