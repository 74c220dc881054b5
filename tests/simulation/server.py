"""A control plane in virtual time: trainings that take their course, and who changes them.

It is a model of the other side and shares nothing with the daemon. Whatever it does it writes
into its history at the moment it does it. Each training's course comes from a stream of its own,
so that what befalls one moves no other.
"""

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sweeper.domain.phase import DesiredPhase, Phase
from tests.simulation.history import Actor, Deed, Entry, History
from tests.simulation.scenario import Course

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVER = frozenset({Phase.COMPLETED, Phase.FAILED})
_GOING = frozenset({Phase.DELETING, Phase.STOPPING, Phase.TERMINATING})


@dataclass(slots=True, kw_only=True)
class Training:
    """A training as the server holds it.

    `moves` counts its changes, so that a timer set before one does nothing. A hidden one lives
    on while every answer is as if it had never been. `trial` is None if the daemon did not make
    it.
    """

    workload_id: str
    name: str
    labels: Mapping[str, str]
    created: float
    trial: int | None
    phase: Phase = Phase.CREATING
    desired: DesiredPhase = DesiredPhase.RUNNING
    events: list[tuple[float, str, str]] = field(default_factory=list)
    starts: int = 0
    moves: int = 0
    deleted: float | None = None
    is_erased: bool = False
    is_hidden: bool = False

    @property
    def lives(self) -> bool:
        """Whether it exists and is not finished."""
        return self.deleted is None and self.phase not in OVER


def trial_of(name: str) -> int:
    """Return the number of the trial that a training of this name belongs to."""
    return int(name.split("-")[-2])


