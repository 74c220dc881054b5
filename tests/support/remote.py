"""A control plane in memory: an honest little model of trainings, with faults on demand.

It stands for the *other side*, so it keeps a history of its own: what tests check is what this
server saw, never what the daemon believes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sweeper.clock import pause
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.trial import Observation, TrainingEvent
from sweeper.errors import (
    AmbiguousError,
    ControlPlaneError,
    NameTakenError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import TrainingRequest
from tests.support.clock import Clock

ENDED = frozenset({Phase.COMPLETED, Phase.FAILED})
PAGE = 500
RUNS_THROUGH = (Phase.PENDING, Phase.RUNNING, Phase.COMPLETED)

Script = Callable[[int, int], Sequence[Phase]]
"""Gives the phases that the training of (trial number, attempt) passes through."""


@dataclass(slots=True, kw_only=True)
class Training:
    """A training as the server holds it; `ahead` are the phases still to come.

    A hidden one lives on, while every answer is as if it had never been.
    """

    workload_id: str
    name: str
    labels: Mapping[str, str]
    created_at: datetime
    ahead: list[Phase]
    phase: Phase = Phase.CREATING
    desired: DesiredPhase = DesiredPhase.RUNNING
    deleted_at: datetime | None = None
    visible_at: datetime | None = None
    is_hidden: bool = False

    @property
    def lives(self) -> bool:
        """Whether it exists and is not finished."""
        return self.deleted_at is None and self.phase not in ENDED

    @property
    def number(self) -> int:
        """The trial that it belongs to, by its name."""
        return int(self.name.split("-")[-2])

    def step(self, now: datetime) -> None:
        """Move on by one phase."""
        if not self.lives:
            return
        if self.desired is DesiredPhase.DELETED:
            self.phase, self.deleted_at = Phase.DELETING, now
        elif self.desired is DesiredPhase.STOPPED:
            is_leaving = self.phase in {Phase.STOPPING, Phase.STOPPED}
            self.phase = Phase.STOPPED if is_leaving else Phase.STOPPING
        elif self.phase is not Phase.STOPPED and self.ahead:
            self.phase = self.ahead.pop(0)

    def seen(self, *, labels: bool = False) -> Observation:
        """Return a reading of it."""
        return Observation(
            workload_id=self.workload_id,
            name=self.name,
            phase=self.phase,
            desired_phase=self.desired,
            created_at=self.created_at,
            deleted_at=self.deleted_at,
            labels=dict(self.labels) if labels else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with a call; with `after`, only once its effect has happened."""

    error: ControlPlaneError
    after: bool = False


