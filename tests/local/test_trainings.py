from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local import happenings
from sweeper.local import trainings as after
from sweeper.local.pods import Pod, Process
from sweeper.local.spec_reading import Lifecycle
from sweeper.local.trainings import FINISHED, LocalTraining, Step
from tests.local.builders import IN_PHASE, NOW, a_training, begun, ended

LATER = NOW + timedelta(seconds=60)
Change: TypeAlias = Callable[[LocalTraining, datetime], Step]


def refused(training: LocalTraining, now: datetime) -> Step:
    return happenings.refused(training, training.key, "no such file", now)


HAPPENINGS: dict[str, Change] = {
    "queue": after.queue,
    "wait": lambda training, now: after.wait(training, "", "waits"),
    "order": lambda training, now: after.order(training, (0,), now),
    "started": begun,
    "not started": lambda training, now: happenings.not_started(training, training.key, "", now),
    "refused": lambda training, now: happenings.refused(
        training, training.key, "no such file", now
    ),
    "ended well": lambda training, now: ended(training, 0, now),
    "ended badly": lambda training, now: ended(training, 3, now),
    "lost": lambda training, now: ended(training, None, now),
    "ready": lambda training, now: happenings.probed(training, training.key, now, is_ready=True),
    "not ready": lambda training, now: happenings.probed(
        training, training.key, now, is_ready=False
    ),
    "refill": happenings.refill,
    "suspend": after.suspend,
    "resume": after.resume,
    "delete": after.delete,
    "preempt": lambda training, now: after.preempt(training, "other", now),
}
GONE = "gone"

TABLE: dict[tuple[Phase, str], Phase | str] = {
    (Phase.CREATING, "queue"): Phase.PENDING,
    (Phase.CREATING, "suspend"): Phase.STOPPED,
    (Phase.CREATING, "delete"): GONE,
    (Phase.PENDING, "order"): Phase.INITIALIZING,
    (Phase.PENDING, "suspend"): Phase.STOPPED,
    (Phase.PENDING, "delete"): GONE,
    (Phase.INITIALIZING, "started"): Phase.RUNNING,
    (Phase.INITIALIZING, "not started"): Phase.PENDING,
    (Phase.INITIALIZING, "refused"): Phase.FAILED,
    (Phase.INITIALIZING, "ended well"): Phase.COMPLETED,
    (Phase.INITIALIZING, "ended badly"): Phase.PENDING,
    (Phase.INITIALIZING, "lost"): Phase.PENDING,
    (Phase.INITIALIZING, "suspend"): Phase.STOPPING,
    (Phase.INITIALIZING, "delete"): Phase.DELETING,
    (Phase.INITIALIZING, "preempt"): Phase.TERMINATING,
    (Phase.RUNNING, "ended well"): Phase.COMPLETED,
    (Phase.RUNNING, "ended badly"): Phase.PENDING,
    (Phase.RUNNING, "lost"): Phase.PENDING,
    (Phase.RUNNING, "suspend"): Phase.STOPPING,
    (Phase.RUNNING, "delete"): Phase.DELETING,
    (Phase.RUNNING, "preempt"): Phase.TERMINATING,
    (Phase.DEGRADED, "ended well"): Phase.COMPLETED,
    (Phase.DEGRADED, "ended badly"): Phase.PENDING,
    (Phase.DEGRADED, "lost"): Phase.PENDING,
    (Phase.DEGRADED, "ready"): Phase.RUNNING,
    (Phase.DEGRADED, "suspend"): Phase.STOPPING,
    (Phase.DEGRADED, "delete"): Phase.DELETING,
    (Phase.DEGRADED, "preempt"): Phase.TERMINATING,
    (Phase.RUNNING, "not ready"): Phase.DEGRADED,
    (Phase.STOPPING, "ended well"): Phase.STOPPED,
    (Phase.STOPPING, "ended badly"): Phase.STOPPED,
    (Phase.STOPPING, "lost"): Phase.STOPPED,
    (Phase.STOPPING, "delete"): Phase.DELETING,
    (Phase.STOPPED, "resume"): Phase.RESUMING,
    (Phase.STOPPED, "delete"): GONE,
    (Phase.RESUMING, "queue"): Phase.PENDING,
    (Phase.RESUMING, "suspend"): Phase.STOPPED,
    (Phase.RESUMING, "delete"): GONE,
    (Phase.TERMINATING, "ended well"): Phase.PENDING,
    (Phase.TERMINATING, "ended badly"): Phase.PENDING,
    (Phase.TERMINATING, "lost"): Phase.PENDING,
    (Phase.TERMINATING, "suspend"): Phase.STOPPING,
    (Phase.TERMINATING, "delete"): Phase.DELETING,
    (Phase.DELETING, "ended well"): GONE,
    (Phase.DELETING, "ended badly"): GONE,
    (Phase.DELETING, "lost"): GONE,
    (Phase.COMPLETED, "delete"): GONE,
    (Phase.FAILED, "delete"): GONE,
}


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("phase", IN_PHASE)
def test_every_happening_leads_where_the_table_says(phase: Phase, happening: str) -> None:
    training = a_training(phase=phase)

    then = HAPPENINGS[happening](training, LATER).training

    found = GONE if then.deleted_at else then.phase
    assert found == TABLE.get((phase, happening), phase)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=40))