class Cluster:
    """All trainings of one project, and everything that can happen to them."""

    def __init__(self, course: Course, seed: int, history: History) -> None:
        self.course = course
        self.history = history
        self.trainings: dict[str, Training] = {}
        self.is_calm = False
        self._seed = seed
        self._ids = random.Random(f"{seed}/ids")
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def seconds(self) -> float:
        """Virtual seconds since the world began."""
        return round(self._loop.time() - self._began, 3)

    def time_of(self, seconds: float) -> str:
        """Return a time as the API writes it; the server's clock never jumps."""
        at = START + timedelta(seconds=seconds)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def stream(self, name: str) -> random.Random:
        """Return a new stream of draws of that name."""
        return random.Random(f"{self._seed}/{name}")

    def create(self, name: str, labels: Mapping[str, str], *, is_ours: bool) -> Training:
        """Commit a create."""
        training = Training(
            workload_id=str(uuid.UUID(int=self._ids.getrandbits(128), version=4)),
            name=name,
            labels=labels,
            created=self.seconds,
            trial=trial_of(name) if is_ours else None,
        )
        self.trainings[training.workload_id] = training
        by = Actor.DAEMON if is_ours else Actor.PERSON
        self._note(training, Deed.CREATED, by)
        rng = self.stream(f"{name}/creating")
        if not self._sticks(rng):
            self._later(training, rng.uniform(0.1, 3), self._queue)
        return training

    def named(self, name: str) -> Sequence[Training]:
        """Return the trainings that hold a name."""
        return [one for one in self.trainings.values() if one.name == name and one.deleted is None]

    def ours(self) -> Sequence[Training]:
        """Return the living trainings that the daemon made."""
        return [one for one in self.trainings.values() if one.trial is not None and one.lives]

    def suspend(self, training: Training, by: Actor) -> None:
        """Suspend a training; one that is over or going stays as it is."""
        if not training.lives or training.phase in {Phase.DELETING, Phase.STOPPED, Phase.STOPPING}:
            return
        training.desired = DesiredPhase.STOPPED
        self._enter(training, Phase.STOPPING, by)
        self._later(training, 2, lambda one: self._enter(one, Phase.STOPPED, Actor.SERVER))

    def resume(self, training: Training, by: Actor) -> None:
        """Resume a stopped training; any other stays as it is."""
        if not training.lives or training.phase is not Phase.STOPPED:
            return
        training.desired = DesiredPhase.RUNNING
        self._enter(training, Phase.RESUMING, by)
        rng = self.stream(f"{training.name}/resuming/{training.moves}")
        if not self._sticks(rng):
            self._later(training, rng.uniform(0.1, 3), self._queue)

    def delete(self, training: Training, by: Actor) -> None:
        """Delete a training; a finished one is gone at once and keeps its phase."""
        if training.deleted is not None or training.phase is Phase.DELETING:
            return
        training.desired = DesiredPhase.DELETED
        if training.phase in OVER:
            self._remove(training, by)
            return
        self._enter(training, Phase.DELETING, by)
        rng = self.stream(f"{training.name}/deleting")
        seconds = self.course.stuck_seconds if self._sticks(rng) else rng.uniform(0.1, 5)
        self._later(training, seconds, lambda one: self._remove(one, Actor.SERVER))

    def preempt(self, training: Training) -> None:
        """Take the place of a training that runs."""
        if training.phase is not Phase.RUNNING:
            return
        training.events.append((self.seconds, "Evict", f"{training.name} was preempted"))
        self._enter(training, Phase.TERMINATING, Actor.SERVER)
        self._later(training, 2, self._queue)

    def lose_node(self, training: Training) -> None:
        """Lose the node of a training that runs."""
        if training.phase is Phase.RUNNING:
            self._queue(training)

    def erase(self, training: Training) -> None:
        """Lose a training without a trace."""
        if training.deleted is None:
            training.deleted = self.seconds
            training.is_erased = True
            training.moves += 1
            self._note(training, Deed.ERASED, Actor.SERVER)

    def _queue(self, training: Training) -> None:
        self._enter(training, Phase.PENDING, Actor.SERVER)
        training.starts += 1
        rng = self.stream(f"{training.name}/{training.starts}")
        wait = rng.uniform(0.1, self.course.queueing)
        self._later(training, wait, lambda one: self._start(one, rng))

    def _start(self, training: Training, rng: random.Random) -> None:
        self._enter(training, Phase.INITIALIZING, Actor.SERVER)
        if not self._sticks(rng):
            self._later(training, rng.uniform(0.1, 5), lambda one: self._run(one, rng))

    def _run(self, training: Training, rng: random.Random) -> None:
        self._enter(training, Phase.RUNNING, Actor.SERVER)
        # As pods have it: what happened before explains no failure that comes after.
        training.events.append((self.seconds, "Started", "the container started"))
        if training.trial is None:
            # What others made goes on for ever: a name is all that is known of a deleted one.
            return
        seconds = rng.uniform(*self.course.running)
        self._later(training, seconds, lambda one: self._end(one, rng))

    def _end(self, training: Training, rng: random.Random) -> None:
        draw = rng.random()
        course = self.course
        if draw >= course.failing + course.losing + course.evicting:
            self._enter(training, Phase.COMPLETED, Actor.SERVER)
        else:
            self._enter(training, Phase.FAILED, Actor.SERVER)
            reason = ("Failed", "the program ended with exit code 1")
            if draw < course.losing:
                reason = ("NodeLost", "the node is gone")
            elif draw < course.losing + course.evicting:
                reason = ("Evict", f"{training.name} was preempted")
            training.events.append((self.seconds, *reason))
        if course.kept is not None:
            self._later(training, course.kept, lambda one: self._remove(one, Actor.SERVER))

    def _sticks(self, rng: random.Random) -> bool:
        return rng.random() < self.course.sticking and not self.is_calm

    def _remove(self, training: Training, by: Actor) -> None:
        training.deleted = self.seconds
        training.moves += 1
        self._note(training, Deed.DELETED, by)

    def _enter(self, training: Training, phase: Phase, by: Actor) -> None:
        training.phase = phase
        training.moves += 1
        self._note(training, phase, by)

    def _note(self, training: Training, what: Phase | Deed, by: Actor) -> None:
        one = training
        self.history.add(Entry(self.seconds, one.workload_id, one.name, one.trial, what, by))

    def _later(self, training: Training, seconds: float, do: Callable[[Training], None]) -> None:
        """Do it unless the training changes before."""
        moves = training.moves

        def due() -> None:
            if training.moves == moves and training.deleted is None:
                do(training)

        self._loop.call_later(round(seconds, 3), due)
