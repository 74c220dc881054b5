"""What no fault may bring about, judged by what the server wrote down (invariants I1-I16).

Each check yields what it found wrong. The daemon's own record is asked only for what is a claim
about it: that it agrees with the server in the end, and settled each trial once.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, SweepRecord, SweepState, Totals
from sweeper.domain.trial import FailureClass, Submission, TrialState
from sweeper.ports import Store
from tests.simulation.conduct import fenced, lowered, repeats, stopped
from tests.simulation.history import Actor, Deed, Entry, History
from tests.simulation.scenario import OUTAGES, Scenario
from tests.simulation.server import Training
from tests.simulation.violation import Violation
from tests.support.daemon import Heard

UNTIL_OPEN = 20
"""How many requests of one daemon an outage may see before the breakers are open."""

PROBE_SECONDS = 3.0
"""Not more often than that does one daemon ask afterwards."""

_ENDS = frozenset({Phase.COMPLETED, Phase.FAILED, Deed.DELETED, Deed.ERASED})
_GIVEN_UP = frozenset({TrialState.CANCELLED, TrialState.PRUNED})
_FINAL = frozenset(state.value for state in TrialState if state.is_terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What is left in the end: on the server, in the store, and of the telemetry."""

    trainings: Sequence[Training] = ()
    sweep: SweepRecord | None = None
    states: Mapping[int, TrialState] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    submissions: Mapping[int, Sequence[Submission]] = field(default_factory=dict)
    retries: Mapping[int, Mapping[FailureClass, int]] = field(default_factory=dict)
    events: Sequence[Event] = ()
    totals: Totals = field(default_factory=Totals)
    shown: Totals | None = None

    @classmethod
    async def of(cls, store: Store, trainings: Collection[Training], heard: Heard) -> Self:
        """Read it all."""
        views = await store.trials(limit=10_000)
        return cls(
            trainings=list(trainings),
            sweep=await store.load_sweep(),
            states={view.trial.number: view.trial.state for view in views},
            reasons={view.trial.number: view.trial.reason for view in views},
            submissions={
                view.trial.number: await store.submissions(view.trial.number) for view in views
            },
            retries={view.trial.number: view.trial.retries for view in views},
            events=await store.events(limit=1_000_000),
            totals=await store.totals(),
            shown=heard.summaries[-1].totals if heard.summaries else None,
        )


def violations(
    scenario: Scenario, history: History, remains: Remains, limits: Sequence[tuple[float, int]]
) -> Iterator[Violation]:
    """Yield everything that is wrong with a world that has come to its end.

    `limits` are the active limits of the daemons, with the times at which they began.
    """
    abandoned = _abandoned(scenario, remains)
    parks = scenario.sweep.early is not None
    yield from at_every_instant(history, limits, abandoned, parks=parks)
    yield from unintended(history)
    yield from touched(history)
    yield from outcomes(scenario, history, remains, abandoned)
    yield from orphans(remains, abandoned)
    yield from settled(history, remains)
    yield from budgets(scenario, history, remains)
    yield from resumes(scenario, history)
    yield from counts(remains)
    yield from storms(scenario, history)
    yield from fenced(remains.events)
    yield from stopped(history)
    yield from lowered(history, limits, abandoned, parks=parks)
    yield from repeats(history)


def _abandoned(scenario: Scenario, remains: Remains) -> Collection[int]:
    """Return the trials that may have left a training behind: without a listing, those given up
    over a create that nobody answered. Nothing there can find what it made.
    """
    if scenario.api.has_listing:
        return frozenset()
    return frozenset(
        number
        for number, attempts in remains.submissions.items()
        if remains.states[number] in _GIVEN_UP | {TrialState.FAILED}
        and attempts[-1].workload_id is None
    )