def test_no_sequence_leaves_what_is_finished_or_deleted(happenings: list[str]) -> None:
    training = a_training(phase=Phase.CREATING)

    for happening in happenings:
        before, training = training, HAPPENINGS[happening](training, LATER).training

        if before.phase in FINISHED:
            assert training.phase is before.phase
        if before.deleted_at is not None:
            assert training == before
        assert bool(training.devices) <= training.has_process
        assert training.starts - before.starts in {0, 1}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=40))
def test_a_process_is_ordered_only_where_there_is_none(happenings: list[str]) -> None:
    training = a_training(phase=Phase.CREATING)

    for happening in happenings:
        before, training = training, HAPPENINGS[happening](training, LATER).training

        if training.starts > before.starts:
            assert not before.has_process
            assert training.key != before.key


def events_of(training: LocalTraining, *happenings: str) -> list[tuple[str, str]]:
    found = []
    for happening in happenings:
        step = HAPPENINGS[happening](training, LATER)
        training = step.training
        found += [(event.reason, event.message) for event in step.events]
    return found


def test_a_failed_process_is_tried_again_up_to_the_limit() -> None:
    training = a_training(lifecycle=Lifecycle(backoff_limit=2))
    phases = []

    for _ in range(3):
        training = ended(after.order(training, (), LATER).training, 3, LATER).training
        phases.append(training.phase)

    assert phases == [Phase.PENDING, Phase.PENDING, Phase.FAILED]
    assert training.failures == 3


@pytest.mark.parametrize(
    "lifecycle",
    [
        pytest.param(Lifecycle(backoff_limit=0), id="no retries"),
        pytest.param(Lifecycle(restarts=False), id="restart policy Never"),
    ],
)
def test_without_retries_a_failed_process_fails_the_training(lifecycle: Lifecycle) -> None:
    training = a_training(phase=Phase.RUNNING, lifecycle=lifecycle)

    step = ended(training, 3, LATER)

    assert step.training.phase is Phase.FAILED
    assert [(event.reason, event.is_warning) for event in step.events] == [("Failed", True)]
    assert "exit code 3" in step.events[0].message


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 360), (1000, 360)]
)
def test_the_backoff_doubles_up_to_six_minutes(failures: int, seconds: float) -> None:
    training = a_training(
        phase=Phase.RUNNING, failures=failures - 1, lifecycle=Lifecycle(backoff_limit=10**9)
    )

    waiting = ended(training, 1, LATER).training

    assert waiting.not_before == LATER + timedelta(seconds=seconds)


def test_a_lost_process_is_not_counted_and_starts_again_at_once() -> None:
    training = a_training(phase=Phase.RUNNING, lifecycle=Lifecycle(backoff_limit=0))

    step = ended(training, None, LATER)

    assert (step.training.failures, step.training.not_before) == (0, None)
    assert [event.reason for event in step.events] == ["NodeLost"]


