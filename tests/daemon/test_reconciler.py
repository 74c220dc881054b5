from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from sweeper.daemon.health import LONGEST_BACK_OFF
from sweeper.daemon.reconciler import Reconciler
from sweeper.domain.caring import VISIBILITY_WINDOW
from sweeper.domain.freezing import MOST_DELETES
from sweeper.domain.outbox import Notice
from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.domain.record import Event, Report, SlotGuard, SweepState, Wish, WishKind
from sweeper.domain.sweep import (
    Goal,
    LimitsSpec,
    ObjectiveSpec,
    ResumeSpec,
    RetryRule,
    RetrySpec,
    TimeoutsSpec,
    UserSuspended,
)
from sweeper.domain.trial import FailureClass, Observation, Trial, TrialState
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    LimitExceededError,
    NotSentError,
    RejectedError,
    StoreError,
    TrainingGoneError,
    TransientError,
)
from sweeper.ports import TrainingRequest
from sweeper.store.memory import MemoryStore
from tests.support.builders import NOW, a_spec, after, an_event
from tests.support.clock import Clock
from tests.support.daemon import World
from tests.support.remote import RUNS_THROUGH, Fault, Remote, lost_answer

ENDLESS = [Phase.RUNNING] * 10**4


AT_START = 2
"""The requests of a new daemon that find out whether its store is up to date."""


async def a_world(**fields: Any) -> World:
    world = World(**fields)
    await world.begin()
    return world


def endless(number: int, attempt: int) -> Sequence[Phase]:
    return ENDLESS


async def states(world: World) -> dict[int, TrialState]:
    return {view.trial.number: view.trial.state for view in await world.store.trials()}


async def sweep_state(world: World) -> SweepState:
    sweep = await world.store.load_sweep()
    assert sweep is not None
    return sweep.state


async def test_a_sweep_runs_to_its_end() -> None:
    world = await a_world(planned=9)

    tick = await world.run(world.daemon())

    assert tick.sweep.state is SweepState.FINISHED
    assert await states(world) == dict.fromkeys(range(9), TrialState.COMPLETED)
    assert world.remote.most_live == 4
    assert len(world.remote.trainings) == 9


async def test_a_settled_sweep_sends_nothing_when_started_again() -> None:
    world = await a_world()
    await world.run(world.daemon())
    world.remote.calls.clear()

    tick = await world.daemon().tick()

    assert tick.settled
    assert world.remote.calls == []


async def test_a_store_without_a_sweep_is_refused() -> None:
    with pytest.raises(StoreError, match="no sweep"):
        await World().daemon().tick()


async def test_the_first_create_goes_alone_and_the_rest_once_it_was_answered() -> None:
    world = await a_world(spec=a_spec(limits=LimitsSpec(active=30)), planned=30)

    await world.daemon().tick()

    assert world.remote.requests("create") == 30


@pytest.mark.parametrize(
    "error", [NotSentError("no connection"), AmbiguousError("503"), AuthError("refused")]
)
async def test_a_first_create_that_fails_is_the_only_one_of_its_tick(
    error: ControlPlaneError,
) -> None:
    world = await a_world(spec=a_spec(limits=LimitsSpec(active=30)), planned=30)
    world.remote.faults = {("create", 1): Fault(error=error)}

    await world.daemon().tick()

    assert world.remote.requests("create") == 1
    assert (await world.store.totals()).next_number == 1


async def test_a_slow_control_plane_is_looked_at_again_before_a_plan_gets_old() -> None:
    class Slow(Remote):
        async def create(self, request: TrainingRequest) -> Observation:
            world.clock.turn(5)
            return await Remote.create(self, request)

    world = await a_world(spec=a_spec(limits=LimitsSpec(active=30)), planned=30)
    world.remote = Slow(now=Clock(), script=endless)

    await world.daemon().tick()

    trials = [view.trial for view in await world.store.trials()]
    assert len(trials) == 9
    # The first went alone, for five seconds; the others are sent after that.
    assert {trial.submission.sent_at for trial in trials} == {NOW, after(seconds=5)}


