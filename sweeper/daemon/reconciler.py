"""One tick: read, fold, plan, record the intents, act, record the outcomes.

A tick starts from the store and the control plane alone. What this object remembers between
ticks (when calls may go on, whether reading failed) only makes it gentler; a new process with
none of it does the right thing too.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sweeper.daemon.actions import Done, Hands
from sweeper.daemon.observer import Observer
from sweeper.daemon.pacing import next_look
from sweeper.daemon.wishes import grant_wishes
from sweeper.domain.actions import Action, Record, Submit
from sweeper.domain.change import Change, merged
from sweeper.domain.planning import RATE_WINDOW, Drafting, Snapshot, guard, plan
from sweeper.domain.record import Event, EventKind, SlotGuard, SweepRecord, SweepState
from sweeper.domain.reviewing import is_settled, rejected, review, target_reached
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import Trial
from sweeper.errors import (
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    RejectedError,
    StoreError,
    SweeperError,
)
from sweeper.ports import Now, Store, Telemetry, TickSummary

_log = logging.getLogger(__name__)

AUTH_PAUSE = timedelta(seconds=60)
FORBIDDEN_PAUSE = timedelta(minutes=5)


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
    open may still take effect. `drain` means: carry out wishes, submit nothing new.
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
    _trouble: str = ""
    _failures: int = 0
    _create_failures: int = 0
    _calls_after: datetime | None = None
    _creates_after: datetime | None = None
    _observed_at: datetime | None = None
    _has_ticked: bool = False

    async def tick(self) -> Tick:
        """Bring the sweep one step on.

        Raises:
            StoreError: what was decided cannot be recorded.
        """
        started = self.now()
        sweep = await self._sweep()
        sweep, events = await grant_wishes(self.store, sweep, self.now())
        self.telemetry.recorded(sweep, events)
        well = await self._observe(sweep)
        snapshot = await self._snapshot(sweep, creates_open=well)
        sweep = await self._review(snapshot)
        snapshot = replace(snapshot, sweep=sweep)
        acted = await self._act(snapshot) if self._may_call() else ()
        if acted:
            snapshot = await self._snapshot(await self._sweep(), creates_open=well)
            snapshot = replace(snapshot, sweep=await self._review(snapshot))
        await self._tell(snapshot, started)
        return Tick(
            sweep=snapshot.sweep,
            settled=is_settled(snapshot),
            wait=next_look(snapshot, self._failures, self._calls_after, self.now()),
        )

    async def _sweep(self) -> SweepRecord:
        sweep = await self.store.load_sweep()
        if sweep is None:
            raise StoreError("the store holds no sweep")
        return sweep

    def _may_call(self) -> bool:
        return self._calls_after is None or self.now() >= self._calls_after

    async def _observe(self, sweep: SweepRecord) -> bool:
        """Read the trainings and record what changed; return whether the reading was good."""
        if not self._may_call():
            return False
        live = await self.store.live_trials()
        if not self._has_ticked:
            await self.read_reports(live)
            self._has_ticked = True
        try:
            changes = await self.observer.observe(live, self.now())
        except ControlPlaneError as error:
            self._unwell(error)
            return False
        self._failures, self._calls_after, self._trouble = 0, None, ""
        self._observed_at = self.now()
        await self._write(sweep, _different(live, changes))
        return True

    def _unwell(self, error: ControlPlaneError) -> None:
        """Leave the control plane alone for a while; nothing follows for any trial."""
        self._failures += 1
        wait = AUTH_PAUSE if isinstance(error, AuthError) else _back_off(self._failures)
        self._calls_after = self.now() + max(wait, _asked_wait(error))
        if self._trouble != str(error):
            _log.warning("The control plane cannot be used for now: %s", error)
        self._trouble = str(error)

    async def _snapshot(self, sweep: SweepRecord, *, creates_open: bool) -> Snapshot:
        live = tuple(await self.store.live_trials())
        best = await self.store.best_trials(1)
        deadline = self.spec.limits.deadline
        now = self.now()
        late = deadline is not None and now - sweep.created_at >= deadline
        forbidden = self._creates_after is not None and now < self._creates_after
        return Snapshot(
            sweep=sweep,
            spec=self.spec,
            live=live,
            totals=await self.store.totals(),
            planned=self.planned,
            submitted=await self.store.submissions_since(now - RATE_WINDOW),
            exhausted=late or target_reached(self.spec.objective, best[0] if best else None),
            creates_open=creates_open and not forbidden and not self.drain,
            quarantine=self.quarantine,
        )

    async def _review(self, snapshot: Snapshot) -> SweepRecord:
        after = review(snapshot, self.now())
        if after is not snapshot.sweep:
            await self._save_sweep(snapshot.sweep, after)
        return after

    async def _save_sweep(self, before: SweepRecord, after: SweepRecord) -> None:
        events: tuple[Event, ...] = ()
        if before.state is not after.state:
            event = Event(
                at=self.now(), kind=EventKind.SWEEP, outcome=after.state, detail=after.stop_reason
            )
            events = (event,)
        await self.store.save_sweep(after, events)
        self.telemetry.recorded(after, events)

    async def _act(self, snapshot: Snapshot) -> Sequence[Done]:
        """Record the intents of a plan in one transaction, then carry them out side by side."""
        actions = plan(snapshot, self.draft, self.now())
        if not actions:
            return ()
        intents = [Change(trial=action.trial, events=action.events) for action in actions]
        bound = guard(self.spec.limits, self.now()) if any(map(_is_new, actions)) else None
        written = await self._write(snapshot.sweep, intents, bound)
        calls = [
            replace(action, trial=trial)
            for action, trial in zip(actions, written, strict=True)
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
        await self._answer_for(done)
        return done or [Done(action=actions[0], change=intents[0])]

    async def _answer_for(self, done: Sequence[Done]) -> None:
        """Draw the consequences that outcomes have for the sweep as a whole."""
        sweep = before = await self._sweep()
        for outcome in done:
            if isinstance(outcome.error, AuthError):
                self._unwell(outcome.error)
            elif isinstance(outcome.action, Submit):
                sweep = self._answer_for_create(sweep, outcome.error)
        if sweep != before:
            await self._save_sweep(before, sweep)

    def _answer_for_create(
        self, sweep: SweepRecord, error: ControlPlaneError | None
    ) -> SweepRecord:
        match error:
            case None:
                self._create_failures = 0
                return replace(sweep, rejection="", rejections=0) if sweep.rejections else sweep
            case RejectedError():
                return rejected(sweep, str(error), compliance=error.compliance)
            case ForbiddenError():
                self._creates_after = self.now() + FORBIDDEN_PAUSE
                self._trouble = f"creates are forbidden: {error}"
                _log.error("Creates pause for %s: %s", FORBIDDEN_PAUSE, error)
            case _:
                self._create_failures += 1
                wait = max(_back_off(self._create_failures), _asked_wait(error))
                self._creates_after = self.now() + wait
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
                trouble=self._trouble or _sweep_trouble(snapshot.sweep),
            )
        )


def _back_off(failures: int) -> timedelta:
    """Return how long to leave a control plane alone that failed so often in a row."""
    return timedelta(seconds=min(2.0 * 1.5 ** min(failures, 12), 60.0))


def _asked_wait(error: ControlPlaneError) -> timedelta:
    """Return how long the control plane itself asked to be left alone."""
    return timedelta(seconds=getattr(error, "retry_after", None) or 0)


def _first_of_ours(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the first error that sweeper raised itself, else the whole group."""
    ours = errors.subgroup(SweeperError)
    found: Exception = ours if ours is not None else errors
    while ours is not None and isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found


def _is_new(action: Action) -> bool:
    """Whether the action brings a training that did not hold a slot before."""
    if not isinstance(action, Submit):
        return False
    before = action.before
    return before is None or before.submission.attempt != action.trial.submission.attempt


def _different(live: Sequence[Trial], changes: Sequence[Change]) -> list[Change]:
    """Leave out what is not worth a write: a training that is as it was, only seen again."""
    before = {trial.number: trial for trial in live}
    return [
        change
        for change in changes
        if change.events or _essence(change.trial) != _essence(before[change.trial.number])
    ]


def _essence(trial: Trial) -> Trial:
    return replace(trial, submission=replace(trial.submission, seen_at=None))


def _sweep_trouble(sweep: SweepRecord) -> str:
    return "" if sweep.state is SweepState.OPEN else f"{sweep.state} {sweep.stop_reason}".strip()
