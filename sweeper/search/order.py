"""What a study is ordered to search."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweeper.domain.parameters import SearchSpace
from sweeper.domain.result import Result
from sweeper.domain.rules import Rules
from sweeper.domain.sampling import Groups
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.domain.values import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is searched, and how; `options` are the sampler's own, as the sweep file names them.

    `prior` are results of other sweeps; they come before all trials of this one.
    """

    sampler: SamplerName
    seed: int
    goal: Goal
    space: SearchSpace
    groups: Groups = ()
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    prior: tuple[Result, ...] = ()
