from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local import happenings
from sweeper.local import trainings as after
from sweeper.local.pods import Process
from sweeper.local.spec_reading import Lifecycle, Need, Readiness, pods_at_once
from sweeper.local.trainings import FINISHED, LEAVING, LocalTraining
from tests.local.builders import NOW, a_training

LATER = NOW + timedelta(seconds=60)
PROBE = Readiness(url="http://127.0.0.1:1/")


def several(
    parallelism: int = 3, completions: int | None = None, **lifecycle: object
) -> LocalTraining:
    """Return a training of several pods that waits for its start."""
    lives = Lifecycle(parallelism=parallelism, completions=completions, **lifecycle)  # type: ignore[arg-type] # members by name
    pods = pods_at_once(parallelism, completions, 0)
    return a_training(lifecycle=lives, need=Need(gpu_devices=1, pods=pods))


def working(training: LocalTraining) -> LocalTraining:
    """Return the training with all its processes started."""
    training = after.order(training, range(training.need.pods), LATER).training
    for pod in training.pods:
        training = happenings.started(training, training.key_of(pod), LATER).training
    return training


def end(training: LocalTraining, *starts: int, code: int | None = 0) -> LocalTraining:
    """Return the training after the processes of these starts have ended."""
    for start in starts:
        key = f"{training.workload_id}-{start}"
        training = happenings.ended(training, key, code, LATER).training
    return training


def test_each_pod_has_its_own_start_and_devices() -> None:
    training = after.order(several(3), (4, 5, 6), LATER).training

    assert [(pod.index, pod.start, pod.devices) for pod in training.pods] == [
        (0, 1, (4,)),
        (1, 2, (5,)),
        (2, 3, (6,)),
    ]
    assert (training.devices, training.phase) == ((4, 5, 6), Phase.INITIALIZING)


def test_a_training_runs_once_all_its_processes_run() -> None:
    training = after.order(several(2), (), LATER).training

    training = happenings.started(training, training.key_of(training.pods[0]), LATER).training
    assert training.phase is Phase.INITIALIZING
    training = happenings.started(training, training.key_of(training.pods[1]), LATER).training

    assert training.phase is Phase.RUNNING


def test_so_many_processes_succeed_as_there_are_completions() -> None:
    training = working(several(2, 5))

    assert [pod.start for pod in training.pods] == [1, 2]
    training = end(training, 1, 2, 3)
    assert (training.phase, training.succeeded) == (Phase.RUNNING, 3)
    assert [pod.start for pod in training.pods] == [5, 4]
    training = end(training, 4)
    assert ([pod.start for pod in training.pods], training.need.pods) == ([5], 1)
    training = end(training, 5)

    assert (training.phase, training.starts, training.pods) == (Phase.COMPLETED, 5, ())
    assert training.phase_message == "5 processes ended with exit code 0"


def test_no_more_processes_start_than_can_succeed() -> None:
    assert len(working(several(8, 3)).pods) == 3


def test_without_completions_one_success_lets_no_other_process_start() -> None:
    training = end(working(several(3)), 1)

    assert (training.phase, len(training.pods), training.starts) == (Phase.RUNNING, 2, 3)
    training = end(training, 2, code=7)
    training = end(training, 3)

    assert (training.phase, training.starts) == (Phase.COMPLETED, 3)


def test_a_failed_pod_waits_beside_the_others_and_starts_again() -> None:
    training = end(working(several(2)), 1, code=1)

    assert (training.phase, training.failures) == (Phase.DEGRADED, 1)
    assert training.phase_message == "1 of 2 processes are ready"
    due = training.due
    assert due == LATER + after.FIRST_BACKOFF
    assert happenings.refill(training, LATER).training == training
    training = happenings.refill(training, due).training

    assert (training.pods[0].start, training.pods[0].process) == (3, Process.ORDERED)
    assert (training.phase, training.devices) == (Phase.DEGRADED, (0, 1))
    started = happenings.started(training, training.key, LATER).training
    assert started.phase is Phase.RUNNING


def test_a_pod_that_waits_gives_its_place_back_when_no_other_is_left() -> None:
    training = end(end(working(several(2, 2)), 1, code=1), 2)

    assert (training.phase, training.pods, training.need.pods) == (Phase.PENDING, (), 1)
    assert training.due == LATER + after.FIRST_BACKOFF


def test_a_wait_that_no_clock_would_have_set_is_over() -> None:
    training = end(working(several(2)), 1, code=1)

    put_back = LATER - timedelta(days=1)

    assert happenings.refill(training, put_back).training.pods[0].has_process


def test_failures_of_all_pods_count_together_and_the_last_stops_the_others() -> None:
    training = end(working(several(3, backoff_limit=1)), 1, 2, code=1)

    assert (training.phase, training.is_failing) == (Phase.TERMINATING, True)
    assert [pod.start for pod in training.pods] == [3]
    assert after.suspend(training, LATER).training == training
    training = end(training, 3, code=143)

    assert (training.phase, training.phase_message) == (
        Phase.FAILED,
        "The process ended with exit code 1",
    )


def test_a_pod_that_cannot_be_started_fails_the_whole_training() -> None:
    training = after.order(several(2), (), LATER).training
    first, second = (training.key_of(pod) for pod in training.pods)

    training = happenings.started(training, first, LATER).training
    training = happenings.refused(training, second, "no such file", LATER).training
    assert training.phase is Phase.TERMINATING
    training = end(training, 1, code=143)

    assert training.phase is Phase.FAILED


