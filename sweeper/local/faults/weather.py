"""What befalls trainings by plan: preemption storms, rules, people, lost nodes, and what is stuck.

It acts on the engine as anybody could: each misfortune is a command like those of a client, and
as durable. Which trainings are hit is drawn in the order in which they were accepted.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn

from sweeper.clock import pause
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local import trainings as after
from sweeper.local.engine import Engine
from sweeper.local.faults.drawing import Faults, is_within
from sweeper.local.faults.plan import (
    Delete,
    ExpireTokens,
    FaultPlan,
    Happening,
    LoseNode,
    Misfortune,
    OnTrainings,
    Preempt,
    RuleStop,
    Sticking,
    Suspend,
)
from sweeper.local.trainings import LEAVING, LocalTraining, PlaneEvent, Step
from sweeper.ports import Now

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 3600.0
_RULE = "The workload was stopped by a scheduling rule of its project"
_WORKING = frozenset({Phase.INITIALIZING, Phase.RUNNING, Phase.DEGRADED})


@dataclass(slots=True)
class _Entry:
    """A training's stay in a phase: since when, and until when it is stuck (None: for good)."""

    since: datetime
    is_stuck: bool
    until: datetime | None


class Weather:
    """Lets the misfortunes of the plan in force befall the trainings of an engine."""

    def __init__(self, faults: Faults, engine: Engine, *, now: Now) -> None:
        self._faults = faults
        self._engine = engine
        self._now = now
        self._plan: FaultPlan | None = None
        self._rng = random.Random(0)
        self._due: list[tuple[float, Happening]] = []
        self._entries: dict[str, _Entry] = {}
        self._ruled: set[str] = set()
        engine.is_held = self.is_held
        engine.listen(faults.changed.set)
        self._follow_plan()

    async def run(self) -> NoReturn:
        """Work until cancelled."""
        while True:
            self._faults.changed.clear()
            self._follow_plan()
            for happening in self._now_due():
                await self.strike(happening.misfortune)
            await self._look_after()
            await pause(self._seconds_to_wait(), wake=self._faults.changed)

    async def strike(self, misfortune: Misfortune) -> int:
        """Let one misfortune happen now; return how many trainings it hit."""
        if isinstance(misfortune, ExpireTokens):
            self._faults.expire_tokens()
            return 0
        hit = self._drawn(misfortune)
        logger.info("%s hits %s trainings", misfortune.kind, len(hit))
        async with asyncio.TaskGroup() as group:
            for training in hit:
                name = f"{misfortune.kind} {training.name}"
                group.create_task(self._hit(misfortune, training), name=name)
        return len(hit)

    async def preempt(self, workload_id: str, by: str) -> bool:
        """Take the place of one training for the one called `by`; false when there is none."""
        return await self._engine.change(
            workload_id, lambda training, now: after.preempt(training, by, now)
        )

    def is_held(self, training: LocalTraining, now: datetime) -> bool:
        """Whether a training that is Creating or Resuming is stuck there."""
        if not self._faults.plan.sticking:
            return False
        if training.phase not in {Phase.CREATING, Phase.RESUMING}:
            return False
        entry = self._entries.get(training.workload_id)
        if entry is None or entry.since != training.phase_updated_at:
            entry = self._entries[training.workload_id] = self._entered(training)
        return entry.is_stuck and (entry.until is None or now < entry.until)

    def _entered(self, training: LocalTraining) -> _Entry:
        """Draw whether a training that has just entered a phase is stuck in it."""
        since = training.phase_updated_at
        for sticking in self._faults.plan.sticking:
            if self._sticks(sticking, training):
                seconds = sticking.seconds
                until = None if seconds is None else since + timedelta(seconds=seconds)
                return _Entry(since, is_stuck=True, until=until)
        return _Entry(since, is_stuck=False, until=None)

    def _sticks(self, sticking: Sticking, training: LocalTraining) -> bool:
        if sticking.phase != training.phase.value:
            return False
        if not is_within(self._faults.seconds, sticking.since, sticking.until):
            return False
        return self._rng.random() < sticking.share

    def _follow_plan(self) -> None:
        """Begin anew when another plan is in force."""
        if self._plan is self._faults.plan:
            return
        self._plan = self._faults.plan
        self._rng = self._faults.stream("weather")
        self._entries.clear()
        self._due = [(happening.at, happening) for happening in self._plan.happenings]
        self._engine.look_again()

    def _now_due(self) -> Sequence[Happening]:
        """Return what happens now, and expect what happens again."""
        seconds = self._faults.seconds
        due = [(at, happening) for at, happening in self._due if at <= seconds]
        self._due = [(at, happening) for at, happening in self._due if at > seconds]
        for at, happening in due:
            if happening.every is not None:
                following = at + happening.every
                if following <= seconds:
                    # What was missed is not made up for.
                    following = seconds + happening.every
                if happening.until is None or following < happening.until:
                    self._due.append((following, happening))
        return [happening for _, happening in sorted(due, key=lambda each: each[0])]

    def _drawn(self, misfortune: OnTrainings) -> list[LocalTraining]:
        """Return the trainings that are hit: a share of those that it can hit at all."""
        can_be_hit = _hits(misfortune)
        possible = [training for training in self._engine.trainings() if can_be_hit(training)]
        possible.sort(key=lambda training: training.number)
        number = round(misfortune.share * len(possible))
        if misfortune.share and possible:
            number = max(number, 1)
        return self._rng.sample(possible, number)

    async def _hit(self, misfortune: OnTrainings, training: LocalTraining) -> None:
        workload_id = training.workload_id
        match misfortune:
            case Preempt():
                await self.preempt(workload_id, "storm")
            case RuleStop():
                if misfortune.desired == "Running":
                    self._ruled.add(workload_id)
                await self._engine.change(workload_id, _stopped_by_rule)
            case Suspend():
                await self._engine.suspend(workload_id)
            case Delete():
                await self._engine.delete(workload_id)
            case LoseNode():
                for pod in training.pods:
                    if pod.has_process:
                        await self._engine.lose(training.key_of(pod))

    async def _look_after(self) -> None:
        """See to what follows from earlier misfortunes, and let go of what is over."""
        alive = {training.workload_id: training for training in self._engine.trainings()}
        for workload_id in self._entries.keys() - alive.keys():
            del self._entries[workload_id]
        for workload_id in tuple(self._ruled):
            training = alive.get(workload_id)
            if training is None or training.phase is Phase.STOPPED:
                self._ruled.discard(workload_id)
                await self._engine.change(workload_id, _wanted)
        if self._faults.plan.deletes_at_once:
            for workload_id, training in alive.items():
                if training.lifecycle.auto_deletion:
                    await self._engine.change(workload_id, _unkept)

    def _seconds_to_wait(self) -> float:
        """Return how long nothing is due, and let go what is stuck no longer."""
        now = self._now()
        ends = [entry for entry in self._entries.values() if entry.is_stuck and entry.until]
        ahead = [at - self._faults.seconds for at, _ in self._due]
        for entry in ends:
            left = ((entry.until or now) - now).total_seconds()
            if left > 0:
                ahead.append(left)
            else:
                entry.is_stuck = False
                self._engine.look_again()
        return min([*ahead, _LONGEST_WAIT])


