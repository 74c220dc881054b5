"""What draws params where neither a grid nor chance does (`search`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sweeper.domain.values import JsonValue


class SamplerName(StrEnum):
    """What draws the params of a search (`search.sampler`)."""

    TPE = "tpe"  # tree-structured Parzen estimator
    GP = "gp"  # Gaussian process
    CMAES = "cmaes"  # covariance matrix adaptation
    SOBOL = "sobol"
    HALTON = "halton"

    @property
    def is_model_based(self) -> bool:
        """Whether what it draws depends on results; the others fill the space evenly."""
        return self not in {SamplerName.SOBOL, SamplerName.HALTON}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpec:
    """Which sampler draws params, and how (`search`).

    `options` are the sampler's own, as the sweep file names them. `warm_start` names sweeps, or
    files of results, whose trials the model learns from first. `is_implied` means that the file
    says only `method: bayes`.
    """

    sampler: SamplerName
    options: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    warm_start: tuple[str, ...] = ()
    is_implied: bool = False