class TestCost:
    async def test_a_tick_over_a_hundred_trainings_is_one_request_and_no_write(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=100)), planned=10**6)
        world.remote.script = endless
        daemon = world.daemon()
        await world.ticks(daemon, 4)
        kept = Counting(world.store)
        daemon.store = kept
        world.remote.calls.clear()

        await daemon.tick()

        assert world.remote.requests() == 1
        assert kept.written == 0
        assert kept.calls <= 12

    async def test_nothing_is_kept_of_trials_that_are_over(self) -> None:
        world = await a_world(planned=60)
        daemon = world.daemon()

        await world.run(daemon)

        assert len(daemon.observer._read_at) <= 4
        assert len(world.heard.summaries[-1].live) == 0


class Counting(MemoryStore):
    """Another face of a memory store that counts what it is asked for."""

    def __init__(self, store: Any) -> None:
        self.__dict__ = store.__dict__
        self.calls = 0
        self.written = 0

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in {"calls", "written"}:
            self.calls += 1
        return super().__getattribute__(name)

    async def commit(
        self,
        trials: Sequence[Trial],
        events: Sequence[Event] = (),
        *,
        guard: SlotGuard | None = None,
        notices: Sequence[Notice] = (),
    ) -> Sequence[Trial]:
        self.written += len(trials)
        return await super().commit(trials, events, guard=guard, notices=notices)


class TestOutage:
    @pytest.mark.parametrize("has_listing", [True, False])
    @pytest.mark.parametrize(
        "error", [TransientError("503"), NotSentError("no route"), AuthError("401")]
    )
    async def test_hours_of_it_change_no_trial_and_cost_few_requests(
        self, has_listing: bool, error: ControlPlaneError
    ) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=40)), planned=100)
        world.remote.script = endless
        world.remote.has_listing = has_listing
        daemon = world.daemon()
        await world.ticks(daemon, 12)
        before = await world.store.trials()
        world.remote.calls.clear()

        world.remote.down = error
        await _ticks_for(world, daemon, hours=3)

        assert [view.trial.state for view in await world.store.trials()] == [
            view.trial.state for view in before
        ]
        # The calls that find it out, then single probes, further and further apart.
        assert _most_requests_in(world, seconds=10) <= 12
        assert world.remote.requests() <= 12 + timedelta(hours=3) / LONGEST_BACK_OFF
        assert world.heard.summaries[-1].trouble == str(error)

    async def test_one_that_begins_with_the_sweep_costs_few_requests_too(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=100)), planned=500)
        world.remote.down = AmbiguousError("503")

        await _ticks_for(world, world.daemon(), hours=0.2)

        # The calls that find it out, then single probes, further and further apart.
        assert _most_requests_in(world, seconds=10) <= 12
        # Without a look at what is there already, nothing is created.
        assert world.remote.requests("create") == 0

    async def test_the_sweep_goes_on_after_it(self) -> None:
        world = await a_world(planned=6)
        daemon = world.daemon()
        await world.ticks(daemon, 2)
        world.remote.down = TransientError("503")
        await _ticks_for(world, daemon, hours=1)
        world.remote.down = None

        await world.run(daemon)

        assert set((await states(world)).values()) == {TrialState.COMPLETED}
        assert len(world.remote.trainings) == 6

    async def test_a_resume_that_keeps_failing_holds_nobody(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: [Phase.RUNNING, Phase.STOPPED, *RUNS_THROUGH]
        world.remote.faults = {
            ("resume", number): Fault(error=AmbiguousError("503")) for number in range(1, 60)
        }

        await world.run(world.daemon(), ticks=3000)

        assert await states(world) == {0: TrialState.COMPLETED}

    async def test_after_a_failed_create_the_next_one_goes_alone(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=8)), planned=8)
        world.remote.script = endless
        world.remote.faults = {
            ("create", number): Fault(error=AmbiguousError("503")) for number in range(2, 10)
        }

        await world.ticks(world.daemon(), 60)

        sent = Counter(at for at, method in world.remote.calls if method == "create")
        assert list(sent.values())[:3] == [8, 1, 1]
        assert len(world.remote.trainings) == 8

    async def test_a_refused_token_pauses_every_call_for_a_while(self) -> None:
        world = await a_world()
        world.remote.faults = {("create", 1): Fault(error=AuthError("401"))}
        daemon = world.daemon()

        tick = await daemon.tick()
        world.pass_time(50)
        await daemon.tick()

        assert tick.wait == 60.0
        assert world.remote.requests("create") == 1
        assert world.remote.requests() == AT_START + 1

    async def test_forbidden_creates_pause_while_trainings_are_watched(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=2)))
        world.remote.script = endless
        world.remote.faults = {("create", 2): Fault(error=ForbiddenError("403"))}
        daemon = world.daemon()

        await world.ticks(daemon, 100)

        assert world.remote.requests("create") == 2
        assert world.remote.requests("observe") == 100
        assert world.heard.summaries[-1].trouble == "creates are forbidden: 403"
        await world.ticks(daemon, 110)
        assert world.remote.requests("create") == 3