def _hits(misfortune: OnTrainings) -> Callable[[LocalTraining], bool]:
    """Return what a misfortune can hit."""
    match misfortune:
        case Preempt() | RuleStop() | LoseNode():
            return lambda training: training.phase in _WORKING and training.has_process
        case Suspend():
            return lambda training: training.phase not in LEAVING | {Phase.STOPPED}
        case Delete():
            return lambda training: training.phase is not Phase.DELETING


def _stopped_by_rule(training: LocalTraining, now: datetime) -> Step:
    step = after.suspend(training, now)
    if step.training is training:
        return step
    event = PlaneEvent(
        workload_id=training.workload_id, at=now, reason="Stopped", message=_RULE, is_warning=True
    )
    return Step(replace(step.training, phase_message=_RULE), (*step.events, event))


def _wanted(training: LocalTraining, now: datetime) -> Step:  # noqa: ARG001 - no time passes
    """Return a training that stays stopped, although it is wanted to run."""
    if training.phase is not Phase.STOPPED:
        return Step(training)
    return Step(replace(training, desired_phase=DesiredPhase.RUNNING))


def _unkept(training: LocalTraining, now: datetime) -> Step:  # noqa: ARG001 - no time passes
    """Return a training that is deleted as soon as it is finished."""
    if training.is_over:
        return Step(training)
    return Step(replace(training, lifecycle=replace(training.lifecycle, auto_deletion=timedelta())))
