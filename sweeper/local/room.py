"""What is left on all nodes, and in whose account the rest is: for one round of decisions."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sweeper.local.nodes import GPUS, Node, NodeRoom, PodNeed, pod_need
from sweeper.local.places import Organization, Project
from sweeper.local.quotas import Account, Amounts, Kind
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LocalTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What there is to hand out.

    `lent` are GPUs in use by another control plane for now. With `takes_any_pool` a training may
    name node pools that there are not: those that there are serve it.
    """

    nodes: tuple[Node, ...] = (Node(takes_any=True),)
    lent: frozenset[int] = frozenset()
    takes_any_pool: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where a training starts: the node of each pod, and its GPUs, one pod after the other."""

    pool: str
    nodes: tuple[str, ...]
    devices: tuple[int, ...]


class Layout:
    """What follows from capacity and organization alone; asked the same, it answers from memory."""

    def __init__(self, capacity: Capacity, organization: Organization) -> None:
        self.capacity = capacity
        self.organization = organization
        self._pods: dict[tuple[int, str], PodNeed] = {}
        self._asked: dict[tuple[int, str], Amounts] = {}
        self._eligible: dict[tuple[int, str], Sequence[Node]] = {}
        self._projects: dict[str, Project] = {}
        self._needs: dict[int, Need] = {}
        self._in_pool: dict[str, list[Node]] = {}
        for node in capacity.nodes:
            self._in_pool.setdefault(node.pool, []).append(node)

    @property
    def pools(self) -> Sequence[str]:
        """The names of all node pools that have nodes."""
        return tuple(self._in_pool)

    def project(self, one: LocalTraining) -> Project:
        """Return the project of a training."""
        if one.project_id not in self._projects:
            self._projects[one.project_id] = self.organization.project(one.project_id)
        return self._projects[one.project_id]

    def pools_for(self, one: LocalTraining) -> Sequence[str]:
        """Return the node pools that a training may use, in order of preference."""
        wanted = one.need.node_pools or self.project(one).node_pools or self.pools
        known = tuple(pool for pool in wanted if pool in self._in_pool)
        return self.pools if not known and self.capacity.takes_any_pool else known

    def nodes_for(self, need: Need, pool: str) -> Sequence[Node]:
        """Return the nodes of a pool that are of the type asked for."""
        key = (self._id(need), pool)
        if key not in self._eligible:
            self._eligible[key] = [node for node in self._in_pool.get(pool, ()) if node.takes(need)]
        return self._eligible[key]

    def pod(self, need: Need, node: Node) -> PodNeed:
        """Return what a pod takes of a node."""
        key = (self._id(need), node.name)
        if key not in self._pods:
            self._pods[key] = pod_need(need, node)
        return self._pods[key]

    def asked(self, need: Need, pool: str) -> Amounts:
        """Return what a training adds to the accounts of a pool; of GPUs by memory, the most."""
        key = (self._id(need), pool)
        if key not in self._asked:
            shares = [node.share(need) for node in self.nodes_for(need, pool)]
            share = min(max(shares, default=need.gpu_share), Fraction(1))
            amounts = {
                Kind.GPUS: need.pods * need.gpu_devices * share,
                Kind.CORES: need.pods * need.cores,
                Kind.MEMORY: need.pods * need.memory,
            }
            self._asked[key] = {kind: amount for kind, amount in amounts.items() if amount}
        return self._asked[key]

    def kinds(self, need: Need, pool: str) -> set[str]:
        """Return the names of all that a pod needs on any node of a pool."""
        return {kind for node in self.nodes_for(need, pool) for kind in kinds(self.pod(need, node))}

    def _id(self, need: Need) -> int:
        # Needs are told apart by identity, which costs nothing; each is kept so that its id stays.
        self._needs.setdefault(id(need), need)
        return id(need)


@dataclass(slots=True)
class Room:
    """What is left on the nodes, and what all projects and departments use."""

    layout: Layout
    nodes: dict[str, NodeRoom]
    accounts: dict[tuple[str, str, str], Account] = field(default_factory=dict)

    @classmethod
    def all_of(cls, layout: Layout, *, with_lent: bool = False) -> "Room":
        """Return the room when nobody is there."""
        lent = frozenset() if with_lent else layout.capacity.lent
        return cls(layout, {node.name: NodeRoom(node, lent) for node in layout.capacity.nodes})

    def copy(self) -> "Room":
        """Return the same room, to be changed on its own."""
        nodes = {name: node.copy() for name, node in self.nodes.items()}
        accounts = {key: account.copy() for key, account in self.accounts.items()}
        return Room(self.layout, nodes, accounts)

    def account(self, project: Project, pool: str) -> Account:
        """Return what a project uses of a pool."""
        key = ("project", project.id, pool)
        if key not in self.accounts:
            self.accounts[key] = Account(project.name, project.allotment(pool))
        return self.accounts[key]

    def parent(self, project: Project, pool: str) -> Account:
        """Return what a project's department uses of a pool."""
        key = ("department", project.department, pool)
        if key not in self.accounts:
            department = self.layout.organization.department(project.department)
            owner = f"department {department.name}"
            self.accounts[key] = Account(owner, department.allotment(pool))
        return self.accounts[key]

    def both(self, project: Project, pool: str) -> tuple[Account, Account]:
        """Return the accounts of a project and of its department."""
        return self.account(project, pool), self.parent(project, pool)

    def give_back(self, one: LocalTraining) -> None:
        """Count out what a training holds."""
        self._add_held(one, 1)

    def take_back(self, one: LocalTraining) -> None:
        """Count in what a training holds."""
        self._add_held(one, -1)

    def take(self, one: LocalTraining, grant: Grant) -> None:
        """Count in what a training is granted."""
        each = len(grant.devices) // len(grant.nodes)
        for at, name in enumerate(grant.nodes):
            node = self.nodes[name]
            devices = grant.devices[at * each : (at + 1) * each]
            node.add(self.layout.pod(one.need, node.node), devices, -1)
        self._charge(one, grant.pool, 1)

    def place(
        self,
        need: Need,
        pool: str,
        closed: Mapping[str, set[str]],
        only: Container[str] | None = None,
    ) -> Grant | None:
        """Return where all pods fit at once, on nodes where nothing that they need is closed.

        With `only` no other nodes are looked at.
        """
        names: list[str] = []
        devices: list[int] = []
        for node in self.layout.nodes_for(need, pool):
            if only is not None and node.name not in only:
                continue
            pod = self.layout.pod(need, node)
            if not kinds(pod).isdisjoint(closed.get(node.name, ())):
                continue
            for found in self.nodes[node.name].places(pod, need.pods - len(names)):
                names.append(node.name)
                devices += found
            if len(names) == need.pods:
                return Grant(pool=pool, nodes=tuple(names), devices=tuple(devices))
        return None

    def is_closed(self, need: Need, pool: str, closed: Mapping[str, set[str]]) -> bool:
        """Whether every node of a pool is closed for a training."""
        return all(
            not kinds(self.layout.pod(need, node)).isdisjoint(closed.get(node.name, ()))
            for node in self.layout.nodes_for(need, pool)
        )

    def held_pool(self, one: LocalTraining) -> str:
        """Return the pool in which a training runs."""
        return one.node_pool or (self.layout.pools[0] if self.layout.pools else "")

    def _add_held(self, one: LocalTraining, sign: int) -> None:
        for name, devices in _held(one):
            node = self.nodes.get(name) or next(iter(self.nodes.values()), None)
            if node is not None:
                node.add(self.layout.pod(one.need, node.node), devices, sign)
        self._charge(one, self.held_pool(one), -sign)

    def _charge(self, one: LocalTraining, pool: str, sign: int) -> None:
        asked = self.layout.asked(one.need, pool)
        for account in self.both(self.layout.project(one), pool):
            account.add(asked, sign, is_fixed=not one.need.is_preemptible)


def kinds(pod: PodNeed) -> set[str]:
    """Return the names of all that a pod needs."""
    return {*pod.amounts, GPUS} if pod.devices else set(pod.amounts)


def _held(one: LocalTraining) -> Iterator[tuple[str, tuple[int, ...]]]:
    return ((pod.node, pod.devices) for pod in one.pods)
