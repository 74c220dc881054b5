"""One daemon process over a store and a remote that outlive it, and a clock that tests turn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

from sweeper.clock import SteadyClock
from sweeper.daemon.actions import Hands
from sweeper.daemon.observer import Observer
from sweeper.daemon.reconciler import Reconciler, Tick
from sweeper.daemon.recording import ReadReports
from sweeper.domain.expansion import Expansion
from sweeper.domain.notifying import Daily
from sweeper.domain.outbox import Wanted
from sweeper.domain.planning import Draft
from sweeper.domain.record import Event, SweepRecord, Wish, WishKind
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import Observation, Trial
from sweeper.domain.values import Params
from sweeper.ports import ControlPlane, Store, TickSummary, TrainingRequest
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, QUARANTINE, a_draft, a_spec, a_sweep
from tests.support.clock import Clock
from tests.support.remote import Remote


@dataclass(slots=True, kw_only=True)
class Heard:
    """Telemetry that remembers what it heard; `on_tick` is called at the end of each tick."""

    events: list[Event] = field(default_factory=list)
    summaries: list[TickSummary] = field(default_factory=list)
    on_tick: Callable[[], None] = field(default=lambda: None)

    def recorded(self, sweep: SweepRecord, events: Sequence[Event]) -> None:
        self.events += events

    def ticked(self, summary: TickSummary) -> None:
        self.summaries.append(summary)
        self.on_tick()

    def outcomes(self, kind: str) -> list[str]:
        """Return the outcomes of the events of one kind, in order."""
        return [event.outcome for event in self.events if event.kind == kind]


def request_of(trial: Trial) -> TrainingRequest:
    """Render what a create sends, with the labels that prove whose it is."""
    return TrainingRequest(
        name=trial.submission.workload_name,
        project_id="project",
        cluster_id="cluster",
        spec={"labels": labels_of(trial)},
    )


def labels_of(trial: Trial) -> Mapping[str, str]:
    """Return the labels of a trial's newest attempt."""
    return {"trial": str(trial.number), "digest": trial.submission.digest}


def is_ours(trial: Trial, seen: Observation) -> bool:
    """Whether a training carries the name and the labels of a trial's newest attempt."""
    return seen.name == trial.submission.workload_name and seen.labels == labels_of(trial)


@dataclass(slots=True, kw_only=True)
class World:
    """What outlives a daemon: its store, the control plane, the clock; and how a sweep is meant.

    The control plane has a clock of its own, which never jumps.

    `wishes` are made while `run` goes on, each so many seconds after `NOW`, and so are those of
    `points` to be enqueued. With `draws`, params follow from `spec`, as in a real daemon.
    """

    planned: int | None = 4
    spec: SweepSpec = field(default_factory=a_spec)
    quarantine: timedelta = QUARANTINE
    ramps: bool = False
    notify: Wanted = field(default_factory=dict)
    daily: Daily | None = None
    gpus: Mapping[int, int] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    store: Store = field(default_factory=MemoryStore)
    heard: Heard = field(default_factory=Heard)
    reports_read: list[int] = field(default_factory=list)
    wishes: list[tuple[float, WishKind]] = field(default_factory=list)
    points: list[tuple[float, Params]] = field(default_factory=list)
    draws: bool = False
    remote: Remote = field(init=False)

    def __post_init__(self) -> None:
        self.remote = Remote(now=Clock(self.clock()))

    async def begin(self, **fields: object) -> None:
        """Write the sweep into the store, as `run` does before the first tick."""
        await self.store.save_sweep(a_sweep(planned=self.planned, **fields))

    def daemon(
        self,
        *,
        store: Store | None = None,
        control_plane: ControlPlane | None = None,
        drain: bool = False,
        read_reports: ReadReports | None = None,
    ) -> Reconciler:
        """Return a new daemon, which knows only what is stored."""
        plane = control_plane or self.remote
        clock = SteadyClock(self.clock, self.clock.seconds)

        async def remember(trials: Sequence[Trial]) -> None:
            self.reports_read += [trial.number for trial in trials]

        expansion = Expansion(self.spec)

        def draft(number: int, attempt: int, params: Params | None) -> Draft:
            drawn = expansion.params(number) if self.draws and params is None else params
            return self.draft(number, attempt, drawn)

        async def write_files(files: Mapping[str, str]) -> None:
            return None

        return Reconciler(
            store=store or self.store,
            observer=Observer(
                control_plane=plane, prefix=a_sweep().workload_prefix, policy=self.spec.resume
            ),
            hands=Hands(
                control_plane=plane,
                spec=self.spec,
                request=request_of,
                is_ours=is_ours,
                write_files=write_files,
                now=clock,
            ),
            draft=draft,
            extend=expansion.extend,
            telemetry=self.heard,
            spec=self.spec,
            quarantine=self.quarantine,
            clock=clock,
            read_reports=read_reports or remember,
            drain=drain,
            ramps=self.ramps,
            notify=self.notify,
            daily=self.daily,
        )

    def draft(self, number: int, attempt: int, params: Params | None) -> Draft:
        """Draft an attempt that asks for what `gpus` says."""
        return a_draft(number, attempt, params, Fraction(self.gpus.get(number, 0)))

    async def run(self, daemon: Reconciler, *, ticks: int = 400) -> Tick:
        """Tick until all is settled; each tick takes the time that it asks for."""
        for _ in range(ticks):
            await self._wish()
            tick = await daemon.tick()
            if tick.settled:
                return tick
            self.pass_time(tick.wait)
        raise AssertionError(f"not settled after {ticks} ticks: {await self.store.live_trials()}")

    async def _wish(self) -> None:
        while self.wishes and self.clock() >= NOW + timedelta(seconds=self.wishes[0][0]):
            _, kind = self.wishes.pop(0)
            await self.store.add_wish(Wish(kind=kind, at=self.clock()))
        while self.points and self.clock() >= NOW + timedelta(seconds=self.points[0][0]):
            _, params = self.points.pop(0)
            await self.store.add_wish(Wish(kind=WishKind.ENQUEUE, at=self.clock(), params=params))

    async def ticks(self, daemon: Reconciler, count: int, *, seconds: float = 1.5) -> Tick:
        """Tick `count` times, `seconds` apart, and return the last."""
        tick = await daemon.tick()
        for _ in range(count - 1):
            self.pass_time(seconds)
            tick = await daemon.tick()
        return tick

    def pass_time(self, seconds: float) -> None:
        """Let time pass here and on the control plane."""
        self.clock.turn(seconds)
        self.remote.now.turn(seconds)
        self.remote.step()

    async def trial(self, number: int) -> Trial:
        """Return a trial as stored."""
        view = await self.store.trial(number)
        assert view is not None
        return view.trial
