"""The checker finds what it is there to find: each invariant broken in a history made up for it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, SweepState, Totals
from sweeper.domain.trial import FailureClass, TrialState
from tests.simulation.checking import Remains, violations
from tests.simulation.conduct import lowered
from tests.simulation.history import Actor, Deed, Entry, History, Line, Note, Request
from tests.simulation.scenario import Api, Happening, Scenario, Sweep
from tests.simulation.server import Training
from tests.support.builders import NOW, a_submission, a_sweep

SERVER, DAEMON, PERSON = Actor.SERVER, Actor.DAEMON, Actor.PERSON
SCENARIO = Scenario(
    seed=0, sweep=Sweep(trials=2, active=1, resume_max=1, retries={"application": 0})
)
DONE = TrialState.COMPLETED


def entry(at: float, trial: int | None, what: Phase | Deed, by: Actor = SERVER) -> Entry:
    """Return a change of the training of a trial's first attempt."""
    return Entry(at, f"id-{trial}", f"world-x-{trial}-1", trial, what, by)


def life_of(trial: int, at: float) -> list[Line]:
    """Return what happens to a training that goes well."""
    return [
        entry(at, trial, Deed.CREATED, DAEMON),
        entry(at + 1, trial, Phase.RUNNING),
        entry(at + 2, trial, Phase.COMPLETED),
    ]


GOOD: list[Line] = [*life_of(0, 0), *life_of(1, 10)]


def settled(trial: int, outcome: TrialState = DONE) -> Event:
    """Return the event of a trial's end."""
    return Event(at=NOW, kind=EventKind.TRANSITION, outcome=outcome.value, trial=trial)


def left(trial: int, phase: Phase = Phase.COMPLETED) -> Training:
    """Return a training as it is left on the server."""
    return Training(
        workload_id=f"id-{trial}",
        name=f"world-x-{trial}-1",
        labels={},
        created=0.0,
        trial=trial,
        phase=phase,
    )


WELL = Remains(
    trainings=[left(0), left(1)],
    sweep=a_sweep(state=SweepState.FINISHED),
    states={0: DONE, 1: DONE},
    submissions={n: [a_submission(workload_id=f"id-{n}")] for n in (0, 1)},
    events=[settled(0), settled(1)],
    totals=Totals(states={DONE: 2}, next_number=2),
    shown=Totals(states={DONE: 2}, next_number=2),
)


def found(
    lines: Sequence[Line] = GOOD,
    remains: Remains = WELL,
    scenario: Scenario = SCENARIO,
    limit: int = 1,
) -> set[str]:
    """Return the invariants that are broken."""
    broken = violations(scenario, History(list(lines)), remains, [(0.0, limit)])
    return {violation.invariant for violation in broken}


def test_a_world_in_which_all_went_well_breaks_nothing() -> None:
    assert found() == set()


AGAIN = replace(entry(1.5, 0, Deed.CREATED, DAEMON), workload_id="id-x", name="world-x-0-2")
LATE = replace(AGAIN, at=20.0)
ENDED = replace(LATE, at=21.0, what=Deed.DELETED)
BROKEN_HISTORIES = [
    pytest.param([*GOOD[:2], AGAIN, *GOOD[2:]], "I1", id="I1 two at once"),
    pytest.param(
        [entry(0, 0, Deed.CREATED), entry(1, 1, Deed.CREATED), *GOOD[2:3], *GOOD[4:]],
        "I2",
        id="I2 above the limit",
    ),
    pytest.param([*GOOD, LATE, ENDED], "I5", id="I5 completed and run again"),
    pytest.param(
        [*GOOD, entry(30, None, Deed.CREATED, PERSON), Request(31, 1, "delete", "id-None", "")],
        "I7",
        id="I7 touched what is foreign",
    ),
    pytest.param(
        [*GOOD, Request(9, 1, "create", "world-x-1-1", "", intended=False)],
        "I12",
        id="I12 no intent",
    ),
    pytest.param(
        [*GOOD, Note(50.0, "life", "2"), *(Request(150.0, 1, "list", "", "") for _ in range(300))],
        "I10",
        id="I10 storms an outage",
    ),
    pytest.param(
        [
            *GOOD,
            *(Request(20.0, 1, "list", "", "") for _ in range(9)),
            *[Note(20, "repeat", "1")] * 11,
        ],
        "I10",
        id="I10 repeats too much",
    ),
    pytest.param([*GOOD, Note(20, "stopping"), Note(42, "ended")], "I17", id="I17 stops late"),
    pytest.param([*GOOD, Note(20, "stopping")], "I17", id="I17 never stops"),
    pytest.param(
        [
            *GOOD[:2],
            entry(1.2, 0, Phase.STOPPED),
            entry(1.3, 0, Phase.RESUMING, DAEMON),
            entry(1.4, 0, Phase.STOPPED),
            entry(1.5, 0, Phase.RESUMING, DAEMON),
            *GOOD[2:],
        ],
        "I15",
        id="I15 resumed too often",
    ),
]