async def _ticks_for(world: World, daemon: Reconciler, *, hours: float) -> None:
    end = world.clock() + timedelta(hours=hours)
    while world.clock() < end:
        tick = await daemon.tick()
        world.pass_time(tick.wait)


def _most_requests_in(world: World, *, seconds: float) -> int:
    times = [at for at, _ in world.remote.calls]
    window = timedelta(seconds=seconds)
    return max(sum(start <= at < start + window for at in times) for start in times)


class TestRefusals:
    async def test_three_equal_ones_stop_the_sweep_whatever_names_they_repeat(self) -> None:
        world = await a_world(planned=100)
        world.remote.faults = {
            ("create", number): Fault(error=RejectedError(f"demo-abcdefghij-{number - 1}-1: image"))
            for number in range(1, 101)
        }

        tick = await world.run(world.daemon())

        assert tick.sweep.state is SweepState.STOPPED
        assert tick.sweep.stop_reason.endswith("refuses its trainings: (its name): image")
        assert world.remote.requests("create") <= 9

    async def test_a_broken_policy_stops_the_sweep_at_once(self) -> None:
        world = await a_world(planned=100)
        refusal = RejectedError("no GPU for you", compliance=True)
        world.remote.faults = {("create", 1): Fault(error=refusal)}

        tick = await world.run(world.daemon())

        assert (tick.sweep.state, world.remote.requests("create")) == (SweepState.STOPPED, 1)

    async def test_different_ones_fail_only_their_trials(self) -> None:
        world = await a_world(planned=6)
        world.remote.faults = {
            ("create", number): Fault(error=RejectedError(f"fault {number}")) for number in (2, 4)
        }

        await world.run(world.daemon())

        failed = [number for number, one in (await states(world)).items() if one == "failed"]
        assert failed == [1, 3]


