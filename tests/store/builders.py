"""Values to put into a store, complete and plain; a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from sweeper.domain.enqueuing import EnqueuedPoint
from sweeper.domain.outbox import Notice, NoticeKind
from sweeper.domain.phase import Phase
from sweeper.domain.record import Event, EventKind, Report, SweepRecord, SweepState
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import FailureClass, Halt, Submission, Trial, TrialState
from sweeper.ports import Store

NOW = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
"""Not a whole second: a store that loses microseconds shows."""


def at(seconds: float) -> datetime:
    """Return the time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def a_sweep(
    *,
    objective: str | None = "loss",
    goal: Goal | None = Goal.MINIMIZE,
    state: SweepState = SweepState.OPEN,
) -> SweepRecord:
    """Return a sweep that has just begun."""
    return SweepRecord(
        id="k3j5m7n2p4",
        name="sweep one",
        slug="sweep-one",
        definition={"method": "grid", "parameters": {"lr": {"values": [0.1, 1e-4]}}},
        digest="0123456789abcdef",
        method="grid",
        seed=0,
        planned=12,
        directory="somewhere",
        control_plane="local",
        created_at=NOW,
        objective=objective,
        goal=goal,
        state=state,
    )


def a_submission(
    attempt: int = 1,
    *,
    intent_at: datetime = NOW,
    gpus: Fraction = Fraction(0),
    running_since: datetime | None = None,
    ended_at: datetime | None = None,
) -> Submission:
    """Return an attempt that holds a slot unless `ended_at` is given."""
    return Submission(
        attempt=attempt,
        workload_name=f"sweep-one-k3j5m7n2p4-0-{attempt}",
        digest="fedcba9876543210",
        intent_at=intent_at,
        gpus=gpus,
        running_since=running_since,
        ended_at=ended_at,
    )


def a_trial(
    number: int = 0,
    *,
    state: TrialState = TrialState.ACTIVE,
    submission: Submission | None = None,
    version: int = 0,
) -> Trial:
    """Return a trial; one in a terminal state has given its slot back."""
    ended_at = at(60) if state.is_terminal else None
    return Trial(
        number=number,
        params={"lr": 0.1 * number, "layers": [64, 32]},
        state=state,
        state_since=NOW,
        created_at=NOW,
        submission=submission or a_submission(ended_at=ended_at),
        ended_at=ended_at,
        version=version,
    )


def a_full_sweep() -> SweepRecord:
    """Return a sweep in which no field has its default."""
    return replace(
        a_sweep(goal=Goal.MAXIMIZE),
        seed=-(2**70),
        planned=10**40,
        project_id="project",
        cluster_id="cluster",
        report_port=34567,
        state=SweepState.STOPPED,
        stop_reason="3 trials failed: “limits.failures”",
        rejection="no",
        rejections=2,
        ended_at=at(9),
        first_running_at=at(6),
        frozen="too many are missing",
        thawed_at=at(7),
        blocked="creates are forbidden",
        late_at=at(8),
        summary_at=at(5),
        forgiven=3,
        rungs=(1, 3, 3**50),
        enqueued=(EnqueuedPoint(number=4, params={"lr": 0.5}, wish=7, tail=10**20),),
    )


def a_full_trial(number: int = 0) -> Trial:
    """Return a trial in which no field, and none of its submission, has its default."""
    submission = Submission(
        attempt=2,
        workload_name="sweep-one-k3j5m7n2p4-0-2",
        digest="fedcba9876543210",
        intent_at=at(1),
        gpus=Fraction(1, 3),
        sent_at=at(2),
        looked_up_at=at(3),
        next_call_at=at(4),
        workload_id="7f8c",
        created_at=at(5),
        phase=Phase.RUNNING,
        phase_since=at(6),
        seen_at=at(7),
        running_since=at(8),
        first_running_at=at(9),
        running_seconds=0.1 + 0.2,
        preemptions=1,
        resumes=2,
        quick_stops=3,
        calls_failed=4,
        resume_sent_at=at(10),
        suspend_sent_at=at(11),
        delete_sent_at=at(12),
        missing_since=at(13),
        lost_since=at(14),
        ended_at=at(14),
        exit_code=137,
        reason="évincé 🛑 \x00 end",
    )
    return Trial(
        number=number,
        params={"z": 1e-4, "a": [1, 1.0, True, None, "x"], "m": {"nested": {}}, "": ""},
        state=TrialState.HELD,
        state_since=at(15),
        created_at=at(16),
        submission=submission,
        reason="a person must look",
        ended_at=at(17),
        retries={FailureClass.INFRASTRUCTURE: 2, FailureClass.TIMEOUT: 1},
        rung=9,
        halt=Halt.PARK,
        retry_at=at(18),
        failure=FailureClass.VANISHED,
        cancel_asked_at=at(19),
    )


def an_event(outcome: str = "created", *, trial: int | None = 0) -> Event:
    """Return one act."""
    return Event(at=NOW, kind=EventKind.SUBMISSION, outcome=outcome, trial=trial)


def a_full_event() -> Event:
    """Return an event in which no field has its default, apart from its number."""
    return Event(
        at=at(1),
        kind=EventKind.LOOK_UP,
        outcome="found",
        trial=3,
        attempt=2,
        workload_name="sweep-one-k3j5m7n2p4-3-2",
        workload_id="7f8c",
        detail="adopted",
    )


def a_notice(text: str = "", *, due: float = 0.0) -> Notice:
    """Return a notice that was not tried yet, due so many seconds after `NOW`."""
    return Notice(kind=NoticeKind.STOPPED, at=NOW, text=text, due_at=at(due), receiver="SLACK")


def a_report(
    loss: float, *, trial: int = 0, key: str | None = None, seconds: float = 0.0
) -> Report:
    """Return a report of the objective `loss`, with a key of its own unless one is given."""
    return Report(
        trial=trial, key=key or f"{trial} {loss} {seconds}", at=at(seconds), values={"loss": loss}
    )


async def intents(store: Store, since: datetime) -> int:
    """Return how many intents a tick would count from `since` on."""
    standing = await store.standing(since)
    assert standing is not None
    return standing.submitted