def at_every_instant(
    history: History,
    limits: Sequence[tuple[float, int]],
    abandoned: Collection[int] = (),
    *,
    parks: bool = False,
) -> Iterator[Violation]:
    """I1, I2, I5: one training of a trial at a time, no more than the limit, none after the end.

    Where early stopping `parks` trials, a training that is stopped counts towards no limit.
    """
    living: dict[str, Entry] = {}
    completed: set[int] = set()
    for line in history.entries:
        if line.trial is None or line.trial in abandoned:
            continue
        if line.what is Deed.CREATED:
            twins = [one.name for one in living.values() if one.trial == line.trial]
            if twins:
                yield Violation("I1", f"{line.name} was created while {twins[0]} lived")
            if line.trial in completed:
                yield Violation("I5", f"{line.name} was created after its trial was completed")
            living[line.workload_id] = line
        elif line.what in _ENDS:
            living.pop(line.workload_id, None)
            if line.what is Phase.COMPLETED:
                completed.add(line.trial)
    yield from _too_many(history, max(limit for _, limit in limits), abandoned, parks=parks)


def _too_many(
    history: History, bound: int, abandoned: Collection[int], *, parks: bool
) -> Iterator[Violation]:
    """I2: no more trainings at a time than the limit, counted when one begins or goes on."""
    counted: set[str] = set()
    for line in history.entries:
        if line.trial is None or line.trial in abandoned:
            continue
        if line.what in _ENDS or (parks and line.what is Phase.STOPPED):
            counted.discard(line.workload_id)
        elif line.what is Deed.CREATED or (parks and line.what is Phase.RESUMING):
            counted.add(line.workload_id)
            if len(counted) > bound:
                words = f"{len(counted)} lived with {line.name}, the limit is {bound}"
                yield Violation("I2", words)


def unintended(history: History) -> Iterator[Violation]:
    """I12: what a request is to bring about stood in the store before it left."""
    for request in history.requests:
        if not request.intended:
            words = f"{request.operation} {request.about} at {request.at} had no intent"
            yield Violation("I12", words)


def touched(history: History) -> Iterator[Violation]:
    """I7: no request changes a training that the daemon did not make."""
    foreign = {entry.workload_id for entry in history.entries if entry.trial is None}
    for request in history.requests:
        if request.operation in {"suspend", "resume", "delete"} and request.about in foreign:
            yield Violation("I7", f"{request.operation} of {request.about}, which is not ours")


def outcomes(
    scenario: Scenario, history: History, remains: Remains, abandoned: Collection[int] = ()
) -> Iterator[Violation]:
    """I4, I8, I9: every trial has a row and an end, and the end is what the server says."""
    completed = {one.trial for one in history.entries if one.what is Phase.COMPLETED}
    created = {one.trial for one in history.entries if one.trial is not None}
    has_deleted = scenario.api.has_listing
    sweep = remains.sweep
    if sweep is None:
        yield Violation("I4", "the sweep is lost")
        return
    if created - remains.states.keys():
        yield Violation("I4", f"no rows of trials {sorted(created - remains.states.keys())}")
    if sweep.state is SweepState.FINISHED or sweep.state is SweepState.OPEN:
        missing = set(range(scenario.sweep.trials)) - remains.states.keys()
        if missing and scenario.sweep.deadline is None:
            yield Violation("I4", f"trials {sorted(missing)} are lost; the sweep is {sweep.state}")
    for number, state in remains.states.items():
        reason = remains.reasons.get(number, "")
        if state is TrialState.HELD:
            yield Violation("I9", f"trial {number} is held in the calm: {reason}")
        elif not state.is_terminal:
            yield Violation("I9", f"trial {number} is left {state}: {reason}")
        elif number in abandoned or (state in _GIVEN_UP and not has_deleted):
            # Without a listing nothing tells how a training ended that was deleted on a wish.
            continue
        elif (state is TrialState.COMPLETED) != (number in completed):
            is_done = "completed" if number in completed else "not completed"
            yield Violation("I8", f"trial {number} is {state} ({reason}), on the server {is_done}")


def orphans(remains: Remains, abandoned: Collection[int] = ()) -> Iterator[Violation]:
    """I6: every training of ours that is left belongs to a row, and none lives on unneeded."""
    known = {one.workload_id for all_of in remains.submissions.values() for one in all_of}
    for training in remains.trainings:
        if training.trial is None or training.deleted is not None or training.trial in abandoned:
            continue
        if training.workload_id not in known:
            yield Violation("I6", f"{training.name} ({training.phase}) belongs to no row")
        elif training.lives:
            yield Violation("I6", f"{training.name} is left {training.phase}")


