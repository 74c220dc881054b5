"""What projects and departments deserve of each node pool, what they may have, and what they use.

A project of a department is bound twice: by its own allotment and by its department's. GPUs, CPU
cores and memory are counted alike, and only where a bound is given.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias


class Kind(StrEnum):
    """What quotas are of."""

    GPUS = "GPUs"
    CORES = "CPU cores"
    MEMORY = "memory"


Amounts: TypeAlias = Mapping[Kind, Fraction]
"""How much of each kind, those above 0 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most of each kind, memory in bytes; None is unbounded."""

    gpus: Fraction | None = None
    cores: Fraction | None = None
    memory: Fraction | None = None

    def of(self, kind: Kind) -> Fraction | None:
        """Return the bound of one kind."""
        match kind:
            case Kind.GPUS:
                return self.gpus
            case Kind.CORES:
                return self.cores
            case Kind.MEMORY:
                return self.memory


Standing: TypeAlias = tuple[bool, tuple[Fraction, ...]]
"""Whether it is over the quota, and how far: compared as it is."""

_NONE = Fraction(0)
_HARDLY = Fraction(1, 10**9)

UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What a project or a department has of one node pool.

    `quota` is deserved: others give it back. What goes beyond is shared by `weight`, as long as
    nobody deserves it; with the weight 0 nothing goes beyond. `limit` is never exceeded.
    """

    quota: Bounds = UNBOUNDED
    limit: Bounds = UNBOUNDED
    weight: Fraction = Fraction(1)

    def most(self, kind: Kind) -> Fraction | None:
        """Return the most that may be used of a kind."""
        bounds = [self.limit.of(kind), self.quota.of(kind) if self.weight == 0 else None]
        return min((bound for bound in bounds if bound is not None), default=None)


EVERYTHING = Allotment()
"""As much as there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department, with its allotment by node pool; `elsewhere` is that of all other pools."""

    name: str = "default"
    allotments: Mapping[str, Allotment] = field(default_factory=dict, hash=False)
    elsewhere: Allotment = EVERYTHING

    def allotment(self, pool: str) -> Allotment:
        """Return what it has of a node pool."""
        return self.allotments.get(pool, self.elsewhere)


@dataclass(frozen=True, slots=True)
class Excess:
    """A bound that is too small: whose, of what, and what was used already."""

    owner: str
    kind: Kind
    bound: Fraction
    used: Fraction
    asked: Fraction


class Account:
    """What one project or department uses of one node pool."""

    def __init__(self, owner: str, allotment: Allotment) -> None:
        self.owner = owner
        self.allotment = allotment
        self.used: defaultdict[Kind, Fraction] = defaultdict(Fraction)
        self.fixed: defaultdict[Kind, Fraction] = defaultdict(Fraction)
        """Of `used`, what cannot be preempted."""

    def copy(self) -> "Account":
        """Return the same account, to be changed on its own."""
        other = Account(self.owner, self.allotment)
        other.used |= self.used
        other.fixed |= self.fixed
        return other

    def add(self, amounts: Amounts, sign: int, *, is_fixed: bool) -> None:
        """Count something in, or with the sign -1 out."""
        for kind, amount in amounts.items():
            self.used[kind] += sign * amount
            if is_fixed:
                self.fixed[kind] += sign * amount

    def excess_of_limit(self, asked: Amounts) -> Excess | None:
        """Return the limit that would be exceeded with this in addition."""
        for kind, amount in asked.items():
            most = self.allotment.most(kind)
            if most is not None and self.used[kind] + amount > most:
                return Excess(self.owner, kind, most, self.used[kind], amount)
        return None

    def excess_of_quota(self, asked: Amounts) -> Excess | None:
        """Return the quota that is too small for this beside what cannot be preempted."""
        for kind, amount in asked.items():
            quota = self.allotment.quota.of(kind)
            if quota is not None and self.fixed[kind] + amount > quota:
                return Excess(self.owner, kind, quota, self.fixed[kind], amount)
        return None

    def deserves(self, asked: Amounts) -> bool:
        """Whether this, in addition, stays within the quota."""
        return not any(beyond > 0 for beyond in self._beyond(asked))

    def is_over(self, kinds: Iterable[Kind]) -> bool:
        """Whether more than the quota of one of these kinds is used."""
        return any(beyond > 0 for beyond in self._beyond(dict.fromkeys(kinds, _NONE)))

    def standing(self, asked: Amounts) -> Standing:
        """Return how far this, in addition, would be for its share: the least comes first.

        Within the quota that is the part of it that is used; beyond, the excess by weight, of
        GPUs before all else.
        """
        beyond = tuple(max(each, _NONE) for each in self._beyond(asked))
        if any(beyond):
            weight = self.allotment.weight or _HARDLY
            return True, tuple(each / weight for each in beyond)
        return False, (max(self._parts(asked), default=_NONE),)

    def _beyond(self, asked: Amounts) -> Iterator[Fraction]:
        for kind in Kind:
            quota = self.allotment.quota.of(kind)
            if kind in asked and quota is not None:
                yield self.used[kind] + asked[kind] - quota

    def _parts(self, asked: Amounts) -> Iterator[Fraction]:
        for kind in asked:
            quota = self.allotment.quota.of(kind)
            if quota:
                yield self.used[kind] / quota
