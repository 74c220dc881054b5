"""The plan in force: which faults befall a request, drawn from the plan's seed."""

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sweeper.local.faults.operations import Operation
from sweeper.local.faults.plan import (
    NO_FAULTS,
    Amnesia,
    Duplicates,
    Fault,
    FaultPlan,
    Latency,
    ListingLag,
    PhaseWord,
    Rule,
    TokenLife,
)
from sweeper.ports import Now

_MOST_REMEMBERED = 100_000

OF_ONE: frozenset[Operation] = frozenset(
    {
        Operation.GET,
        Operation.DELETE,
        Operation.SUSPEND,
        Operation.RESUME,
        Operation.WORKLOAD,
        Operation.EVENTS,
        Operation.HISTORY,
        Operation.PODS,
        Operation.LOGS,
    }
)
"""Operations on one training, whose id is in the path."""

SENSIBLE: Mapping[type, frozenset[Operation]] = MappingProxyType(
    {
        TokenLife: frozenset({Operation.TOKEN}),
        Duplicates: frozenset({Operation.CREATE}),
        PhaseWord: frozenset(
            {Operation.CREATE, Operation.GET, Operation.LIST, Operation.WORKLOAD},
        ),
        ListingLag: frozenset({Operation.LIST}),
        Amnesia: OF_ONE | {Operation.LIST},
    }
)
"""What a fault can befall at all; other faults can befall anything."""


@dataclass(slots=True)
class _Drawn:
    """A rule, its own stream of draws, and how often it was asked and hit."""

    rule: Rule
    rng: random.Random
    asked: int = 0
    hit: int = 0

    def is_due(self, operation: Operation, since: float) -> bool:
        """Whether the rule's fault befalls this request, `since` seconds after the start."""
        rule = self.rule
        if not self._is_about(operation) or not is_within(since, rule.since, rule.until):
            return False
        self.asked += 1
        # Drawn for every request, so that what one rule does moves no draw of its own later.
        is_drawn = self.rng.random() < rule.probability
        is_spent = rule.times is not None and self.hit >= rule.times
        if not is_drawn or is_spent or self.asked % rule.every:
            return False
        self.hit += 1
        return True

    def _is_about(self, operation: Operation) -> bool:
        sensible = SENSIBLE.get(type(self.rule.fault))
        wanted = self.rule.on
        return (not wanted or operation in wanted) and (sensible is None or operation in sensible)


@dataclass(slots=True)
class _Tokens:
    """The tokens that passed by, by digest: when each was first seen, or that it is dead."""

    seen: dict[bytes, datetime] = field(default_factory=dict)
    dead: set[bytes] = field(default_factory=set)


class Faults:
    """The plan in force and how far it has come.

    `replace` puts another plan in its place, which begins then. `changed` is set whenever that
    happens: whoever waits for it clears it.
    """

    def __init__(self, plan: FaultPlan = NO_FAULTS, *, now: Now) -> None:
        self.changed = asyncio.Event()
        self._now = now
        self._tokens = _Tokens()
        self.replace(plan)

    def replace(self, plan: FaultPlan) -> None:
        """Put a plan in force, from now on and from its beginning."""
        self.plan = plan
        self.began_at = self._now()
        self._rules = [
            _Drawn(rule, random.Random(f"{plan.seed}/rule/{at}"))
            for at, rule in enumerate(plan.rules)
        ]
        self._latencies = self.stream("latency")
        self._verdicts: dict[tuple[Amnesia, str], bool] = {}
        self.changed.set()

    @property
    def seconds(self) -> float:
        """How long the plan has been in force."""
        return (self._now() - self.began_at).total_seconds()

    def due(self, operation: Operation) -> Sequence[Fault]:
        """Return what befalls the next request of this operation, in the plan's order."""
        since = self.seconds
        return [drawn.rule.fault for drawn in self._rules if drawn.is_due(operation, since)]

    def latency(self, fault: Latency) -> float:
        """Return how many seconds an answer comes later."""
        if fault.most is None:
            return fault.seconds
        return self._latencies.uniform(fault.seconds, max(fault.most, fault.seconds))

    def stream(self, name: str) -> random.Random:
        """Return a new stream of draws of that name."""
        return random.Random(f"{self.plan.seed}/{name}")

    def is_forgotten(self, fault: Amnesia, workload_id: str) -> bool:
        """Whether a training is among those that an amnesia has taken; drawn once for each."""
        key = (fault, workload_id)
        if key not in self._verdicts:
            if len(self._verdicts) >= _MOST_REMEMBERED:
                self._verdicts.clear()
            draw = self.stream(f"amnesia/{len(self._verdicts)}").random()
            self._verdicts[key] = draw < fault.share
        return self._verdicts[key]

    def report(self) -> Mapping[str, Any]:
        """Return how often each rule was asked and hit, for whoever looks after the plan."""
        return {
            "seconds": self.seconds,
            "rules": [{"asked": drawn.asked, "hit": drawn.hit} for drawn in self._rules],
        }

    def gave_token(self, token: str) -> None:
        """Hear of a token that was just given; it may be the same as one given before."""
        mark = _mark(token)
        self._tokens.dead.discard(mark)
        self._tokens.seen.pop(mark, None)
        self._remember(mark)

    def saw_token(self, token: str) -> None:
        """Hear of a token that was used."""
        self._remember(_mark(token))

    def _remember(self, mark: bytes) -> None:
        seen = self._tokens.seen
        seen.setdefault(mark, self._now())
        while len(seen) > _MOST_REMEMBERED:
            del seen[next(iter(seen))]

    def expire_tokens(self) -> None:
        """Let all tokens seen so far be good no more."""
        if len(self._tokens.dead) > _MOST_REMEMBERED:
            self._tokens.dead.clear()
        self._tokens.dead |= self._tokens.seen.keys()
        self._tokens.seen.clear()

    def is_dead(self, token: str) -> bool:
        """Whether a token was made to expire."""
        mark = _mark(token)
        if mark in self._tokens.dead:
            return True
        given_at = self._tokens.seen.get(mark)
        lives = [
            rule.fault.seconds
            for rule in self.plan.rules
            if isinstance(rule.fault, TokenLife) and is_within(self.seconds, rule.since, rule.until)
        ]
        if given_at is None or not lives:
            return False
        return self._now() >= given_at + timedelta(seconds=min(lives))


def is_within(seconds: float, since: float, until: float | None) -> bool:
    """Whether a time lies in a window; without `until` it has no end."""
    return since <= seconds and (until is None or seconds < until)


def _mark(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
