"""One tick: read, fold, plan, record the intents, act, record the outcomes.

A tick starts from the store and the control plane alone. What this object remembers between
ticks (how the control plane was of late) only makes it gentler; a new process with none of it
does the right thing too.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sweeper.clock import SteadyClock
from sweeper.daemon.actions import Done, Hands
from sweeper.daemon.adopting import grant_adoptions
from sweeper.daemon.catching_up import CatchUp
from sweeper.daemon.comparing import compare
from sweeper.daemon.health import Health
from sweeper.daemon.observer import READS_PER_TICK, Observer
from sweeper.daemon.pacing import next_look
from sweeper.daemon.recording import ReadReports, Recorder, worth_a_write
from sweeper.daemon.wishes import grant_wishes
from sweeper.domain.actions import Action, Record, Submit
from sweeper.domain.change import Change
from sweeper.domain.enqueuing import EnqueuedPoint
from sweeper.domain.freezing import few_deletes
from sweeper.domain.leaving import OnExit, not_left_yet
from sweeper.domain.notifying import Daily
from sweeper.domain.outbox import Wanted
from sweeper.domain.planning import RATE_WINDOW, Drafting, Snapshot, guard, plan, sent_at
from sweeper.domain.rebasing import SLACK, shifted, watched_anew
from sweeper.domain.record import Standing, SweepRecord, SweepState, TrialView, WishKind
from sweeper.domain.reminding import Circumstances, reminded
from sweeper.domain.reviewing import (
    EQUAL_REJECTIONS,
    is_drained,
    is_settled,
    not_rejected,
    rejected,
    review,
    target_reached,
)
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import Trial
from sweeper.errors import (
    ControlPlaneError,
    LimitExceededError,
    RejectedError,
    StoreError,
    SweeperError,
)
from sweeper.ports import Store, Telemetry, TickSummary

_log = logging.getLogger(__name__)

PLAN_HOLDS = timedelta(seconds=30)
"""How long calls of one plan are begun; what is left then is planned anew from a fresh look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a tick found: whether anything is left to do, and when to look again (seconds).

    `leaving` counts the trainings that `Reconciler.on_exit` is not done with.
    """

    sweep: SweepRecord
    settled: bool
    wait: float
    leaving: int = 0


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Ticks for one sweep.

    `quarantine` is how long a create left open may still take effect. `drain` means: carry out
    wishes, submit nothing new, and count as settled once that is done. With `reads_live`, live
    trials' reports are read at every tick, not only at the first; with `ramps`, few creates are
    open at once until a training was seen at work. Notices go into the outbox as `notify` and
    `daily` say; `on_notice` hears of new ones, `extend` of points enqueued.
    `is_stopping`, once set, lets a tick in progress begin no further calls. `on_exit`, once set to
    more than LEAVE, begins nothing new and suspends or gives up what is active.
    """

    store: Store
    observer: Observer
    hands: Hands
    draft: Drafting
    telemetry: Telemetry
    spec: SweepSpec
    quarantine: timedelta
    clock: SteadyClock
    read_reports: ReadReports
    reads_live: bool = False
    drain: bool = False
    ramps: bool = False
    notify: Wanted = field(default_factory=dict)
    daily: Daily | None = None
    on_notice: Callable[[], None] = field(default=lambda: None)
    extend: Callable[[Sequence[EnqueuedPoint]], None] = field(default=lambda _: None)
    is_stopping: bool = False
    on_exit: OnExit = OnExit.LEAVE
    _health: Health = field(default_factory=Health)
    _observed_at: datetime | None = None
    _has_ticked: bool = False
    _has_caught_up: bool = False
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self._recorder = Recorder(
            store=self.store,
            telemetry=self.telemetry,
            read_reports=self.read_reports,
            now=self.clock,
            notify=self.notify,
            on_notice=self.on_notice,
        )

    async def tick(self) -> Tick:
        """Bring the sweep one step on.

        Raises:
            StoreError: what was decided cannot be recorded.
        """
        started = await self._follow_clock()
        standing = await self._standing()
        waiting = False
        if standing.wishes:
            waiting = await self._grant(standing)
            standing = await self._standing()
        well, is_news = await self._observe(standing)
        if is_news:
            standing = await self._standing()
        snapshot = await self._snapshot(standing, creates_open=well)
        if self._health.may_call(self.clock()) and await self._act(snapshot):
            standing = await self._standing()
            snapshot = await self._snapshot(standing, creates_open=well)
        self._tell(snapshot, standing.best, started)
        now = self.clock()
        wait = next_look(
            snapshot,
            self._health.failures,
            self._health.calls_after,
            now,
            next_read=self.observer.next_read(snapshot.live, now),
        )
        settled = is_settled(snapshot) or (self.drain and is_drained(snapshot))
        return Tick(
            sweep=snapshot.sweep,
            settled=settled and not waiting,
            wait=wait,
            leaving=len(not_left_yet(snapshot.live, self.on_exit)),
        )

    async def _standing(self) -> Standing:
        standing = await self.store.standing(self.clock() - RATE_WINDOW)
        if standing is None:
            raise StoreError("the store holds no sweep")
        self.extend(standing.sweep.enqueued)
        return standing

    async def _follow_clock(self) -> datetime:
        """Set the clock; move the recorded times along when it jumped, or the machine slept."""
        off = self.clock.set()
        now, has_jumped, is_first = self.clock(), abs(off) > SLACK, not self._has_ticked
        if has_jumped or is_first:
            await self.store.rebase_intents(now)
        if has_jumped:
            _log.warning("The clock jumped by %s, or this machine slept", off)
            await self._move(lambda trial: shifted(trial, off))
        if is_first and self.quarantine:
            await self._move(lambda trial: watched_anew(trial, self.spec.timeouts, now))
        return now

    async def _move(self, moved: Callable[[Trial], Trial]) -> None:
        """Write the live trials with their times moved."""
        standing = await self._standing()
        pairs = [(trial, moved(trial)) for trial in standing.live]
        changes = [Change(trial=after) for before, after in pairs if after is not before]
        await self._recorder.write(standing.sweep, changes)

    async def _grant(self, standing: Standing) -> bool:
        """Carry out what people asked for; return whether some of it must wait."""
        sweep, events = await grant_wishes(
            self.store, standing.sweep, self.clock(), self.spec.repeats
        )
        self.telemetry.recorded(sweep, events)

        async def write(changes: Sequence[Change]) -> None:
            await self._recorder.write(sweep, changes)

        if self._health.may_call(self.clock()):
            return await grant_adoptions(self.store, self.hands, sweep, write)
        return any(wish.kind is WishKind.ADOPT for wish in standing.wishes)

    async def _observe(self, standing: Standing) -> tuple[bool, bool]:
        """Read the trainings and record what changed.

        Returns whether the reading was good, and whether the store may hold anything new.
        """
        health = self._health
        if not health.may_call(self.clock()):
            return False, False
        live = standing.live
        is_first, self._has_ticked = not self._has_ticked, True
        if is_read := is_first or self.reads_live:
            await self.read_reports(live)
        reads = 1 if health.failures else READS_PER_TICK
        try:
            changes = await self.observer.observe(live, self.clock(), reads=reads)
            unknown = await self._unknown(standing)
        except ControlPlaneError as error:
            health.fail(error, self.clock())
            return False, is_read
        health.read_well()
        self._observed_at = self.clock()
        taken = {change.trial.number for change in unknown}
        known = [change for change in changes if change.trial.number not in taken]
        news = [*worth_a_write(live, known, self.spec.timeouts), *unknown]
        written = await self._recorder.write(standing.sweep, news)
        self._has_caught_up = True
        return True, is_read or bool(written)

    async def _unknown(self, standing: Standing) -> Sequence[Change]:
        """Return what the store does not know of, being put back from an older copy."""
        if self._has_caught_up or standing.sweep.ended_at is not None:
            return ()
        behind = CatchUp(
            store=self.store,
            hands=self.hands,
            draft=self.draft,
            sweep=standing.sweep,
            quarantine=self.quarantine,
        )
        return await behind.changes()

    async def _snapshot(self, standing: Standing, *, creates_open: bool) -> Snapshot:
        """Return what a plan depends on, the sweep as a whole reviewed and recorded."""
        deadline = self.spec.limits.deadline
        before, now = standing.sweep, self.clock()
        late = deadline is not None and now - before.created_at >= deadline
        is_left = before.planned is None or standing.totals.next_number < before.planned
        around = Circumstances(is_late=late and is_left, refusal=self._health.refusal)
        sweep = reminded(before, standing.live, around, self.daily, now)
        may_create = creates_open and self._health.may_create(now)
        snapshot = Snapshot(
            sweep=sweep,
            spec=self.spec,
            live=standing.live,
            totals=standing.totals,
            planned=before.planned,
            submitted=standing.submitted,
            exhausted=late or target_reached(self.spec.objective, standing.best),
            creates_open=may_create and not self.drain and self.on_exit is OnExit.LEAVE,
            quarantine=self.quarantine,
            ramps=self.ramps,
            on_exit=self.on_exit,
            comparison=await compare(self.store, self.spec),
        )
        after = review(snapshot, now)
        if after is before:
            return snapshot
        await self._recorder.save_sweep(before, after)
        return replace(snapshot, sweep=after)

    async def _act(self, snapshot: Snapshot) -> bool:
        """Record and carry out a plan, batch by batch; return whether there was anything to do.

        A batch is what may be called side by side. After a bad one the rest, of which nothing is
        recorded, is planned anew at the next tick.
        """
        planned_at, sweep = self.clock(), snapshot.sweep
        rest = self._bounded(few_deletes(plan(snapshot, self.draft, planned_at)))
        acted = bool(rest)
        while rest and not self.is_stopping and self.clock() - planned_at < PLAN_HOLDS:
            size = self._health.calls_at_once
            records = [action for action in rest if isinstance(action, Record)]
            calls = [action for action in rest if not isinstance(action, Record)]
            try:
                done = await self._act_together(sweep, [*records, *calls[:size]])
            except LimitExceededError as error:
                # What the store counts as too many is planned anew, if at all.
                _log.warning("New trials wait: %s", error)
                rest = [action for action in rest if not action.takes_slot]
                continue
            sweep = await self._answer_for(sweep, done)
            if done and not (self._health.is_proven and sweep.rejections < EQUAL_REJECTIONS):
                break
            rest = self._bounded(calls[size:])
        return acted

    def _bounded(self, actions: Sequence[Action]) -> Sequence[Action]:
        """Leave out creates while they pause, and all but one after a create that failed."""
        if self._health.is_creating_well:
            return actions
        creates = [action for action in actions if isinstance(action, Submit)]
        others = [action for action in actions if not isinstance(action, Submit)]
        return [*others, *creates[:1]] if self._health.may_create(self.clock()) else others

    async def _act_together(self, sweep: SweepRecord, actions: Sequence[Action]) -> Sequence[Done]:
        """Record the intents in one transaction, then carry them out side by side."""
        intended = await self._intend(sweep, actions)
        calls = [action for action in intended if not isinstance(action, Record)]
        done: list[Done] = []

        async def carry_out(action: Action) -> None:
            self.store.check_owned()
            outcome = await self.hands.carry_out(action)
            await self._recorder.settle(sweep, outcome.change)
            done.append(outcome)

        try:
            async with asyncio.TaskGroup() as group:
                for action in calls:
                    name = f"{type(action).__name__} {action.trial.number}"
                    group.create_task(carry_out(action), name=name)
        except ExceptionGroup as errors:
            raise _first_of_ours(errors) from errors
        return done

    async def _intend(self, sweep: SweepRecord, actions: Sequence[Action]) -> Sequence[Action]:
        """Record the intents; return the actions that were, with their trials as written."""
        now = self.clock()
        actions = [sent_at(one, now) if isinstance(one, Submit) else one for one in actions]
        takes = any(action.takes_slot for action in actions)
        bound = guard(self.spec.limits, now) if takes else None
        intents = [Change(trial=action.trial, events=action.events) for action in actions]
        written = await self._recorder.write(sweep, intents, bound)
        return [
            replace(action, trial=trial) for action, trial in zip(actions, written, strict=True)
        ]

    async def _answer_for(self, sweep: SweepRecord, done: Sequence[Done]) -> SweepRecord:
        """Draw what follows for the sweep as a whole; return it as recorded."""
        if not done:
            return sweep
        self._health.called([outcome.error for outcome in done], self.clock())
        after = sweep
        for outcome in done:
            if isinstance(outcome.action, Submit):
                after = self._answer_for_create(after, outcome)
        if after != sweep:
            await self._recorder.save_sweep(sweep, after)
        return after

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
                self._health.create_failed(error, self.clock())
                return sweep

    def _tell(self, snapshot: Snapshot, best: TrialView | None, started: datetime) -> None:
        limits = self.spec.limits
        self.telemetry.ticked(
            TickSummary(
                sweep=snapshot.sweep,
                at=self.clock(),
                seconds=(self.clock() - started).total_seconds(),
                totals=snapshot.totals,
                live=snapshot.live,
                observed_at=self._observed_at,
                active_limit=limits.active,
                pending_limit=limits.pending,
                gpu_limit=None if limits.gpus is None else float(limits.gpus),
                best=best,
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


def _trouble(health: str, sweep: SweepRecord) -> str:
    frozen = "" if sweep.frozen is None else f"writes are frozen: {sweep.frozen}"
    return "; ".join(filter(None, (frozen, health))) or _sweep_trouble(sweep)


def _sweep_trouble(sweep: SweepRecord) -> str:
    is_well = sweep.state in {SweepState.OPEN, SweepState.FINISHED}
    return "" if is_well else f"{sweep.state} {sweep.stop_reason}".strip()
