"""Small sweeps that between them do everything a daemon can do, for dying in the middle of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sweeper.domain.record import SweepState, WishKind
from sweeper.domain.trial import TrialState
from sweeper.local.faults.operations import Operation
from sweeper.local.faults.plan import (
    NO_FAULTS,
    Delete,
    Drop,
    FaultPlan,
    Happening,
    Latency,
    ListingLag,
    Preempt,
    Rule,
    RuleStop,
    Status,
)
from sweeper.local.simulation import Fixed, SimulationPlan
from tests.support.simulated_daemon import sweep_text

COMPLETED = frozenset({TrialState.COMPLETED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for `at` seconds after the start; without `trial`, of the whole sweep."""

    at: float
    kind: WishKind
    trial: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSweep:
    """A sweep, what befalls it, and how it may end.

    `wishes` are what a person asks for. `ends` are the states in which trials may end;
    `attempts` is how many trainings each may have had. `failures` of them stop it. `adopts` is
    whether somebody gives trials that are held their trainings.
    """

    name: str
    trials: int
    active: int
    more: str = ""
    simulation: SimulationPlan = field(
        default_factory=lambda: SimulationPlan(
            seed=1, startup=0.5, duration=Fixed(seconds=4), term_seconds=0.5
        )
    )
    plan: FaultPlan = NO_FAULTS
    wishes: tuple[Asked, ...] = ()
    ends: frozenset[TrialState] = COMPLETED
    state: SweepState = SweepState.FINISHED
    attempts: int = 1
    failures: int = 1_000_000
    adopts: bool = False

    @property
    def text(self) -> str:
        """The sweep's file; a failure is counted by us alone."""
        text = sweep_text(self.trials, self.active, backoffLimit=0) + self.more
        return text.replace("limits: {", f"limits: {{failures: {self.failures}, ")


# A create takes a while, so that a death finds others under way.
SLOW_CREATES = Rule(fault=Latency(seconds=0.2), on=(Operation.CREATE,))
LAG = Rule(fault=ListingLag(seconds=1))
REPEAT = "retry: {application: {attempts: 1, backoff: 1}, vanished: {attempts: 1, backoff: 1}}\n"
RESUME = "resume: {backoff: 1}\n"

PLAIN = SmallSweep(name="plain", trials=3, active=2, plan=FaultPlan(rules=(SLOW_CREATES,)))

AMBIGUOUS = SmallSweep(
    name="ambiguous",
    trials=3,
    active=2,
    plan=FaultPlan(
        rules=(
            LAG,
            SLOW_CREATES,
            Rule(fault=Drop(when="after"), on=(Operation.CREATE,), every=2, times=1),
            Rule(fault=Status(when="before"), on=(Operation.CREATE,), every=3, times=1),
            Rule(fault=Status(when="before"), on=(Operation.LIST,), every=7, times=2),
        )
    ),
)

INTERRUPTED = SmallSweep(
    name="interrupted",
    trials=2,
    active=2,
    more=RESUME,
    simulation=SimulationPlan(seed=1, startup=2, duration=Fixed(seconds=8), term_seconds=1),
    plan=FaultPlan(
        rules=(Rule(fault=Drop(when="after"), on=(Operation.RESUME,), every=2, times=1),),
        happenings=(
            Happening(misfortune=RuleStop(share=0.5), at=4),
            Happening(misfortune=Preempt(share=0.5), at=7),
            Happening(misfortune=RuleStop(), at=13),
        ),
    ),
)

FAILING = SmallSweep(
    name="failing",
    trials=3,
    active=2,
    more=REPEAT,
    simulation=SimulationPlan(
        seed=9, startup=0.5, duration=Fixed(seconds=2), term_seconds=0.5, failures=0.5
    ),
    ends=frozenset({TrialState.COMPLETED, TrialState.FAILED}),
    attempts=2,
)

VANISHING = SmallSweep(
    name="vanishing",
    trials=2,
    active=2,
    more=REPEAT,
    plan=FaultPlan(happenings=(Happening(misfortune=Delete(share=0.5), at=3),)),
    attempts=2,
)

PAUSED = SmallSweep(
    name="paused",
    trials=3,
    active=2,
    wishes=(
        Asked(1, WishKind.PAUSE),
        Asked(3, WishKind.UNPAUSE),
        Asked(5, WishKind.SUSPEND),
        Asked(9, WishKind.UNPAUSE),
    ),
    simulation=SimulationPlan(seed=1, startup=0.5, duration=Fixed(seconds=8), term_seconds=0.5),
    plan=FaultPlan(rules=(Rule(fault=Drop(when="after"), on=(Operation.SUSPEND,), times=1),)),
)

CANCELLED = SmallSweep(
    name="cancelled",
    trials=4,
    active=2,
    wishes=(Asked(2, WishKind.SUSPEND), Asked(5, WishKind.CANCEL)),
    plan=FaultPlan(
        rules=(
            SLOW_CREATES,
            Rule(fault=Drop(when="after"), on=(Operation.CREATE,), every=2, times=1),
            Rule(fault=Drop(when="after"), on=(Operation.DELETE,), times=1),
        )
    ),
    ends=frozenset({TrialState.CANCELLED, TrialState.COMPLETED}),
    state=SweepState.CANCELLED,
)

# Trials fail and are tried again on demand, and one that runs is given up.
RETRIED = SmallSweep(
    name="retried",
    trials=4,
    active=2,
    simulation=SimulationPlan(
        seed=9, startup=0.5, duration=Fixed(seconds=3), term_seconds=0.5, failures=0.5
    ),
    wishes=(Asked(5, WishKind.RETRY), Asked(8, WishKind.CANCEL, 3), Asked(9, WishKind.RETRY)),
    ends=frozenset({TrialState.COMPLETED, TrialState.FAILED, TrialState.CANCELLED}),
    attempts=3,
)

_NO_LISTING = tuple(
    Rule(fault=Status(status=404), on=(operation,))
    for operation in (Operation.LIST, Operation.COUNT, Operation.EVENTS, Operation.WORKLOAD)
)

GET_ONLY = SmallSweep(
    name="get only",
    trials=3,
    active=2,
    plan=FaultPlan(
        rules=(
            SLOW_CREATES,
            *_NO_LISTING,
            Rule(fault=Drop(when="after"), on=(Operation.CREATE,), every=2, times=1),
            Rule(fault=Status(when="before"), on=(Operation.CREATE,), every=3, times=1),
        )
    ),
    # What was created and never answered cannot be found there: a person must look.
    adopts=True,
)

STOPPED = SmallSweep(
    name="stopped",
    trials=4,
    active=2,
    simulation=SimulationPlan(seed=1, startup=0.5, duration=Fixed(seconds=2), failures=1.0),
    ends=frozenset({TrialState.FAILED}),
    state=SweepState.STOPPED,
    failures=1,
)

SWEEPS: Mapping[str, SmallSweep] = {
    sweep.name: sweep
    for sweep in (
        PLAIN,
        AMBIGUOUS,
        INTERRUPTED,
        FAILING,
        VANISHING,
        PAUSED,
        CANCELLED,
        RETRIED,
        GET_ONLY,
        STOPPED,
    )
}