class TestStoreFailing:
    async def test_an_intent_that_cannot_be_recorded_is_not_carried_out(self) -> None:
        class Full(MemoryStore):
            async def commit(self, *args: Any, **named: Any) -> Sequence[Trial]:
                raise StoreError("the disk is full")

        world = await a_world(store=Full())

        with pytest.raises(StoreError, match="disk is full"):
            await world.daemon().tick()

        assert world.remote.requests() == AT_START

    async def test_an_outcome_that_cannot_be_recorded_ends_the_daemon(self) -> None:
        class FullLater(MemoryStore):
            commits = 0

            async def commit(self, *args: Any, **named: Any) -> Sequence[Trial]:
                self.commits += 1
                if self.commits == 2:
                    raise StoreError("the disk is full")
                return await super().commit(*args, **named)

        world = await a_world(store=FullLater())

        with pytest.raises(StoreError, match="disk is full"):
            await world.daemon().tick()

        assert world.remote.requests("create") == 1
        await world.run(world.daemon())
        assert len(world.remote.trainings) == 4

    async def test_a_limit_that_the_store_finds_exceeded_is_planned_anew(self) -> None:
        class Stricter(MemoryStore):
            refusals = 0

            async def commit(
                self, *args: Any, guard: SlotGuard | None = None, **named: Any
            ) -> Sequence[Trial]:
                if guard is not None and self.refusals < 3:
                    self.refusals += 1
                    raise LimitExceededError("5 active trainings, above the limit of 4")
                return await super().commit(*args, guard=guard, **named)

        world = await a_world(store=Stricter())
        daemon = world.daemon()

        await daemon.tick()
        assert world.remote.requests() == AT_START

        await world.run(daemon)
        assert set((await states(world)).values()) == {TrialState.COMPLETED}

    @pytest.mark.parametrize(("reads_live", "read"), [(True, [0, 1, 2, 3]), (False, [])])
    async def test_live_trials_are_read_at_every_tick_where_nothing_else_tells(
        self, reads_live: bool, read: list[int]
    ) -> None:
        world = await a_world()
        daemon = world.daemon()
        daemon.reads_live = reads_live
        await world.ticks(daemon, 2)
        world.reports_read.clear()

        await daemon.tick()

        assert world.reports_read == read

    async def test_a_bug_of_ours_passes_through_as_it_is(self) -> None:
        world = await a_world()

        async def broken(trials: Sequence[Trial]) -> None:
            if trials:
                raise ZeroDivisionError

        daemon = world.daemon(read_reports=broken)
        world.remote.faults = {("create", 1): Fault(error=RejectedError("400"))}

        with pytest.raises(ExceptionGroup):
            await daemon.tick()


class TestLimits:
    async def test_they_hold_as_the_server_sees_them(self) -> None:
        limits = LimitsSpec(active=3, pending=1, gpus=Fraction(2))
        world = await a_world(
            spec=a_spec(limits=limits), planned=8, gpus=dict.fromkeys(range(8), 1)
        )

        await world.run(world.daemon())

        assert world.remote.most_live <= 2
        assert len(world.remote.trainings) == 8

    async def test_creates_keep_to_their_rate(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=9, submit_per_minute=3)))
        daemon = world.daemon()

        await world.ticks(daemon, 30)

        assert world.remote.requests("create") == 3

    async def test_lowering_them_ends_nothing(self) -> None:
        world = await a_world()
        world.remote.script = endless
        await world.ticks(world.daemon(), 3)
        world.spec = a_spec(limits=LimitsSpec(active=1))

        await world.ticks(world.daemon(), 3)

        assert len([one for one in world.remote.trainings if one.lives]) == 4

    async def test_failures_stop_the_sweep_and_let_the_rest_finish(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=2, failures=1)), planned=50)
        world.remote.script = lambda number, attempt: (
            [Phase.RUNNING, Phase.FAILED] if number == 0 else RUNS_THROUGH
        )

        tick = await world.run(world.daemon())

        assert tick.sweep.stop_reason == "1 trial failed (limits.failures: 1)"
        assert await states(world) == {0: TrialState.FAILED, 1: TrialState.COMPLETED}

    async def test_no_trial_is_new_after_the_deadline(self) -> None:
        limits = LimitsSpec(active=1, deadline=timedelta(minutes=1))
        world = await a_world(spec=a_spec(limits=limits))
        daemon = world.daemon()
        await daemon.tick()
        world.pass_time(60)

        tick = await world.run(daemon)

        assert tick.sweep.state is SweepState.FINISHED
        assert len(await states(world)) == 1

    async def test_no_trial_is_new_once_the_target_is_reached(self) -> None:
        objective = ObjectiveSpec(name="loss", target=0.1)
        world = World(spec=a_spec(limits=LimitsSpec(active=1), objective=objective))
        await world.begin(objective="loss", goal=Goal.MINIMIZE)
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_reports([Report(trial=0, key="a", at=NOW, values={"loss": 0.05})])

        await world.run(daemon)

        assert len(await states(world)) == 1


