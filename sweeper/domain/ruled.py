"""Samplers that keep to rules between parameters."""

from array import array
from functools import cached_property

from sweeper.domain.parameters import SearchSpace
from sweeper.domain.permutation import Permutation
from sweeper.domain.rules import Rules
from sweeper.domain.sampling import GridSampler, Groups, RandomSampler, Sampler
from sweeper.domain.sweep import Order
from sweeper.domain.values import Params, canonical_json
from sweeper.errors import UnmetRulesError

LARGEST_GRID = 250_000
"""So many combinations may a grid have whose points must be looked at one by one."""

TRIES = 1000
"""So often is a point drawn anew that does not meet the constraints."""


class RuledGrid:
    """The points of a grid that keep to the rules, in the grid's order.

    Combinations that differ only in parameters which do not exist are one point, the first of
    them. Where the points are is found once, by looking at all combinations.

    Raises:
        ValueError: a parameter is none that a grid can walk, or there are too many combinations.
    """

    def __init__(
        self, space: SearchSpace, seed: int, groups: Groups, order: Order, rules: Rules
    ) -> None:
        self._grid = GridSampler(space, seed, groups)
        if self._grid.size > LARGEST_GRID:
            raise ValueError(
                f"{self._grid.size:,} combinations are too many to look at one by one for when and "
                f"constraints: leave values out until there are {LARGEST_GRID:,}, or write "
                "method: random"
            )
        self._rules, self._seed, self._order = rules, seed, order

    @cached_property
    def _places(self) -> "array[int]":
        places, seen = array("q"), set()
        for place in range(self._grid.size):
            params = self._rules.existing(self._grid.params(place))
            if not self._rules.hold(params):
                continue
            if self._rules.when:
                text = canonical_json(params)
                if text in seen:
                    continue
                seen.add(text)
            places.append(place)
        return places

    @property
    def size(self) -> int:
        """How many points there are."""
        return len(self._places)

    def params(self, index: int) -> Params:
        """Return the point at `index`."""
        if self._order is Order.SHUFFLED:
            index = Permutation(seed=self._seed, size=self.size).at(index)
        return self._rules.existing(self._grid.params(self._places[index]))


class RuledSampler:
    """Draws of another sampler; one that does not meet the constraints is drawn anew at random."""

    size: None = None

    def __init__(self, sampler: Sampler, again: RandomSampler, rules: Rules) -> None:
        self._sampler, self._again, self._rules = sampler, again, rules

    def params(self, index: int) -> Params:
        """Return the draw at `index`.

        Raises:
            UnmetRulesError: none of very many draws met the constraints.
        """
        params = self._rules.existing(self._sampler.params(index))
        for attempt in range(1, TRIES):
            if self._rules.hold(params):
                return params
            params = self._rules.existing(self._again.redrawn(index, attempt))
        raise UnmetRulesError(f"none of {TRIES:,} draws met the constraints")
