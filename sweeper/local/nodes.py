"""The nodes of a local control plane, and what is left on them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sweeper.local.spec_reading import Need

WHOLE = Fraction(1)
MIG_PREFIX = "nvidia.com/mig-"
"""What Kubernetes calls the slices of GPUs: this and the profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine; None is unbounded.

    `devices` are its GPUs by index, counted over all nodes, each with `gpu_memory` bytes (None:
    unknown, a request by memory takes all of a GPU). `counted` has what else it offers by name:
    extended resources and slices of GPUs. One that `takes_any` has every node type and as much
    of every other resource as is asked for; a slice is a whole GPU there.
    """

    name: str = "local"
    pool: str = "default"
    devices: tuple[int, ...] = ()
    gpu_memory: Fraction | None = None
    cores: Fraction | None = None
    memory: Fraction | None = None
    node_type: str | None = None
    counted: Mapping[str, Fraction] = field(default_factory=dict, hash=False)
    takes_any: bool = False

    def share(self, need: Need) -> Fraction:
        """Return which part of each GPU a pod takes; above 1 it does not fit."""
        if need.gpu_memory is None or not self.gpu_memory:
            return need.gpu_share
        return need.gpu_memory / self.gpu_memory

    def takes(self, need: Need) -> bool:
        """Whether it has the node type that is asked for."""
        return self.takes_any or need.node_type in {None, self.node_type}


@dataclass(frozen=True, slots=True)
class PodNeed:
    """What one pod takes of one node: `devices` times `share`, and amounts by name."""

    devices: int
    share: Fraction
    amounts: Mapping[str, Fraction]

    @property
    def gpus(self) -> Fraction:
        """GPUs in all."""
        return self.devices * self.share


CORES = "CPU cores"
MEMORY = "memory"
GPUS = "GPUs"


def pod_need(need: Need, node: Node) -> PodNeed:
    """Return what each pod of a training takes of that node; what it does not bound is left out."""
    devices = need.gpu_devices if need.gpu_share > 0 else 0
    amounts = {}
    if need.cores and node.cores is not None:
        amounts[CORES] = need.cores
    if need.memory and node.memory is not None:
        amounts[MEMORY] = need.memory
    if not node.takes_any:
        amounts |= need.extended
        if need.mig_profile is not None and devices:
            name = MIG_PREFIX + need.mig_profile
            amounts[name] = amounts.get(name, Fraction(0)) + devices
            devices = 0
    return PodNeed(devices, node.share(need) if devices else Fraction(0), amounts)


class NodeRoom:
    """What is left on one node; less than nothing where more is in use than there is now."""

    def __init__(self, node: Node, lent: frozenset[int] = frozenset()) -> None:
        self.node = node
        self.shares = dict.fromkeys((one for one in node.devices if one not in lent), WHOLE)
        self.amounts = dict(node.counted)
        for name, bound in ((CORES, node.cores), (MEMORY, node.memory)):
            if bound is not None:
                self.amounts[name] = bound

    def copy(self) -> "NodeRoom":
        """Return the same room, to be changed on its own."""
        other = object.__new__(NodeRoom)
        other.node = self.node
        other.shares = dict(self.shares)
        other.amounts = dict(self.amounts)
        return other

    def add(self, pod: PodNeed, devices: Iterable[int], sign: int) -> None:
        """Give back what a pod on these GPUs held, or with the sign -1 take it."""
        for device in devices:
            if device in self.shares:
                self.shares[device] += sign * pod.share
        for name, amount in pod.amounts.items():
            self.amounts[name] = self.amounts.get(name, Fraction(0)) + sign * amount

    def place(self, pod: PodNeed) -> tuple[int, ...] | None:
        """Return GPUs that serve one pod, the fullest ones first; None when it does not fit."""
        for name, amount in pod.amounts.items():
            if self.amounts.get(name, Fraction(0)) < amount:
                return None
        if not pod.devices:
            return ()
        fitting = [device for device, share in self.shares.items() if share >= pod.share]
        if len(fitting) < pod.devices:
            return None
        fitting.sort(key=lambda device: (self.shares[device], device))
        return tuple(sorted(fitting[: pod.devices]))

    def places(self, pod: PodNeed, most: int) -> Iterator[tuple[int, ...]]:
        """Yield GPUs for one pod after the other, up to `most`; only a copy is used up."""
        if most == 1:
            devices = self.place(pod)
            if devices is not None:
                yield devices
            return
        room = self.copy()
        for _ in range(most):
            devices = room.place(pod)
            if devices is None:
                return
            room.add(pod, devices, -1)
            yield devices

    def lacks(self, pod: PodNeed) -> Sequence[str]:
        """Return the names of what is not there for a pod."""
        names = [
            name
            for name, amount in pod.amounts.items()
            if self.amounts.get(name, Fraction(0)) < amount
        ]
        fitting = sum(share >= pod.share for share in self.shares.values())
        return [GPUS, *names] if pod.devices and fitting < pod.devices else names

    def free_for(self, pod: PodNeed) -> tuple[Fraction, ...]:
        """Return how much is free of what a pod needs, to compare nodes by."""
        gpus = sum((share for share in self.shares.values() if share > 0), Fraction(0))
        amounts = (self.amounts.get(name, Fraction(0)) for name in sorted(pod.amounts))
        return (gpus if pod.devices else Fraction(0), *amounts)