def test_a_preempted_process_is_not_counted_whatever_its_exit_code() -> None:
    evicted = after.preempt(a_training(phase=Phase.RUNNING), "boss", LATER).training

    waiting = ended(evicted, 1, LATER).training

    assert (waiting.failures, waiting.not_before) == (0, None)
    assert waiting.phase_message == (
        "Pod training-1 was preempted by higher priority workload boss"
    )


def test_a_training_that_must_not_outlive_its_preemption_fails() -> None:
    training = a_training(phase=Phase.TERMINATING, lifecycle=Lifecycle(ends_when_preempted=True))

    assert ended(training, 143, LATER).training.phase is Phase.FAILED


def test_the_end_of_a_process_not_known_to_have_started_tells_of_its_start_first() -> None:
    events = events_of(a_training(phase=Phase.INITIALIZING), "ended well")

    assert [reason for reason, _ in events] == ["Started", "Completed"]


def test_a_resume_while_stopping_takes_effect_once_stopped() -> None:
    told = after.resume(a_training(phase=Phase.STOPPING), LATER).training

    stopped = ended(told, 143, LATER).training

    assert told.desired_phase is DesiredPhase.RUNNING
    assert stopped.phase is Phase.RESUMING


def test_a_resume_forgets_the_backoff() -> None:
    waiting = a_training(not_before=LATER)

    resumed = after.resume(after.suspend(waiting, LATER).training, LATER).training

    assert resumed.not_before is None


@pytest.mark.parametrize(
    ("phase", "left"),
    [
        (Phase.STOPPING, Phase.STOPPED),
        (Phase.TERMINATING, Phase.PENDING),
        (Phase.DELETING, Phase.DELETING),
    ],
)
def test_an_order_that_was_withdrawn_ends_as_if_stopped(phase: Phase, left: Phase) -> None:
    training = a_training(phase=phase, pods=(Pod(process=Process.ORDERED),), starts=1)

    then = happenings.not_started(training, training.key, "", LATER).training

    assert (then.phase, then.pods) == (left, ())
    assert (then.deleted_at is not None) is (phase is Phase.DELETING)


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.DELETING])
def test_a_start_refused_while_leaving_is_no_failure(phase: Phase) -> None:
    training = a_training(phase=phase, pods=(Pod(process=Process.ORDERED),), starts=1)

    assert (
        happenings.refused(training, training.key, "no such file", LATER).training.phase
        is not Phase.FAILED
    )


def test_a_refused_start_says_why() -> None:
    events = events_of(a_training(phase=Phase.INITIALIZING), "refused")

    assert events == [("Failed", "The process cannot be started: no such file")]


def test_a_process_that_starts_while_it_is_being_stopped_is_still_being_stopped() -> None:
    training = a_training(phase=Phase.STOPPING, pods=(Pod(process=Process.ORDERED),), starts=1)

    then = begun(training, LATER).training

    assert (then.phase, then.pods[0].process) == (Phase.STOPPING, Process.RUNNING)


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED])
def test_a_deleted_training_keeps_the_phase_in_which_it_finished(phase: Phase) -> None:
    deleted = after.delete(a_training(phase=phase), LATER).training

    assert (deleted.phase, deleted.deleted_at) == (phase, LATER)


def test_a_finished_training_is_deleted_after_its_time() -> None:
    training = a_training(
        phase=Phase.RUNNING, lifecycle=Lifecycle(auto_deletion=timedelta(hours=1))
    )

    done = ended(training, 0, LATER).training

    assert (done.completed_at, done.delete_at) == (LATER, LATER + timedelta(hours=1))


def test_the_time_of_a_phase_is_when_it_was_entered() -> None:
    waiting = a_training(phase=Phase.PENDING)

    same = after.wait(waiting, "OverLimit", "too much").training

    assert same.phase_updated_at == NOW
    assert (same.phase_reason, same.phase_message) == ("OverLimit", "too much")


@pytest.mark.parametrize(
    "changes", [{"spec_text": '{"environmentVariables": ["hunter2"]}'}], ids=["environment"]
)
def test_no_spec_shows_in_a_representation(changes: dict[str, Any]) -> None:
    assert "hunter2" not in repr(a_training(**changes))