class TestWishes:
    async def test_a_pause_lets_trainings_go_on_and_starts_none(self) -> None:
        world = await a_world(planned=9)
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))

        await world.ticks(daemon, 10)

        assert await states(world) == dict.fromkeys(range(4), TrialState.COMPLETED)
        assert await sweep_state(world) is SweepState.PAUSED

    async def test_a_suspended_sweep_stops_its_trainings_and_resumes_them_uncounted(self) -> None:
        resume = ResumeSpec(user_suspended=UserSuspended.LEAVE, max=0)
        world = await a_world(spec=a_spec(resume=resume))
        world.remote.script = lambda number, attempt: [*[Phase.RUNNING] * 4, Phase.COMPLETED]
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_wish(Wish(kind=WishKind.SUSPEND, at=NOW))
        await world.ticks(daemon, 8)
        assert {one.phase for one in world.remote.trainings} == {Phase.STOPPED}

        await world.store.add_wish(Wish(kind=WishKind.UNPAUSE, at=NOW))
        await world.run(daemon)

        assert await states(world) == dict.fromkeys(range(4), TrialState.COMPLETED)

    async def test_a_lost_resume_after_a_pause_is_made_again(self) -> None:
        resume = ResumeSpec(user_suspended=UserSuspended.LEAVE)
        world = await a_world(spec=a_spec(resume=resume), planned=1)
        world.remote.faults = {("resume", 1): Fault(error=AmbiguousError("503"))}
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_wish(Wish(kind=WishKind.SUSPEND, at=NOW))
        await world.ticks(daemon, 6)
        await world.store.add_wish(Wish(kind=WishKind.UNPAUSE, at=NOW))

        await world.run(daemon)

        assert await states(world) == {0: TrialState.COMPLETED}

    async def test_a_cancel_deletes_what_lives_and_keeps_what_is_finished(self) -> None:
        world = await a_world(planned=9)
        world.remote.script = lambda number, attempt: ENDLESS if number else RUNS_THROUGH
        daemon = world.daemon()
        await world.ticks(daemon, 5)
        await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW))

        tick = await world.run(daemon)

        assert tick.sweep.state is SweepState.CANCELLED
        assert world.remote.newest(0).deleted_at is None
        assert not any(one.lives for one in world.remote.trainings)

    async def test_a_cancel_finds_a_create_that_was_left_open(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = endless
        world.remote.faults = {("create", 1): lost_answer()}
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW))

        await world.run(daemon)

        assert world.remote.newest(0).deleted_at is not None
        assert await states(world) == {0: TrialState.CANCELLED}

    async def test_a_cancel_deletes_a_training_that_does_not_show_yet(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = endless
        world.remote.lag = timedelta(seconds=40)
        daemon = world.daemon()
        await world.ticks(daemon, 6)
        await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW))

        await world.run(daemon)

        assert not world.remote.newest(0).lives

    async def test_a_cancel_deletes_what_a_listing_has_whatever_else_is_said(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = endless
        daemon = world.daemon()
        await world.ticks(daemon, 6)
        world.clock.turn(VISIBILITY_WINDOW.total_seconds())
        unknown = Fault(error=TrainingGoneError("404"))
        world.remote.faults = {("delete", 1): unknown, ("get", 1): unknown, ("get", 2): unknown}
        await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW))

        await world.run(daemon)

        assert not world.remote.newest(0).lives

    async def test_giving_up_one_trial_leaves_the_others(self) -> None:
        world = await a_world()
        daemon = world.daemon()
        await daemon.tick()
        await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=NOW, trial=2))

        await world.run(daemon)

        settled = await states(world)
        assert settled.pop(2) is TrialState.CANCELLED
        assert set(settled.values()) == {TrialState.COMPLETED}

    async def test_a_retry_reopens_the_sweep_and_what_failed(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=4, failures=1)))
        world.remote.script = lambda number, attempt: (
            [Phase.FAILED] if (number, attempt) == (1, 1) else RUNS_THROUGH
        )
        await world.run(world.daemon())
        await world.store.add_wish(Wish(kind=WishKind.RETRY, at=world.clock()))

        tick = await world.run(world.daemon())

        assert tick.sweep.state is SweepState.FINISHED
        assert await states(world) == dict.fromkeys(range(4), TrialState.COMPLETED)

    async def test_draining_carries_out_wishes_but_submits_nothing(self) -> None:
        world = await a_world()
        await world.store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))

        tick = await world.daemon(drain=True).tick()

        assert (tick.settled, tick.sweep.state) == (True, SweepState.PAUSED)
        assert world.remote.requests() == AT_START


