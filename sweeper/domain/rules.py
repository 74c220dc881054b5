"""Which points of a search space there are: conditional parameters, and constraints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from sweeper.domain.axes import identity
from sweeper.domain.constraints import Constraint
from sweeper.domain.values import JsonValue, Params

Condition: TypeAlias = Mapping[str, tuple[JsonValue, ...]]
"""The values that other parameters must have, each one of some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a point must keep to.

    `when` names, for each conditional parameter at the top of the space, what others must be:
    it exists only then, and those others must exist as well. The sweep file's reader has checked
    that no parameter depends on itself.
    """

    when: Mapping[str, Condition] = field(default_factory=lambda: MappingProxyType({}))
    constraints: tuple[Constraint, ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether every point of the space is one."""
        return not self.when and not self.constraints

    def existing(self, params: Params) -> Params:
        """Return params without those that do not exist beside the others."""
        if not self.when:
            return params
        return MappingProxyType(
            {name: value for name, value in params.items() if self.exists(name, params)}
        )

    def exists(self, name: str, params: Params) -> bool:
        """Return whether a parameter exists beside the values of the others."""
        condition = self.when.get(name, {})
        return all(
            other in params
            and identity(params[other]) in map(identity, values)
            and self.exists(other, params)
            for other, values in condition.items()
        )

    def hold(self, params: Params) -> bool:
        """Return whether params, of which all exist, meet every constraint."""
        return all(constraint.holds(params) for constraint in self.constraints)

    def order(self, name: str) -> int:
        """Return how many parameters must be known one after the other before this one."""
        condition = self.when.get(name, {})
        return 1 + max(map(self.order, condition), default=-1)
