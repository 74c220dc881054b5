"""Who may start now, on which GPUs, and who has to make room: pure decisions.

Higher priority comes first, then who came first. Whoever cannot start, though it will be able
to, holds back all behind it that need anything of the same kind: so nobody starves. To start it,
preemptible trainings of lower priority are preempted, as few as will do. What needs nothing is
never held back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from sweeper.domain.phase import Phase
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LEAVING, LONGEST_BACKOFF, LocalTraining

OVER_LIMIT: Final = "OverLimit"
"""The API's word for a request that goes beyond what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What there is to hand out; None is unbounded.

    `devices` are GPUs by index; those `lent` are in use by another control plane for now.
    """

    devices: tuple[int, ...] = ()
    lent: frozenset[int] = frozenset()
    cores: Fraction | None = None
    memory: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why a training waits, in the API's words."""

    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now.

    `starts` has the GPUs for each training that starts, in order; `preemptions` whoever makes
    room, with the one it is for; `waits` the reason for everybody else.
    """

    starts: Mapping[str, tuple[int, ...]]
    preemptions: Mapping[str, str]
    waits: Mapping[str, Wait]


def decide(trainings: Iterable[LocalTraining], capacity: Capacity, now: datetime) -> Decision:
    """Return which of the Pending trainings start, who is preempted, and why the others wait."""
    everybody = tuple(trainings)
    waiting = [one for one in everybody if _may_start(one, now)]
    holding = [one for one in everybody if one.has_process]
    round_ = _Round(holding, capacity)
    for one in sorted(waiting, key=lambda each: (-each.need.priority, each.number)):
        round_.consider(one)
    return Decision(starts=round_.starts, preemptions=round_.preemptions, waits=round_.waits)


def _may_start(one: LocalTraining, now: datetime) -> bool:
    """Whether a training waits for nothing but its turn.

    A back-off longer than any that is given was set by a clock that has been put back since.
    """
    if one.phase is not Phase.PENDING:
        return False
    due = one.not_before
    return due is None or due <= now or due > now + LONGEST_BACKOFF


class _Kind(StrEnum):
    GPUS = "GPUs"
    CORES = "CPU cores"
    MEMORY = "memory"


@dataclass(slots=True)
class _Free:
    """What is left: the share of each GPU, cores, memory."""

    shares: dict[int, Fraction]
    cores: Fraction | None
    memory: Fraction | None

    @classmethod
    def all_of(cls, capacity: Capacity, *, with_lent: bool) -> "_Free":
        lent = frozenset() if with_lent else capacity.lent
        shares = {device: Fraction(1) for device in capacity.devices if device not in lent}
        return cls(shares, capacity.cores, capacity.memory)

    def copy(self) -> "_Free":
        return _Free(dict(self.shares), self.cores, self.memory)

    def take(self, need: Need, devices: Iterable[int]) -> None:
        self._add(need, devices, -1)

    def give(self, need: Need, devices: Iterable[int]) -> None:
        self._add(need, devices, 1)

    def place(self, need: Need) -> tuple[int, ...] | None:
        """Return GPUs that serve this need, the fullest ones first; None when it does not fit."""
        if not (_holds(self.cores, need.cores) and _holds(self.memory, need.memory)):
            return None
        if need.gpus == 0:
            return ()
        fitting = [device for device, share in self.shares.items() if share >= need.gpu_share]
        if len(fitting) < need.gpu_devices:
            return None
        fitting.sort(key=lambda device: (self.shares[device], device))
        return tuple(sorted(fitting[: need.gpu_devices]))

    def _add(self, need: Need, devices: Iterable[int], sign: int) -> None:
        for device in devices:
            if device in self.shares:
                self.shares[device] += sign * need.gpu_share
        if self.cores is not None:
            self.cores += sign * need.cores
        if self.memory is not None:
            self.memory += sign * need.memory


@dataclass(slots=True)
class _Round:
    """One walk down the queue."""

    holding: Sequence[LocalTraining]
    capacity: Capacity
    starts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    preemptions: dict[str, str] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    _held_back: set[_Kind] = field(default_factory=set)
    _fits: dict[tuple[Need, bool], bool] = field(default_factory=dict)
    _free: _Free = field(init=False)

    def __post_init__(self) -> None:
        self._free = _Free.all_of(self.capacity, with_lent=False)
        for one in self.holding:
            self._free.take(one.need, one.devices)

    def consider(self, one: LocalTraining) -> None:
        """Start one training, or say why not."""
        if not self._would_fit(one.need, with_lent=True):
            self.waits[one.workload_id] = _never(one.need, self.capacity)
            return
        kinds = _kinds(one.need, self.capacity)
        if kinds & self._held_back:
            self.waits[one.workload_id] = _turn(kinds & self._held_back)
            return
        devices = self._free.place(one.need)
        if devices is not None:
            self._free.take(one.need, devices)
            self.starts[one.workload_id] = devices
            return
        if not self._would_fit(one.need, with_lent=False):
            message = "Waits for GPUs that another control plane of this machine uses"
            self.waits[one.workload_id] = Wait(message=message)
            return
        self._make_room(one)
        self._held_back |= kinds
        self.waits[one.workload_id] = _turn(kinds)

    def _make_room(self, one: LocalTraining) -> None:
        """Choose whom to preempt: the lowest priority first, of equal ones who came last."""
        room = self._free.copy()
        for each in self.holding:
            if each.phase in LEAVING:
                room.give(each.need, each.devices)
        if room.place(one.need) is not None:
            return
        victims: list[LocalTraining] = []
        for each in sorted(self.holding, key=lambda it: (it.need.priority, -it.number)):
            if not _may_take(one, each) or each.workload_id in self.preemptions:
                continue
            victims.append(each)
            room.give(each.need, each.devices)
            if room.place(one.need) is not None:
                break
        else:
            return
        for each in _spared(victims, one, room):
            victims.remove(each)
        self.preemptions.update((each.workload_id, one.workload_id) for each in victims)

    def _would_fit(self, need: Need, *, with_lent: bool) -> bool:
        """Whether the need could be served if nobody else were there."""
        asked = (need, with_lent)
        if asked not in self._fits:
            everything = _Free.all_of(self.capacity, with_lent=with_lent)
            self._fits[asked] = everything.place(need) is not None
        return self._fits[asked]


def _may_take(one: LocalTraining, other: LocalTraining) -> bool:
    return (
        other.phase not in LEAVING
        and other.need.is_preemptible
        and other.need.priority < one.need.priority
    )


def _spared(
    victims: Sequence[LocalTraining], one: LocalTraining, room: _Free
) -> list[LocalTraining]:
    """Return the victims without whose place there is room, too; the highest priority first."""
    spared = []
    for each in reversed(victims):
        room.take(each.need, each.devices)
        if room.place(one.need) is None:
            room.give(each.need, each.devices)
        else:
            spared.append(each)
    return spared


def _kinds(need: Need, capacity: Capacity) -> set[_Kind]:
    """Return what a training needs of that which is bounded."""
    kinds = set()
    if need.gpus > 0:
        kinds.add(_Kind.GPUS)
    if need.cores > 0 and capacity.cores is not None:
        kinds.add(_Kind.CORES)
    if need.memory > 0 and capacity.memory is not None:
        kinds.add(_Kind.MEMORY)
    return kinds


def _turn(kinds: Iterable[_Kind]) -> Wait:
    names = ", ".join(sorted(kinds))
    return Wait(message=f"Not enough resources in the requested nodepool: waits for {names}")


def _never(need: Need, capacity: Capacity) -> Wait:
    """Return the words for a request beyond all that there is."""
    parts = []
    if need.gpu_devices > len(capacity.devices):
        parts.append(f"{need.gpu_devices} GPUs of {len(capacity.devices)}")
    if not _holds(capacity.cores, need.cores):
        parts.append(f"{float(need.cores):g} CPU cores of {float(capacity.cores or 0):g}")
    if not _holds(capacity.memory, need.memory):
        parts.append(f"{float(need.memory):g} bytes of memory of {float(capacity.memory or 0):g}")
    return Wait(reason=OVER_LIMIT, message=f"Asks for more than there is: {', '.join(parts)}")


def _holds(bound: Fraction | None, amount: Fraction) -> bool:
    return bound is None or amount <= bound