@pytest.mark.parametrize(
    ("leave", "phase"),
    [
        (after.suspend, Phase.STOPPED),
        (after.delete, Phase.DELETING),
        (lambda training, now: after.preempt(training, "boss", now), Phase.PENDING),
    ],
)
def test_what_leaves_is_at_rest_once_all_processes_are_gone(leave: object, phase: Phase) -> None:
    training = leave(working(several(3)), LATER).training  # type: ignore[operator] # one of three

    assert end(training, 1, 3, code=143).phase in LEAVING
    gone = end(training, 1, 2, 3, code=143)

    assert (gone.phase, gone.pods, gone.need.pods) == (phase, (), 3)


def test_a_pod_between_two_processes_is_given_up_when_the_training_leaves() -> None:
    training = end(working(several(2)), 1, code=1)

    leaving = after.suspend(training, LATER).training

    assert [pod.start for pod in leaving.pods] == [2]
    assert end(leaving, 2, code=143).phase is Phase.STOPPED


def test_after_a_suspend_what_had_succeeded_counts() -> None:
    training = after.suspend(end(working(several(2, 3)), 1, 2), LATER).training

    training = after.resume(end(training, 3, code=143), LATER).training
    training = working(after.queue(training, LATER).training)

    assert (training.succeeded, len(training.pods), training.starts) == (2, 1, 4)
    assert training.desired_phase is DesiredPhase.RUNNING


def test_a_pod_whose_gpu_is_taken_tries_again_beside_the_others() -> None:
    training = after.order(several(2), (0, 1), LATER).training

    key = training.key_of(training.pods[1])
    training = happenings.not_started(training, key, "taken", LATER).training

    assert training.phase is Phase.INITIALIZING
    assert training.due == LATER + after.LEASE_DELAY


def test_a_lost_node_takes_all_pods_back_to_the_queue_uncounted() -> None:
    training = end(working(several(2)), 1, 2, code=None)

    assert (training.phase, training.failures, training.due) == (Phase.PENDING, 0, None)


def test_a_pod_lost_after_the_work_was_done_is_not_started_again() -> None:
    training = end(end(working(several(2)), 1), 2, code=None)

    assert training.phase is Phase.COMPLETED


def test_with_restart_policy_always_a_success_is_followed_by_another_start() -> None:
    training = working(a_training(lifecycle=Lifecycle(restarts_always=True)))

    training = end(training, 1)

    assert (training.phase, training.failures) == (Phase.PENDING, 0)
    assert training.due == LATER + after.FIRST_BACKOFF


def test_with_restart_policy_always_failures_still_count() -> None:
    training = working(a_training(lifecycle=Lifecycle(restarts_always=True, backoff_limit=1)))

    training = end(training, 1, code=1)
    assert training.phase is Phase.PENDING
    training = end(working(training), 2, code=1)

    assert training.phase is Phase.FAILED


def test_readiness_gates_running_and_its_loss_degrades() -> None:
    training = working(a_training(lifecycle=Lifecycle(readiness=PROBE)))
    phases = [training.phase]

    for is_ready in (True, False, True):
        step = happenings.probed(training, training.key, LATER, is_ready=is_ready)
        training = step.training
        phases.append(training.phase)
        assert [event.is_warning for event in step.events] == [not is_ready]

    assert phases == [Phase.INITIALIZING, Phase.RUNNING, Phase.DEGRADED, Phase.RUNNING]


def test_news_of_another_process_is_old_news() -> None:
    training = working(several(2))

    steps = [
        happenings.started(training, "x-9", LATER),
        happenings.ended(training, "x-9", 0, LATER),
        happenings.refused(training, "x-9", "", LATER),
        happenings.not_started(training, "x-9", "", LATER),
        happenings.probed(training, "x-9", LATER, is_ready=False),
    ]

    assert all(step.training is training for step in steps)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.none() | st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=40),
)
def test_whatever_happens_there_are_never_too_many_processes(
    parallelism: int, completions: int | None, happened: list[tuple[int, int]]
) -> None:
    training = several(parallelism, completions, backoff_limit=3)

    for what, which in happened:
        training = _happen(training, what, which, LATER)

        assert sum(pod.has_process for pod in training.pods) <= parallelism
        assert len({pod.index for pod in training.pods}) == len(training.pods)
        assert training.has_process == bool(training.pods)
        assert not (training.phase in FINISHED and training.pods)
        if training.pods:
            assert training.need.pods >= len(training.pods)
        if completions is not None:
            assert training.succeeded <= completions


def _happen(training: LocalTraining, what: int, which: int, now: datetime) -> LocalTraining:
    key = training.key_of(training.pods[which % len(training.pods)]) if training.pods else ""
    match what:
        case 0 | 1:
            return after.order(training, range(training.need.pods), now).training
        case 2:
            return happenings.started(training, key, now).training
        case 3 | 4:
            return happenings.ended(training, key, 0, now).training
        case 5:
            return happenings.ended(training, key, [1, None][which % 2], now).training
        case 6:
            return happenings.refill(training, now + after.LONGEST_BACKOFF).training
        case 7:
            return after.preempt(training, "boss", now).training
        case 8:
            return after.suspend(training, now).training
        case _:
            return after.queue(after.resume(training, now).training, now).training