@dataclass(slots=True, kw_only=True)
class Remote:
    """The server. `faults` go wrong once each, `down` answers nothing until it is None again.

    A create commits `commit_delay` after it was sent and, like every training, shows in reads
    `lag` after that. With `has_unique_names` false, the same name can be created twice.
    """

    now: Clock
    script: Script = field(default=lambda number, attempt: RUNS_THROUGH)
    events_of: Callable[[Training], Sequence[TrainingEvent]] = field(default=lambda training: ())
    has_listing: bool = True
    has_unique_names: bool = True
    lag: timedelta = timedelta()
    down: ControlPlaneError | None = None
    faults: dict[tuple[str, int], Fault] = field(default_factory=dict)
    trainings: list[Training] = field(default_factory=list)
    calls: list[tuple[datetime, str]] = field(default_factory=list)
    most_live: int = 0
    twice_live: set[int] = field(default_factory=set)
    _late: list[tuple[datetime, TrainingRequest]] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def step(self) -> None:
        """Let time pass on the server: every training moves on, late creates commit."""
        now = self.now()
        due = [request for at, request in self._late if at <= now]
        self._late = [(at, request) for at, request in self._late if at > now]
        for request in due:
            if not (self.has_unique_names and self._named(request.name)):
                self._commit(request)
        for training in self.trainings:
            training.step(now)
        self._watch()

    def commit_later(self, request: TrainingRequest, delay: timedelta) -> None:
        """Let a create that is under way take effect only after `delay`."""
        self._late.append((self.now() + delay, request))

    def add(self, name: str, labels: Mapping[str, str], phase: Phase) -> Training:
        """Put a training there that somebody else created."""
        training = Training(
            workload_id=f"other-{len(self.trainings)}",
            name=name,
            labels=labels,
            created_at=self.now(),
            ahead=[],
            phase=phase,
        )
        self.trainings.append(training)
        return training

    def hide(self, *numbers: int, hidden: bool = True) -> None:
        """Answer as if trainings of these trials (of all, when none are given) had never been."""
        for training in self.trainings:
            if not numbers or training.number in numbers:
                training.is_hidden = hidden

    def of(self, number: int) -> Sequence[Training]:
        """Return all trainings of one trial, oldest first."""
        return [training for training in self.trainings if training.number == number]

    def newest(self, number: int) -> Training:
        """Return the newest training of a trial."""
        return self.of(number)[-1]

    def requests(self, *methods: str) -> int:
        """Return how many calls there were, of `methods` only if any are given."""
        return sum(not methods or method in methods for _, method in self.calls)

    async def create(self, request: TrainingRequest) -> Observation:
        fault = self._called("create")
        if self.has_unique_names and self._named(request.name):
            raise NameTakenError(f"{request.name} already exists")
        training = self._commit(request)
        # Others are served before the answer arrives, as on a real server.
        await pause(0)
        _raise_after(fault)
        return training.seen(labels=True)

    async def observe(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        self._needs_listing()
        self._called("observe")
        found = [one.seen() for one in self._visible() if one.name.startswith(prefix)]
        found = [one for one in found if since is None or (one.created_at or since) >= since]
        for _ in range(PAGE, len(found), PAGE):
            self._called("observe")
        return found

    async def deleted(self, prefix: str, since: datetime | None = None) -> Sequence[Observation]:
        self._needs_listing()
        self._called("deleted")
        gone = [one for one in self.trainings if one.deleted_at is not None and not one.is_hidden]
        found = [one.seen() for one in gone if one.name.startswith(prefix)]
        return [one for one in found if since is None or (one.created_at or since) >= since]

    async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
        self._needs_listing()
        self._called("find")
        if deleted:
            gone = [one for one in self.trainings if one.deleted_at is not None]
            return [one.seen() for one in gone if one.name == name and not one.is_hidden]
        return [one.seen() for one in self._visible() if one.name == name]

    async def get(self, workload_id: str) -> Observation:
        self._called("get")
        return self._known(workload_id).seen(labels=True)

    async def events(self, workload_id: str) -> Sequence[TrainingEvent]:
        self._called("events")
        return self.events_of(self._known(workload_id))

    async def suspend(self, workload_id: str) -> None:
        fault = self._called("suspend")
        self._known(workload_id).desired = DesiredPhase.STOPPED
        _raise_after(fault)

    async def resume(self, workload_id: str) -> None:
        fault = self._called("resume")
        training = self._known(workload_id)
        training.desired = DesiredPhase.RUNNING
        if training.phase is Phase.STOPPED:
            training.phase = Phase.RESUMING
        _raise_after(fault)

    async def delete(self, workload_id: str) -> None:
        fault = self._called("delete")
        self._known(workload_id).desired = DesiredPhase.DELETED
        _raise_after(fault)

    def _called(self, method: str) -> Fault | None:
        """Count the call and raise what goes wrong before its effect."""
        self.calls.append((self.now(), method))
        self._counts[method] += 1
        if self.down is not None:
            raise self.down
        fault = self.faults.get((method, self._counts[method]))
        if fault is not None and not fault.after:
            raise fault.error
        return fault

    def _needs_listing(self) -> None:
        # A client that has once found no listing need not ask to say so.
        if not self.has_listing:
            raise UnsupportedError("no listing")

    def _commit(self, request: TrainingRequest) -> Training:
        labels = request.spec["labels"]
        assert isinstance(labels, Mapping)
        *_, number, attempt = request.name.split("-")
        training = Training(
            workload_id=f"id-{len(self.trainings)}",
            name=request.name,
            labels={key: str(value) for key, value in labels.items()},
            created_at=self.now(),
            ahead=list(self.script(int(number), int(attempt))),
            visible_at=self.now() + self.lag,
        )
        self.trainings.append(training)
        self._watch()
        return training

    def _watch(self) -> None:
        """Note what must never be: two live trainings of one trial, or more than the limit."""
        live = Counter(training.number for training in self.trainings if training.lives)
        self.most_live = max(self.most_live, live.total())
        self.twice_live |= {number for number, count in live.items() if count > 1}

    def _visible(self) -> Iterator[Training]:
        now = self.now()
        for one in self.trainings:
            if one.is_hidden:
                continue
            if one.deleted_at is None and (one.visible_at is None or one.visible_at <= now):
                yield one

    def _named(self, name: str) -> bool:
        return any(one.name == name and one.deleted_at is None for one in self.trainings)

    def _known(self, workload_id: str) -> Training:
        for one in self._visible():
            if one.workload_id == workload_id:
                return one
        raise TrainingGoneError(f"no training {workload_id}")


def _raise_after(fault: Fault | None) -> None:
    if fault is not None:
        raise fault.error


def lost_answer() -> Fault:
    """Return the fault of a call that took effect, but whose answer was lost."""
    return Fault(error=AmbiguousError("no answer in time"), after=True)


def refused_by_gateway() -> Fault:
    """Return the fault of a write that a gateway answered with 503, having passed nothing on."""
    return Fault(error=AmbiguousError("503"))


def unreadable() -> Fault:
    """Return the fault of a read without a good answer."""
    return Fault(error=TransientError("503"))
