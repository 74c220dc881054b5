"""Who may start now, where, and who has to make room: pure decisions, as Run:ai makes them.

Projects take turns: first whoever stays within what it deserves, the one with the smallest part
of it in use before the others; then whoever goes beyond, by the excess for its weight. Within a
project higher priority comes first, then who came first. In order of force:

- allocate: start where there is room, in the first node pool that has it
- reclaim: for what its project deserves, take the place of preemptible trainings of projects
  that use more than they deserve, whatever their priority; of departments, too, across them
- preempt: take the place of preemptible trainings of lower priority of the same project

Trainings are never moved together to make room (Run:ai's consolidation), and what is beyond all
quotas is not reclaimed for the sake of a fair share. Whoever waits, though it will be able to
start, closes the nodes where it will to all behind it that need the same: so nobody starves.
What needs nothing is never held back.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TypeAlias

from sweeper.domain.phase import Phase
from sweeper.local.making_room import Search, bound, missing
from sweeper.local.places import Organization
from sweeper.local.room import Capacity, Grant, Layout, Room, kinds
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LEAVING, LONGEST_BACKOFF, LocalTraining
from sweeper.local.waits import LENT, OVER_LIMIT, OVER_QUOTA, Wait, beyond_all, turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Preemption:
    """For whom a training makes room; `is_reclaim` when that one's project deserves it."""

    by: str
    is_reclaim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now: who starts where, who makes room for whom, and why all others wait."""

    starts: Mapping[str, Grant]
    preemptions: Mapping[str, Preemption]
    waits: Mapping[str, Wait]


def decide(
    trainings: Iterable[LocalTraining],
    capacity: Capacity,
    now: datetime,
    organization: Organization | None = None,
) -> Decision:
    """Return which of the Pending trainings start, who is preempted, and why the others wait."""
    everybody = tuple(trainings)
    waiting = [one for one in everybody if _may_start(one, now)]
    if not waiting:
        return Decision(starts={}, preemptions={}, waits={})
    holding = [one for one in everybody if one.pods]
    layout = Layout(capacity, organization or Organization())
    round_ = _Round(layout=layout, holding=holding)
    for alike in _in_order(waiting, round_):
        round_.consider(alike)
    return Decision(starts=round_.starts, preemptions=round_.preemptions, waits=round_.waits)


def _may_start(one: LocalTraining, now: datetime) -> bool:
    """Whether a training waits for nothing but its turn.

    A back-off longer than any that is given was set by a clock that has been put back since.
    """
    if one.phase is not Phase.PENDING:
        return False
    due = one.not_before
    return due is None or due <= now or due > now + LONGEST_BACKOFF


Alike: TypeAlias = deque[LocalTraining]
"""Trainings of one project with one need that follow each other: if one waits, all do."""


def _in_order(waiting: Iterable[LocalTraining], round_: "_Round") -> Iterator[Alike]:
    """Yield groups whose turn it is; whoever takes them out or clears them decides the next."""
    queues: dict[str, deque[Alike]] = {}
    for one in sorted(waiting, key=lambda each: (-each.need.priority, each.number)):
        queue = queues.setdefault(one.project_id, deque())
        if queue and queue[-1][-1].need is one.need:
            queue[-1].append(one)
        else:
            queue.append(deque([one]))
    heap = [(round_.standing(queue[0][0]), key) for key, queue in queues.items()]
    heapq.heapify(heap)
    while heap:
        before, key = heapq.heappop(heap)
        queue = queues[key]
        standing = round_.standing(queue[0][0])
        # What others have started since may have changed where its department stands.
        if heap and standing > before and (standing, key) > heap[0]:
            heapq.heappush(heap, (standing, key))
            continue
        yield queue[0]
        if not queue[0]:
            queue.popleft()
        if queue:
            heapq.heappush(heap, (round_.standing(queue[0][0]), key))


Turn: TypeAlias = tuple[bool, bool, tuple[Fraction, ...], tuple[Fraction, ...], int]


@dataclass(slots=True, kw_only=True)
class _Round:
    """One walk down the queues.

    `closed` has what is closed on each node; `limited` which projects wait for a bound of a pool.
    """

    layout: Layout
    holding: Sequence[LocalTraining]
    starts: dict[str, Grant] = field(default_factory=dict)
    preemptions: dict[str, Preemption] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    room: Room = field(init=False)
    closed: dict[str, set[str]] = field(default_factory=dict)
    limited: dict[tuple[str, str, str], Wait] = field(default_factory=dict)
    _waited: dict[tuple[str, int], Wait] = field(default_factory=dict)
    _fits: dict[tuple[int, str, bool], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = Room.all_of(self.layout)
        for one in self.holding:
            self.room.take_back(one)

    def standing(self, one: LocalTraining) -> Turn:
        """Return by what the turn of a training's project is decided; the least comes first."""
        pools = self.layout.pools_for(one)
        if not pools:
            return (False, False, (), (), one.number)
        asked = self.layout.asked(one.need, pools[0])
        own, above = self.room.both(self.layout.project(one), pools[0])
        (is_over, part), (is_over_above, part_above) = own.standing(asked), above.standing(asked)
        return (is_over or is_over_above, is_over_above, part_above, part, one.number)

    def consider(self, alike: Alike) -> None:
        """Start the first of these and take it out, or say why all of them wait."""
        one = alike[0]
        # Nothing becomes free within a round: who waited once waits again.
        wait = self._waited.get((one.project_id, id(one.need))) or self._start_or_wait(one)
        if wait is None:
            alike.popleft()
            return
        self._waited[one.project_id, id(one.need)] = wait
        self.waits.update((each.workload_id, wait) for each in alike)
        alike.clear()

    def _start_or_wait(self, one: LocalTraining) -> Wait | None:
        named = self.layout.pools_for(one)
        pools = [pool for pool in named if self._would_fit(one.need, pool, with_lent=True)]
        if not pools:
            return beyond_all(missing(one.need, named, self.layout))
        for pool in pools:
            if self._limit(one, pool) is None:
                grant = self.room.place(one.need, pool, self.closed)
                if grant is not None:
                    self.room.take(one, grant)
                    self.starts[one.workload_id] = grant
                    return None
        waits = []
        for pool in pools:
            wait = self._make_room(one, pool)
            if not wait.reason:
                return wait
            waits.append((pool, wait))
        for pool, wait in waits:
            if not wait.is_forever:
                self.limited.setdefault((one.project_id, pool, wait.reason), wait)
        return waits[0][1]

    def _limit(self, one: LocalTraining, pool: str) -> Wait | None:
        """Return which bound keeps a training out of a pool, if only because others wait there."""
        limit = bound(self.room, one, pool)
        if limit is not None or not self.layout.asked(one.need, pool):
            return limit
        limit = self.limited.get((one.project_id, pool, OVER_LIMIT))
        if limit is None and not one.need.is_preemptible:
            limit = self.limited.get((one.project_id, pool, OVER_QUOTA))
        return limit

    def _make_room(self, one: LocalTraining, pool: str) -> Wait:
        """Preempt for a training what lets it start in a pool, and say how it waits there."""
        if not self._would_fit(one.need, pool, with_lent=False):
            return LENT
        limit = self._limit(one, pool)
        if limit is None and self.room.is_closed(one.need, pool, self.closed):
            return turn(self.layout.kinds(one.need, pool))
        search = Search(
            one=one,
            pool=pool,
            room=self.room.copy(),
            closed=self.closed,
            is_bound=limit is not None,
        )
        for each in self.holding:
            if each.phase in LEAVING or each.workload_id in self.preemptions:
                search.room.give_back(each)
        victims: Sequence[LocalTraining] = ()
        is_reclaim = False
        if search.grant() is None:
            staying = [
                each
                for each in self.holding
                if each.phase not in LEAVING and each.workload_id not in self.preemptions
            ]
            victims = search.reclaim(staying)
            is_reclaim = bool(victims)
            victims = victims or search.preempt(staying)
        grant = search.grant()
        if grant is None and limit is not None:
            return limit
        by = Preemption(by=one.workload_id, is_reclaim=is_reclaim)
        self.preemptions.update((each.workload_id, by) for each in victims)
        self._close(one.need, search.best() if grant is None else grant.nodes)
        return turn(self.layout.kinds(one.need, pool))

    def _close(self, need: Need, nodes: Iterable[str]) -> None:
        """Close nodes to all behind this training that need the same."""
        for name in nodes:
            pod = self.layout.pod(need, self.room.nodes[name].node)
            self.closed.setdefault(name, set()).update(kinds(pod))

    def _would_fit(self, need: Need, pool: str, *, with_lent: bool) -> bool:
        """Whether the need could be served in a pool if nobody else were there."""
        key = (id(need), pool, with_lent)
        if key not in self._fits:
            everything = Room.all_of(self.layout, with_lent=with_lent)
            self._fits[key] = everything.place(need, pool, {}) is not None
        return self._fits[key]
