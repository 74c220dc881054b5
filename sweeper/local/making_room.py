"""Whose place lets a training start: the search for whom to preempt, and what bounds it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sweeper.local.nodes import GPUS, MEMORY, NodeRoom
from sweeper.local.quotas import Standing
from sweeper.local.room import Grant, Layout, Room, kinds
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LocalTraining
from sweeper.local.waits import Wait, over_limit, over_quota


@dataclass(slots=True, kw_only=True)
class Search:
    """The search for room for one training in a node pool.

    `room` is its own to change: what is given back in it is what the training may count on.
    """

    one: LocalTraining
    pool: str
    room: Room
    closed: Mapping[str, set[str]]
    is_bound: bool = False
    """Whether a bound keeps the training out, beside what is in use."""

    def grant(self, changed: LocalTraining | None = None) -> Grant | None:
        """Return where the training would start; only `changed` was given back since it could not.

        A pod alone fits nowhere but where something was given back, unless a bound kept it out.
        """
        if bound(self.room, self.one, self.pool) is not None:
            return None
        only = None
        if changed is not None and self.one.need.pods == 1 and not self.is_bound:
            only = {pod.node for pod in changed.pods}
            only = None if "" in only else only
        return self.room.place(self.one.need, self.pool, self.closed, only)

    def reclaim(self, staying: Iterable[LocalTraining]) -> Sequence[LocalTraining]:
        """Return whose place its project can claim, because it deserves it and they do not."""
        layout, project = self.room.layout, self.room.layout.project(self.one)
        asked = layout.asked(self.one.need, self.pool)
        own, above = self.room.both(project, self.pool)
        if not asked or not own.deserves(asked):
            return ()
        can_cross = above.deserves(asked)

        def may_take(other: LocalTraining) -> bool:
            theirs = layout.project(other)
            if theirs.id == project.id or not self.room.account(theirs, self.pool).is_over(asked):
                return False
            if theirs.department == project.department:
                return True
            return can_cross and self.room.parent(theirs, self.pool).is_over(asked)

        def excess(other: LocalTraining) -> Standing:
            theirs = self.room.account(layout.project(other), self.pool)
            return theirs.standing(dict.fromkeys(asked, Fraction(0)))

        return self._search(self._by_excess(self._candidates(staying), may_take, excess))

    def preempt(self, staying: Iterable[LocalTraining]) -> Sequence[LocalTraining]:
        """Return whose place it takes because it has the higher priority in its project."""
        lower = (
            each
            for each in staying
            if each.project_id == self.one.project_id
            and each.need.priority < self.one.need.priority
        )
        return self._search(self._candidates(lower))

    def best(self) -> Sequence[str]:
        """Return the nodes on which most is free, as many as serve the training when empty."""
        layout, need = self.room.layout, self.one.need
        open_ = [
            node
            for node in layout.nodes_for(need, self.pool)
            if kinds(layout.pod(need, node)).isdisjoint(self.closed.get(node.name, ()))
        ]
        open_.sort(
            key=lambda node: self.room.nodes[node.name].free_for(layout.pod(need, node)),
            reverse=True,
        )
        names, pods = [], 0
        for node in open_:
            count = sum(1 for _ in NodeRoom(node).places(layout.pod(need, node), need.pods - pods))
            if count:
                names.append(node.name)
            pods += count
            if pods >= need.pods:
                break
        return names

    def _candidates(self, staying: Iterable[LocalTraining]) -> Sequence[LocalTraining]:
        """Return who may be preempted at all and helps, whoever is to go first before others."""
        usable = {node.name for node in self.room.layout.nodes_for(self.one.need, self.pool)}
        found = [
            each
            for each in staying
            if each.need.is_preemptible
            and self.room.held_pool(each) == self.pool
            and any(not pod.node or pod.node in usable for pod in each.pods)
        ]
        return sorted(found, key=lambda each: (each.need.priority, -each.number))

    def _by_excess(
        self,
        candidates: Sequence[LocalTraining],
        may_take: Callable[[LocalTraining], bool],
        excess: Callable[[LocalTraining], Standing],
    ) -> Iterator[LocalTraining]:
        """Yield who is to go next; each is given back before the next one is asked for."""
        queues: dict[str, list[LocalTraining]] = {}
        for each in reversed(candidates):
            queues.setdefault(each.project_id, []).append(each)
        while True:
            heads = [queue[-1] for queue in queues.values() if queue and may_take(queue[-1])]
            if not heads:
                return
            head = max(heads, key=excess)
            queues[head.project_id].pop()
            yield head

    def _search(self, candidates: Iterable[LocalTraining]) -> Sequence[LocalTraining]:
        """Take places until there is room; without those that turn out not to be needed."""
        victims: list[LocalTraining] = []
        grant = None
        for each in candidates:
            victims.append(each)
            self.room.give_back(each)
            grant = self.grant(each)
            if grant is not None:
                break
        if grant is None:
            for each in victims:
                self.room.take_back(each)
            return ()
        return self._needed(victims, grant)

    def _needed(self, victims: Sequence[LocalTraining], grant: Grant) -> Sequence[LocalTraining]:
        """Return those victims without whose place there is no room."""
        needed = list(victims)
        for each in reversed(victims):
            self.room.take_back(each)
            is_there = any(pod.node in grant.nodes or not pod.node for pod in each.pods)
            # Whoever is on other nodes holds nothing that is needed on these, bounds aside.
            if (is_there or self.is_bound) and self.grant() is None:
                self.room.give_back(each)
            else:
                needed.remove(each)
        return needed


def bound(room: Room, one: LocalTraining, pool: str) -> Wait | None:
    """Return which bound of its project or department keeps a training out of a pool."""
    asked = room.layout.asked(one.need, pool)
    if not asked:
        return None
    for account in room.both(room.layout.project(one), pool):
        excess = account.excess_of_limit(asked)
        if excess is not None:
            return over_limit(excess)
        excess = None if one.need.is_preemptible else account.excess_of_quota(asked)
        if excess is not None:
            return over_quota(excess)
    return None


def missing(need: Need, pools: Sequence[str], layout: Layout) -> Iterator[str]:
    """Yield the words for all that a training asks for and that there is nowhere."""
    if not pools:
        yield f"node pool {' or '.join(need.node_pools) or 'of the project'}"
        return
    nodes = [node for pool in pools for node in layout.nodes_for(need, pool)]
    if not nodes:
        yield f"node type {need.node_type} in {', '.join(pools)}" if need.node_type else "any node"
        return
    best = max(nodes, key=lambda node: NodeRoom(node).free_for(layout.pod(need, node)))
    pod = layout.pod(need, best)
    room = NodeRoom(best)
    lacks = room.lacks(pod)
    for name in lacks:
        asked = pod.devices if name == GPUS else pod.amounts[name]
        there = len(best.devices) if name == GPUS else room.amounts.get(name, 0)
        unit = "bytes of memory" if name == MEMORY else name
        yield f"{float(asked):g} {unit} of {float(there):g}"
    if not lacks:
        yield f"{need.pods} pods at one time"