def settled(history: History, remains: Remains) -> Iterator[Violation]:
    """I3: a trial is settled once, and again only if a person asked to retry."""
    retries = sum(note.what == "asked" and "retry" in note.detail for note in history.notes)
    ends: dict[int, list[str]] = {}
    for event in remains.events:
        if event.trial is None or event.kind is not EventKind.TRANSITION:
            continue
        so_far = ends.setdefault(event.trial, [])
        if event.outcome in _FINAL:
            so_far.append(event.outcome)
    for number, outcomes_of in ends.items():
        firm = [one for one in outcomes_of if one != TrialState.FAILED.value]
        if len(outcomes_of) > 1 + retries or len(firm) > 1:
            yield Violation("I3", f"trial {number} was settled as {', '.join(outcomes_of)}")
    for number, state in remains.states.items():
        if state.is_terminal and ends.get(number, [])[-1:] != [state.value]:
            yield Violation("I3", f"trial {number} is {state}, which no event tells")


def budgets(scenario: Scenario, history: History, remains: Remains) -> Iterator[Violation]:
    """I15: no more attempts than the budget of each class allows; evictions are free."""
    retries = sum(note.what == "asked" and "retry" in note.detail for note in history.notes)
    budget = (1 + sum(scenario.sweep.retries.values())) * (1 + retries)
    for number, attempts in remains.submissions.items():
        evicted = scenario.course.evicting > 0
        failed = sum(one.trial == number and one.what is Phase.FAILED for one in history.entries)
        allowed = budget + (failed if evicted else 0)
        if len(attempts) > allowed:
            yield Violation("I15", f"trial {number} had {len(attempts)} attempts of {allowed}")
    for number, used in remains.retries.items():
        for kind, count in used.items():
            if count > scenario.sweep.retries.get(kind, count):
                yield Violation("I15", f"trial {number} was tried again {count} times for {kind}")


def resumes(scenario: Scenario, history: History) -> Iterator[Violation]:
    """I15: no more resumes without running again than the budget allows."""
    taken_back = sum(
        note.what == "asked" and ("suspend" in note.detail or "retry" in note.detail)
        for note in history.notes
    )
    for entries in history.by_training().values():
        count = 0
        for entry in entries:
            if entry.what is Phase.RUNNING:
                count = 0
            elif entry.what is Phase.RESUMING and entry.by is Actor.DAEMON:
                count += 1
                # A promotion is counted no more than taking back a suspend is.
                promoted = scenario.sweep.early is not None
                more = taken_back * (1 + scenario.sweep.resume_max) + promoted
                if count > scenario.sweep.resume_max + more:
                    yield Violation("I15", f"{entry.name} was resumed {count} times")


def counts(remains: Remains) -> Iterator[Violation]:
    """I16: what is shown, what is counted and what is stored agree."""
    rows = Counter(remains.states.values())
    counted = {state: count for state, count in remains.totals.states.items() if count}
    if counted != dict(rows):
        yield Violation("I16", f"the store counts {counted}, it has {dict(rows)}")
    if remains.shown is not None and remains.shown != remains.totals:
        yield Violation("I16", f"shown are {remains.shown}, stored {remains.totals}")


def storms(scenario: Scenario, history: History) -> Iterator[Violation]:
    """I10: while nothing can be reached, a daemon asks a few times and then hardly ever."""
    for outage in scenario.happenings:
        begins, ends = outage.at, min(outage.at + outage.seconds, scenario.calm)
        if outage.what not in OUTAGES or begins >= ends:
            continue
        asked: Counter[int] = Counter(
            request.life for request in history.requests if begins <= request.at < ends
        )
        for life, count in asked.items():
            allowed = UNTIL_OPEN + (ends - begins) / PROBE_SECONDS
            if count > allowed:
                words = f"daemon {life} made {count} requests in {ends - begins:.0f} s of an outage"
                yield Violation("I10", words)