class TestComingBack:
    async def test_a_preemption_is_left_to_the_scheduler(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: [
            *[Phase.RUNNING, Phase.PENDING, Phase.PENDING],
            *RUNS_THROUGH,
        ]

        await world.run(world.daemon())

        assert (await world.trial(0)).submission.preemptions == 1
        assert world.remote.requests("resume", "delete", "create") == 1

    async def test_someone_who_keeps_stopping_a_training_is_not_fought(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: [Phase.RUNNING, Phase.STOPPED] * 50

        tick = await world.run(world.daemon())

        assert tick.settled
        assert tick.sweep.state is SweepState.OPEN
        assert await states(world) == {0: TrialState.HELD}
        assert world.remote.requests("resume") == 3

    async def test_a_held_sweep_goes_on_once_it_is_retried(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: [
            *[Phase.RUNNING, Phase.STOPPED] * 4,
            *RUNS_THROUGH,
        ]
        await world.run(world.daemon())
        await world.store.add_wish(Wish(kind=WishKind.RETRY, at=world.clock()))

        await world.run(world.daemon())

        assert await states(world) == {0: TrialState.COMPLETED}

    async def test_a_training_stuck_in_a_phase_is_replaced(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: (
            [Phase.INITIALIZING] * 10**4 if attempt == 1 else RUNS_THROUGH
        )

        await world.run(world.daemon(), ticks=3000)

        trial = await world.trial(0)
        assert (trial.state, trial.submission.attempt) == (TrialState.COMPLETED, 2)
        assert trial.retries == {FailureClass.TIMEOUT: 1}
        assert world.remote.twice_live == set()

    async def test_a_daemon_that_was_away_looks_before_it_times_anything_out(self) -> None:
        world = await a_world(spec=a_spec(limits=LimitsSpec(active=20)), planned=20)
        world.remote.has_listing = False
        world.remote.script = lambda number, attempt: [Phase.INITIALIZING, *ENDLESS]
        await world.ticks(world.daemon(), 8)
        world.pass_time(7200)

        await world.ticks(world.daemon(), 8)

        assert world.remote.requests("delete") == 0

    async def test_what_a_person_deleted_is_tried_once_more(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = endless
        daemon = world.daemon()
        await world.ticks(daemon, 3)
        for _ in range(2):
            world.remote.newest(0).desired = DesiredPhase.DELETED
            await world.ticks(daemon, 100)

        assert await states(world) == {0: TrialState.FAILED}
        assert (await world.trial(0)).reason == "vanished: deleted while it lived"
        assert len(world.remote.of(0)) == 2

    async def test_what_was_deleted_after_it_completed_is_completed(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = endless
        await world.ticks(world.daemon(), 3)
        training = world.remote.newest(0)
        training.phase, training.deleted_at = Phase.COMPLETED, world.clock()

        await world.run(world.daemon())

        assert await states(world) == {0: TrialState.COMPLETED}

    async def test_a_namesake_of_a_deleted_training_is_left_alone(self) -> None:
        world = await a_world(planned=1)
        daemon = world.daemon()
        await world.ticks(daemon, 2)
        ours = world.remote.newest(0)
        ours.phase, ours.deleted_at = Phase.RUNNING, world.clock()
        other = world.remote.add(ours.name, {"owner": "someone"}, Phase.RUNNING)

        await world.run(daemon)

        assert (other.desired, other.phase) == (DesiredPhase.RUNNING, Phase.RUNNING)
        assert (await world.trial(0)).submission.attempt == 2

    async def test_an_eviction_costs_no_budget(self) -> None:
        world = await a_world(planned=1)
        world.remote.script = lambda number, attempt: (
            [Phase.RUNNING, Phase.FAILED] if attempt < 4 else RUNS_THROUGH
        )
        world.remote.events_of = lambda training: [an_event("Evict", "was preempted")]

        await world.run(world.daemon(), ticks=2000)

        trial = await world.trial(0)
        assert (trial.state, trial.retries) == (TrialState.COMPLETED, {})
        assert trial.submission.attempt == 4

    async def test_an_exit_code_decides_on_a_retry(self) -> None:
        rule = RetryRule(attempts=5, only_exit=frozenset({7}))
        world = await a_world(spec=a_spec(retry=RetrySpec(application=rule)), planned=2)
        world.remote.script = lambda number, attempt: (
            RUNS_THROUGH if attempt == 2 else [Phase.RUNNING, Phase.FAILED]
        )
        world.remote.events_of = lambda training: [
            an_event("Failed", exit_code=7 if training.number else 8)
        ]

        await world.run(world.daemon())

        assert await states(world) == {0: TrialState.FAILED, 1: TrialState.COMPLETED}

    async def test_an_unknown_phase_for_days_changes_nothing(self) -> None:
        timeouts = TimeoutsSpec(running=timedelta(hours=1))
        world = await a_world(spec=a_spec(timeouts=timeouts), planned=1)
        world.remote.script = lambda number, attempt: [
            Phase.RUNNING,
            *[Phase.UNKNOWN] * 300,
            Phase.COMPLETED,
        ]
        daemon = world.daemon()
        await world.ticks(daemon, 3)

        await world.ticks(daemon, 100, seconds=60)

        assert await states(world) == {0: TrialState.ACTIVE}


class TestClock:
    @pytest.mark.parametrize("jump", [-86400, 86400, -3600, 3600])
    async def test_a_jump_at_any_moment_loses_and_doubles_nothing(self, jump: float) -> None:
        for moment in range(1, 12):
            world = await a_world(planned=3, spec=a_spec(limits=LimitsSpec(active=2)))
            world.remote.faults = {("create", 1): lost_answer()}
            daemon = world.daemon()
            await world.ticks(daemon, moment)
            world.clock.jump(jump)

            await world.run(daemon)

            assert await states(world) == dict.fromkeys(range(3), TrialState.COMPLETED)
            assert world.remote.twice_live == set()
            assert len(world.remote.trainings) == 3

    async def test_a_jump_between_two_ticks_does_not_count_as_time(self) -> None:
        world = await a_world(planned=1)
        world.remote.faults = {("create", 1): Fault(error=AmbiguousError("503"))}
        daemon = world.daemon()
        await world.ticks(daemon, 2, seconds=3)
        world.clock.jump(86400)

        await world.ticks(daemon, 4, seconds=3)

        assert world.remote.requests("find") > 2
        assert world.remote.requests("create") == 1

    async def test_a_jump_within_a_tick_does_not_count_as_time(self) -> None:
        class Turning(Remote):
            async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
                if self.requests("find") == 1:
                    world.clock.jump(86400)
                return await Remote.find(self, name, deleted=deleted)

        world = await a_world(planned=1)
        world.remote = Turning(now=Clock(), script=endless)
        world.remote.faults = {("create", 1): Fault(error=AmbiguousError("503"))}
        daemon = world.daemon()

        await world.ticks(daemon, 6, seconds=3)

        assert world.remote.requests("find") > 2
        assert world.remote.requests("create") == 1

    async def test_however_long_it_was_down_a_daemon_waits_out_the_quarantine(self) -> None:
        world = await a_world(planned=1)
        world.remote.faults = {("create", 1): Fault(error=AmbiguousError("503"))}
        await world.ticks(world.daemon(), 2)
        world.clock.jump(86400)

        daemon = world.daemon()
        await world.ticks(daemon, 6, seconds=3)
        assert world.remote.requests("create") == 1

        await world.ticks(daemon, 5, seconds=3)
        assert world.remote.requests("create") == 2

    @pytest.mark.parametrize("restarted", [False, True])
    async def test_set_back_it_holds_up_new_trials_for_a_minute_at_most(
        self, restarted: bool
    ) -> None:
        limits = LimitsSpec(active=9, submit_per_minute=3)
        world = await a_world(planned=60, spec=a_spec(limits=limits))
        daemon = world.daemon()
        await world.ticks(daemon, 400)
        begun = (await world.store.totals()).next_number
        world.clock.jump(-600)
        daemon = world.daemon() if restarted else daemon

        await world.ticks(daemon, 82)

        assert (await world.store.totals()).next_number in {begun + 3, begun + 6}


async def test_reports_are_read_at_the_start_and_before_an_end_is_recorded() -> None:
    world = await a_world(planned=1)

    await world.run(world.daemon())

    assert world.reports_read == [0]


async def test_the_terminal_hears_what_a_tick_saw() -> None:
    limits = LimitsSpec(active=2, pending=2, gpus=Fraction(3, 2))
    world = await a_world(spec=a_spec(limits=limits))
    await world.store.add_wish(Wish(kind=WishKind.PAUSE, at=NOW))
    await world.daemon().tick()

    (summary,) = world.heard.summaries

    assert (summary.active_limit, summary.pending_limit, summary.gpu_limit) == (2, 2, 1.5)
    assert (summary.observed_at, summary.trouble) == (NOW, "paused")


async def test_every_event_of_the_store_is_heard_once() -> None:
    world = await a_world(planned=2)

    await world.run(world.daemon())

    stored = [(event.kind, event.outcome) for event in await world.store.events()]
    assert sorted(stored) == sorted((event.kind, event.outcome) for event in world.heard.events)


async def test_a_tick_that_is_to_stop_begins_no_calls() -> None:
    world = await a_world()
    daemon = world.daemon()
    daemon.is_stopping = True

    await daemon.tick()

    assert world.remote.requests() == AT_START
    assert await states(world) == {}


async def test_a_sweep_that_finished_is_no_trouble() -> None:
    world = await a_world(planned=1)

    await world.run(world.daemon())

    assert world.heard.summaries[-1].trouble == ""


async def test_no_more_than_a_hundred_trainings_are_deleted_within_a_tick() -> None:
    world = await a_world(spec=a_spec(limits=LimitsSpec(active=250)), planned=250)
    world.remote.script = endless
    daemon = world.daemon()
    await world.ticks(daemon, 3)
    await world.store.add_wish(Wish(kind=WishKind.CANCEL, at=world.clock()))

    await daemon.tick()
    assert world.remote.requests("delete") == MOST_DELETES

    await world.run(daemon)
    assert await sweep_state(world) is SweepState.CANCELLED
    assert all(training.deleted_at for training in world.remote.trainings)
