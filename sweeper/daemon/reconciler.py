"""One tick: read, fold, plan, record the intents, act, record the outcomes.

A tick starts from the store and the control plane alone. What this object remembers between
ticks (how the control plane was of late) only makes it gentler; a new process with none of it
does the right thing too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sweeper.daemon.actions import Done, Hands
from sweeper.daemon.adopting import grant_adoptions
from sweeper.daemon.health import Health
from sweeper.daemon.observer import READS_PER_TICK, Observer
from sweeper.daemon.pacing import next_look
from sweeper.daemon.wishes import grant_wishes
from sweeper.domain.actions import Action, Record, Submit
from sweeper.domain.change import Change, merged
from sweeper.domain.planning import RATE_WINDOW, Drafting, Snapshot, guard, plan, sent_at
from sweeper.domain.policy import is_overdue
from sweeper.domain.rebasing import jump, shifted
from sweeper.domain.record import Event, EventKind, SlotGuard, SweepRecord, SweepState, WishKind
from sweeper.domain.reviewing import (
    EQUAL_REJECTIONS,
    is_drained,
    is_settled,
    not_rejected,
    rejected,
    review,
    target_reached,
)
from sweeper.domain.sweep import SweepSpec, TimeoutsSpec
from sweeper.domain.trial import Trial
from sweeper.errors import (
    ControlPlaneError,
    LimitExceededError,
    RejectedError,
    StoreError,
    SweeperError,
)
from sweeper.ports import Now, Store, Telemetry, TickSummary

_log = logging.getLogger(__name__)

PLAN_HOLDS = timedelta(seconds=30)
"""How long calls of one plan are begun; what is left then is planned anew from a fresh look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a tick found: whether anything is left to do, and when to look again (seconds)."""

    sweep: SweepRecord
    settled: bool
    wait: float


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Ticks for one sweep.

    `planned` is the number of trials (None: unbounded), `quarantine` how long a create left
    open may still take effect. `drain` means: carry out wishes, submit nothing new, and
    count as settled once that is done.
    With `ramps`, few creates are open at once until a training was seen at work.
    `is_stopping`, once set, lets a tick in progress begin no further calls.
    """

    store: Store
    observer: Observer
    hands: Hands
    draft: Drafting
    telemetry: Telemetry
    spec: SweepSpec
    planned: int | None
    quarantine: timedelta
    now: Now
    read_reports: Callable[[Sequence[Trial]], Awaitable[None]]
    drain: bool = False
    ramps: bool = False
    is_stopping: bool = False
    _health: Health = field(default_factory=Health)
    _observed_at: datetime | None = None
    _next_tick: tuple[datetime, datetime] | None = None
    _has_ticked: bool = False

    async def tick(self) -> Tick:
        """Bring the sweep one step on.

        Raises:
            StoreError: what was decided cannot be recorded.
        """
        started = self.now()
        sweep = await self._sweep()
        await self._follow_clock(sweep, started)
        sweep, events = await grant_wishes(self.store, sweep, self.now())
        self.telemetry.recorded(sweep, events)
        waiting = await self._adopt(sweep)
        well = await self._observe(sweep)
        snapshot = await self._snapshot(sweep, creates_open=well)
        sweep = await self._review(snapshot)
        snapshot = replace(snapshot, sweep=sweep)
        if self._health.may_call(self.now()) and await self._act(snapshot):
            snapshot = await self._snapshot(await self._sweep(), creates_open=well)
            snapshot = replace(snapshot, sweep=await self._review(snapshot))
        await self._tell(snapshot, started)
        now = self.now()
        wait = next_look(snapshot, self._health.failures, self._health.calls_after, now)
        self._next_tick = (now, now + timedelta(seconds=wait))
        settled = is_settled(snapshot) or (self.drain and is_drained(snapshot))
        return Tick(sweep=snapshot.sweep, settled=settled and not waiting, wait=wait)

    async def _sweep(self) -> SweepRecord:
        sweep = await self.store.load_sweep()
        if sweep is None:
            raise StoreError("the store holds no sweep")
        return sweep

    async def _follow_clock(self, sweep: SweepRecord, now: datetime) -> None:
        """Move the recorded times along when the clock jumped, or the machine slept."""
        off = jump(self._next_tick, now) if self._next_tick else timedelta()
        if off:
            _log.warning("The clock jumped by %s, or this machine slept", off)
            live = await self.store.live_trials()
            await self._write(sweep, [Change(trial=shifted(trial, off)) for trial in live])

    async def _adopt(self, sweep: SweepRecord) -> bool:
        """Carry out wishes to adopt a training; return whether some must wait."""

        async def write(changes: Sequence[Change]) -> None:
            await self._write(sweep, changes)

        if self._health.may_call(self.now()):
            return await grant_adoptions(self.store, self.hands, sweep, write)
        return any(wish.kind is WishKind.ADOPT for wish in await self.store.wishes())

    async def _observe(self, sweep: SweepRecord) -> bool:
        """Read the trainings and record what changed; return whether the reading was good."""
        health = self._health
        if not health.may_call(self.now()):
            return False
        live = await self.store.live_trials()
        if not self._has_ticked:
            await self.read_reports(live)
            self._has_ticked = True
        reads = 1 if health.failures else READS_PER_TICK
        try:
            changes = await self.observer.observe(live, self.now(), reads=reads)
        except ControlPlaneError as error:
            health.fail(error, self.now())
            return False
        health.read_well()
        self._observed_at = self.now()
        await self._write(sweep, _different(live, changes, self.spec.timeouts))
        return True

    async def _snapshot(self, sweep: SweepRecord, *, creates_open: bool) -> Snapshot:
        live = tuple(await self.store.live_trials())
        best = await self.store.best_trials(1)
        deadline = self.spec.limits.deadline
        now = self.now()
        late = deadline is not None and now - sweep.created_at >= deadline
        may_create = creates_open and self._health.may_create(now)
        return Snapshot(
            sweep=sweep,
            spec=self.spec,
            live=live,
            totals=await self.store.totals(),
            planned=self.planned,
            submitted=await self.store.submissions_since(now - RATE_WINDOW),
            exhausted=late or target_reached(self.spec.objective, best[0] if best else None),
            creates_open=may_create and not self.drain,
            quarantine=self.quarantine,
            ramps=self.ramps,
        )

    async def _review(self, snapshot: Snapshot) -> SweepRecord:
        after = review(snapshot, self.now())
        if after is not snapshot.sweep:
            await self._save_sweep(snapshot.sweep, after)
        return after

    async def _save_sweep(self, before: SweepRecord, after: SweepRecord) -> None:
        events = tuple(
            Event(at=self.now(), kind=EventKind.SWEEP, outcome=outcome, detail=detail)
            for outcome, detail in _turns(before, after)
        )
        if after.frozen is not None and before.frozen is None:
            _log.error("Writes are frozen: %s", after.frozen)
        await self.store.save_sweep(after, events)
        self.telemetry.recorded(after, events)

    async def _act(self, snapshot: Snapshot) -> bool:
        """Record and carry out a plan, batch by batch; return whether there was anything to do.

        A batch is what may be called side by side. After one that went badly the rest is not
        begun: nothing of it is recorded, so the next tick plans it anew.
        """
        planned_at = self.now()
        rest = self._bounded(plan(snapshot, self.draft, planned_at))
        acted = bool(rest)
        while rest and not self.is_stopping and self.now() - planned_at < PLAN_HOLDS:
            size = self._health.calls_at_once
            records = [action for action in rest if isinstance(action, Record)]
            calls = [action for action in rest if not isinstance(action, Record)]
            try:
                done = await self._act_together(snapshot, [*records, *calls[:size]])
            except LimitExceededError as error:
                # The store counts for itself; what it finds too many is planned anew, if at all.
                _log.warning("New trials wait: %s", error)
                rest = [action for action in rest if not _is_new(action)]
                continue
            if done and not await self._answer_for(done):
                break
            rest = self._bounded(calls[size:])
        return acted

    def _bounded(self, actions: Sequence[Action]) -> Sequence[Action]:
        """Leave out creates while they pause, and all but one after a create that failed."""
        if self._health.is_creating_well:
            return actions
        creates = [action for action in actions if isinstance(action, Submit)]
        others = [action for action in actions if not isinstance(action, Submit)]
        return [*others, *creates[:1]] if self._health.may_create(self.now()) else others

    async def _act_together(self, snapshot: Snapshot, actions: Sequence[Action]) -> Sequence[Done]:
        """Record the intents in one transaction, then carry them out side by side."""
        calls = [
            action
            for action in await self._intend(snapshot, actions)
            if not isinstance(action, Record)
        ]
        done: list[Done] = []

        async def carry_out(action: Action) -> None:
            outcome = await self.hands.carry_out(action)
            await self._write(snapshot.sweep, [outcome.change])
            done.append(outcome)

        try:
            async with asyncio.TaskGroup() as group:
                for action in calls:
                    name = f"{type(action).__name__} {action.trial.number}"
                    group.create_task(carry_out(action), name=name)
        except ExceptionGroup as errors:
            raise _first_of_ours(errors) from errors
        return done

    async def _intend(self, snapshot: Snapshot, actions: Sequence[Action]) -> Sequence[Action]:
        """Record the intents; return the actions that were, with their trials as written."""
        now = self.now()
        actions = [sent_at(one, now) if isinstance(one, Submit) else one for one in actions]
        bound = guard(self.spec.limits, now) if any(map(_is_new, actions)) else None
        intents = [Change(trial=action.trial, events=action.events) for action in actions]
        written = await self._write(snapshot.sweep, intents, bound)
        return [
            replace(action, trial=trial) for action, trial in zip(actions, written, strict=True)
        ]

    async def _answer_for(self, done: Sequence[Done]) -> bool:
        """Draw what follows for the sweep as a whole; return whether to go on with the plan."""
        self._health.called([outcome.error for outcome in done], self.now())
        sweep = before = await self._sweep()
        for outcome in done:
            if isinstance(outcome.action, Submit):
                sweep = self._answer_for_create(sweep, outcome)
        if sweep != before:
            await self._save_sweep(before, sweep)
        return self._health.is_proven and sweep.rejections < EQUAL_REJECTIONS

    def _answer_for_create(self, sweep: SweepRecord, outcome: Done) -> SweepRecord:
        match outcome.error:
            case None:
                self._health.created()
                return not_rejected(sweep)
            case RejectedError() as error:
                self._health.created()
                # The same fault has the same words, but for the name of the training in them.
                name = outcome.action.trial.submission.workload_name
                words = str(error).replace(name, "(its name)")
                return rejected(sweep, words, compliance=error.compliance)
            case error:
                self._health.create_failed(error, self.now())
                return sweep

    async def _write(
        self, sweep: SweepRecord, changes: Sequence[Change], bound: SlotGuard | None = None
    ) -> Sequence[Trial]:
        if not changes:
            return ()
        ended = [change.trial for change in changes if not change.trial.holds_slot]
        if ended:
            await self.read_reports(ended)
        trials, events = merged(changes)
        written = await self.store.commit(trials, events, guard=bound)
        self.telemetry.recorded(sweep, events)
        return written

    async def _tell(self, snapshot: Snapshot, started: datetime) -> None:
        best = await self.store.best_trials(1)
        limits = self.spec.limits
        self.telemetry.ticked(
            TickSummary(
                sweep=snapshot.sweep,
                at=self.now(),
                seconds=(self.now() - started).total_seconds(),
                totals=snapshot.totals,
                live=snapshot.live,
                observed_at=self._observed_at,
                active_limit=limits.active,
                pending_limit=limits.pending,
                gpu_limit=None if limits.gpus is None else float(limits.gpus),
                best=best[0] if best else None,
                trouble=_trouble(self._health.trouble, snapshot.sweep),
            )
        )