@pytest.mark.parametrize(("lines", "invariant"), BROKEN_HISTORIES)
def test_a_broken_history_is_found(lines: Sequence[Line], invariant: str) -> None:
    outage = (Happening(at=100.0, what="refused", seconds=300.0),)
    scenario = replace(SCENARIO, calm=500.0, happenings=outage if invariant == "I10" else ())
    # Two trainings of one trial are two of the limit as well.
    limit = 2 if invariant == "I1" else 1

    assert found(lines, scenario=scenario, limit=limit) == {invariant}


BROKEN_REMAINS = [
    pytest.param(
        {"events": [replace(settled(0), epoch=2), replace(settled(1), epoch=1)]},
        "I11",
        id="I11 an epoch goes back",
    ),
    pytest.param(
        {"retries": {0: {FailureClass.APPLICATION: 1}}}, "I15", id="I15 a class beyond its budget"
    ),
    pytest.param({"events": [settled(0), settled(0), settled(1)]}, "I3", id="I3 settled twice"),
    pytest.param({"events": [settled(0)]}, "I3", id="I3 an end that no event tells"),
    pytest.param({"sweep": None}, "I4", id="I4 the sweep is lost"),
    pytest.param({"submissions": {0: WELL.submissions[0]}}, "I6", id="I6 an orphan"),
    pytest.param({"trainings": [left(0), left(1, Phase.RUNNING)]}, "I6", id="I6 left running"),
    pytest.param(
        {"submissions": {**WELL.submissions, 0: [*WELL.submissions[0]] * 2}},
        "I15",
        id="I15 too many attempts",
    ),
    pytest.param({"totals": Totals(states={DONE: 1}, next_number=2)}, "I16", id="I16 counts"),
    pytest.param({"shown": Totals(states={DONE: 1}, next_number=2)}, "I16", id="I16 shown"),
]


@pytest.mark.parametrize(("changes", "invariant"), BROKEN_REMAINS)
def test_broken_remains_are_found(changes: dict[str, object], invariant: str) -> None:
    assert found(remains=replace(WELL, **changes)) == {invariant}  # type: ignore[arg-type] # of fields


def with_state(state: TrialState) -> Remains:
    """Return what is left if the second trial is in another state."""
    return replace(
        WELL,
        states={0: DONE, 1: state},
        events=[settled(0), settled(1, state)] if state.is_terminal else [settled(0)],
        totals=Totals(states={DONE: 1, state: 1}, next_number=2),
        shown=None,
    )


@pytest.mark.parametrize(
    ("state", "invariant"),
    [
        (TrialState.FAILED, "I8"),
        (TrialState.HELD, "I9"),
        (TrialState.ACTIVE, "I9"),
    ],
)
def test_an_end_that_the_server_does_not_know_is_found(state: TrialState, invariant: str) -> None:
    assert found(remains=with_state(state)) == {invariant}


def test_a_trial_without_a_row_is_lost() -> None:
    remains = replace(
        WELL,
        trainings=[left(0)],
        states={0: DONE},
        submissions={0: WELL.submissions[0]},
        events=[settled(0)],
        totals=Totals(states={DONE: 1}, next_number=1),
        shown=None,
    )

    assert found(GOOD[:3], remains) == {"I4"}


def test_only_without_a_listing_may_what_was_given_up_be_left_behind() -> None:
    gone = replace(
        with_state(TrialState.CANCELLED),
        submissions={0: WELL.submissions[0], 1: [a_submission(workload_id=None)]},
    )
    blind = replace(SCENARIO, api=Api(has_listing=False))

    assert found(remains=gone, scenario=blind) == set()
    assert found(remains=gone) == {"I6", "I8"}


@pytest.mark.parametrize(("begun", "broken"), [("", {"I2"}), ("world-x-1-1", set())])
def test_a_daemon_begins_nothing_above_a_limit_that_was_lowered(
    begun: str, broken: set[str]
) -> None:
    lines = [
        entry(0, 0, Deed.CREATED),
        Note(1, "life", "2 limit 1"),
        Note(1, "begun", begun),
        Request(2, 2, "create", "world-x-1-1", ""),
        *life_of(1, 3),
    ]

    found = lowered(History(lines), [(0.0, 2), (1.0, 1)])

    assert {violation.invariant for violation in found} == broken