def _first_of_ours(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the first error that sweeper raised itself, else the whole group."""
    ours = errors.subgroup(SweeperError)
    found: Exception = ours if ours is not None else errors
    while ours is not None and isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found


def _is_new(action: Action) -> bool:
    """Whether the action brings a training that did not hold a slot before."""
    return isinstance(action, Submit) and action.begins_attempt


def _different(
    live: Sequence[Trial], changes: Sequence[Change], timeouts: TimeoutsSpec
) -> list[Change]:
    """Leave out what is not worth a write: a training that is as it was, only seen again."""
    before = {trial.number: trial for trial in live}
    return [
        change
        for change in changes
        if change.events
        or _essence(change.trial, timeouts) != _essence(before[change.trial.number], timeouts)
    ]


def _essence(trial: Trial, timeouts: TimeoutsSpec) -> tuple[Trial, bool, bool]:
    """Return what of a trial is worth a write; of when it was seen, only what follows from it."""
    submission = trial.submission
    unseen = replace(trial, submission=replace(submission, seen_at=None))
    return unseen, submission.seen_at is None, is_overdue(submission, timeouts)


def _turns(before: SweepRecord, after: SweepRecord) -> Iterator[tuple[str, str]]:
    """Yield what turned with the sweep as a whole, and why."""
    if before.frozen is None and after.frozen is not None:
        yield "frozen", after.frozen
    if before.frozen is not None and after.frozen is None:
        yield "thawed", "the trainings are seen again"
    if before.state is not after.state:
        yield after.state, after.stop_reason


def _trouble(health: str, sweep: SweepRecord) -> str:
    frozen = "" if sweep.frozen is None else f"writes are frozen: {sweep.frozen}"
    return "; ".join(filter(None, (frozen, health))) or _sweep_trouble(sweep)


def _sweep_trouble(sweep: SweepRecord) -> str:
    if sweep.state in {SweepState.OPEN, SweepState.FINISHED}:
        return ""
    return f"{sweep.state} {sweep.stop_reason}".strip()
