from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.change import Change
from sweeper.domain.observing import (
    SUSPEND_PATIENCE,
    missing,
    observe,
    reading_interval,
    rest,
)
from sweeper.domain.phase import Phase
from sweeper.domain.policy import resume_delay
from sweeper.domain.record import EventKind
from sweeper.domain.sweep import HOLD_WINDOW, ResumeSpec, UserSuspended
from sweeper.domain.trial import TERMINAL_STATES, Halt, Trial, TrialState
from tests.support.builders import NOW, a_submission, a_trial, after, an_observation

LATER = after(seconds=60)
MOVING = {Phase.RUNNING, Phase.PENDING, Phase.RESUMING, Phase.CREATING, Phase.INITIALIZING}
POLICY = ResumeSpec()
UNSETTLED = sorted(set(TrialState) - TERMINAL_STATES - {TrialState.WAITING})

# The state that follows, for a trial in each unsettled state, where it differs from that state.
FROM_RUNNING = {
    Phase.CREATING: TrialState.INTERRUPTED,
    Phase.INITIALIZING: TrialState.INTERRUPTED,
    Phase.PENDING: TrialState.INTERRUPTED,
    Phase.RESUMING: TrialState.INTERRUPTED,
    Phase.UPDATING: TrialState.ACTIVE,
    Phase.RUNNING: TrialState.ACTIVE,
    Phase.DEGRADED: TrialState.ACTIVE,
    Phase.STOPPING: TrialState.INTERRUPTED,
    Phase.TERMINATING: TrialState.ACTIVE,
    Phase.DELETING: TrialState.ACTIVE,
    Phase.STOPPED: TrialState.INTERRUPTED,
    Phase.COMPLETED: TrialState.COMPLETED,
    Phase.FAILED: TrialState.ACTIVE,
    Phase.UNKNOWN: TrialState.ACTIVE,
}


def see(trial: Trial, phase: Phase, policy: ResumeSpec = POLICY) -> Change:
    """Read the trial's training, a minute after `NOW`."""
    return observe(trial, an_observation(phase, of=trial), LATER, policy)


def kinds(change: Change) -> list[EventKind]:
    return [event.kind for event in change.events]


def test_every_phase_has_a_consequence_for_a_trial_at_work() -> None:
    assert {phase: see(a_trial(), phase).trial.state for phase in Phase} == FROM_RUNNING


@pytest.mark.parametrize("state", UNSETTLED)
@pytest.mark.parametrize("phase", Phase)
def test_only_completed_ends_a_trial(phase: Phase, state: TrialState) -> None:
    after_it = see(a_trial(state=state), phase).trial

    assert after_it.state.is_terminal is (phase is Phase.COMPLETED)


@pytest.mark.parametrize("state", sorted(TERMINAL_STATES))
@pytest.mark.parametrize("phase", Phase)
def test_nothing_seen_changes_what_is_settled(phase: Phase, state: TrialState) -> None:
    trial = a_trial(state=state)

    assert see(trial, phase) == Change(trial=trial)


def test_a_training_that_ended_is_not_read_again() -> None:
    trial = a_trial(state=TrialState.INTERRUPTED, submission=a_submission(ended_at=NOW))

    assert see(trial, Phase.RUNNING) == Change(trial=trial)


def test_an_answer_about_another_training_is_no_news() -> None:
    trial = a_trial()
    seen = an_observation(Phase.COMPLETED, of=trial, workload_id="another")

    assert observe(trial, seen, LATER, POLICY) == Change(trial=trial)


def test_an_unknown_phase_says_only_that_the_training_is_there() -> None:
    trial = a_trial(missing_since=NOW)

    submission = see(trial, Phase.UNKNOWN).trial.submission

    assert submission == a_submission()


def test_a_new_phase_is_counted_from_when_it_was_seen() -> None:
    submission = see(a_trial(phase=Phase.PENDING), Phase.RUNNING).trial.submission

    assert (submission.phase, submission.phase_since) == (Phase.RUNNING, LATER)
    assert (submission.running_since, submission.first_running_at) == (LATER, LATER)


def test_the_same_phase_keeps_its_beginning() -> None:
    submission = see(a_trial(), Phase.RUNNING).trial.submission

    assert (submission.phase_since, submission.running_since) == (NOW, NOW)


def test_a_step_back_to_pending_is_a_preemption_and_nothing_else() -> None:
    change = see(a_trial(), Phase.PENDING)

    submission = change.trial.submission
    assert kinds(change) == [EventKind.PREEMPTION, EventKind.TRANSITION]
    assert (submission.preemptions, submission.running_seconds) == (1, 60.0)
    assert submission.running_since is None
    assert change.trial.reason == "preempted"


def test_terminating_before_pending_is_one_preemption() -> None:
    leaving = see(a_trial(), Phase.TERMINATING).trial

    change = see(leaving, Phase.PENDING)

    assert change.trial.submission.preemptions == 1


def test_waiting_for_the_first_time_is_no_preemption() -> None:
    change = see(a_trial(phase=Phase.CREATING), Phase.PENDING)

    assert change.events == ()
    assert change.trial.submission.preemptions == 0


def test_being_resumed_is_no_preemption() -> None:
    change = see(a_trial(), Phase.RESUMING)

    assert (change.trial.submission.preemptions, change.trial.reason) == (0, "being resumed")


def test_running_resets_the_resume_budget() -> None:
    trial = a_trial(state=TrialState.RESUMING, phase=Phase.PENDING, resumes=7)

    assert see(trial, Phase.RUNNING).trial.submission.resumes == 0


def test_a_new_phase_ends_every_wait_but_the_same_one_does_not() -> None:
    trial = a_trial(phase=Phase.STOPPED, next_call_at=after(hours=1), calls_failed=4)

    other = see(trial, Phase.RESUMING).trial.submission
    same = see(trial, Phase.STOPPED).trial.submission

    assert (other.next_call_at, other.calls_failed) == (None, 0)
    assert (same.next_call_at, same.calls_failed) == (after(hours=1), 4)


def test_a_stop_of_ours_is_known_from_the_ledger() -> None:
    change = see(a_trial(phase=Phase.STOPPING, suspend_sent_at=NOW), Phase.STOPPED)

    assert change.events[0].outcome == "us"
    assert change.trial.reason == "suspended by us"
    assert change.trial.submission.next_call_at is None


def test_a_stop_by_someone_else_waits_before_it_is_resumed() -> None:
    change = see(a_trial(), Phase.STOPPED)

    wait = change.trial.submission.next_call_at
    assert change.events[0].outcome == "other"
    assert wait is not None
    assert timedelta(seconds=15) <= wait - LATER <= timedelta(seconds=30)


def test_a_stop_is_counted_once_however_often_it_is_seen() -> None:
    stopped = see(a_trial(resume_sent_at=NOW), Phase.STOPPED).trial

    change = see(stopped, Phase.STOPPED)

    assert change.events == ()
    assert change.trial.submission.quick_stops == 1


def test_the_third_stop_soon_after_our_resume_is_held() -> None:
    trial = a_trial(resume_sent_at=NOW, quick_stops=2)

    change = see(trial, Phase.STOPPED)

    assert change.trial.state is TrialState.HELD
    assert "3 times soon after our resume" in change.trial.reason


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(a_trial(resume_sent_at=after(minutes=-5), quick_stops=2), id="long after"),
        pytest.param(a_trial(quick_stops=2), id="never resumed"),
    ],
)
def test_a_stop_long_after_our_resume_begins_a_new_count(trial: Trial) -> None:
    change = see(trial, Phase.STOPPED)

    assert change.trial.state is TrialState.INTERRUPTED
    assert change.trial.submission.quick_stops == 0


def test_hold_after_zero_never_holds() -> None:
    trial = a_trial(resume_sent_at=NOW, quick_stops=99)

    change = see(trial, Phase.STOPPED, ResumeSpec(hold_after=0))

    assert change.trial.state is TrialState.INTERRUPTED


@pytest.mark.parametrize(
    "policy", [ResumeSpec(enabled=False), ResumeSpec(user_suspended=UserSuspended.LEAVE)]
)
def test_what_is_to_be_left_alone_is_never_held(policy: ResumeSpec) -> None:
    trial = a_trial(resume_sent_at=NOW, quick_stops=99)

    change = see(trial, Phase.STOPPED, policy)

    assert change.trial.state is TrialState.INTERRUPTED
    assert "left alone" in change.trial.reason


@pytest.mark.parametrize("phase", [Phase.RESUMING, Phase.PENDING, Phase.RUNNING])
@pytest.mark.parametrize("before", [Phase.STOPPED, Phase.STOPPING])
def test_a_suspend_of_ours_ends_when_the_training_goes_on(before: Phase, phase: Phase) -> None:
    trial = a_trial(phase=before, suspend_sent_at=NOW)

    assert see(trial, phase).trial.submission.suspend_sent_at is None


def test_a_suspend_just_sent_holds_although_the_training_still_runs() -> None:
    trial = a_trial(suspend_sent_at=NOW)

    assert see(trial, Phase.RUNNING).trial.submission.suspend_sent_at == NOW


def test_a_suspend_that_stopped_nothing_is_forgotten() -> None:
    trial = a_trial(suspend_sent_at=after(minutes=-6))

    assert see(trial, Phase.RUNNING).trial.submission.suspend_sent_at is None


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PENDING])
def test_a_held_trial_comes_back_when_someone_resumes_its_training(phase: Phase) -> None:
    trial = a_trial(state=TrialState.HELD, phase=Phase.STOPPED)

    assert see(trial, phase).trial.state in {TrialState.ACTIVE, TrialState.INTERRUPTED}


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.DELETING, Phase.TERMINATING])
def test_a_held_trial_stays_held_while_its_training_leaves(phase: Phase) -> None:
    trial = a_trial(state=TrialState.HELD, phase=Phase.PENDING)

    assert see(trial, phase).trial.state is TrialState.HELD


def test_completed_frees_the_slot() -> None:
    trial = see(a_trial(), Phase.COMPLETED).trial

    assert not trial.holds_slot
    assert trial.ended_at == LATER
    assert trial.submission.running_seconds == 60.0


def test_failed_keeps_the_slot_until_it_is_judged() -> None:
    trial = see(a_trial(), Phase.FAILED).trial

    assert trial.holds_slot
    assert not trial.submission.is_at_work


def test_the_reason_of_our_delete_outlives_what_is_said_on_the_way() -> None:
    trial = a_trial(submission=a_submission(delete_sent_at=NOW, reason="why"))

    assert see(trial, Phase.DELETING).trial.submission.reason == "why"


def test_a_message_of_the_control_plane_is_kept_while_the_phase_lasts() -> None:
    trial = a_trial(phase=Phase.PENDING)
    queued = observe(trial, an_observation(Phase.PENDING, of=trial, message="no GPU"), NOW, POLICY)

    assert see(queued.trial, Phase.PENDING).trial.submission.reason == "no GPU"
    assert see(queued.trial, Phase.RUNNING).trial.submission.reason == ""


def test_what_is_missing_is_counted_from_the_first_time() -> None:
    first = missing(a_trial(next_call_at=after(hours=1)), NOW)

    assert first.submission.missing_since == NOW
    assert first.submission.next_call_at is None
    assert missing(first, LATER) is first


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PENDING, Phase.UNKNOWN])
def test_a_delete_that_did_not_find_what_is_there_is_repeated_after_a_backoff(
    phase: Phase,
) -> None:
    trial = a_trial(
        phase=Phase.PENDING, delete_sent_at=NOW, missing_since=NOW, next_call_at=after(hours=1)
    )

    submission = see(trial, phase).trial.submission

    assert (submission.missing_since, submission.calls_failed) == (None, 1)
    assert submission.next_call_at is not None
    assert LATER < submission.next_call_at <= LATER + timedelta(seconds=2)


def test_what_is_seen_again_is_not_missing() -> None:
    assert see(a_trial(missing_since=NOW), Phase.RUNNING).trial.submission.missing_since is None


def test_a_clock_set_back_takes_no_time_off_a_stretch() -> None:
    resting = rest(a_submission(running_since=after(hours=1), running_seconds=5.0), NOW)

    assert resting.running_seconds == 5.0
    assert rest(resting, LATER) is resting


@pytest.mark.parametrize(("age", "interval"), [(0, 2), (100, 10), (10**6, 60), (-50, 2)])
def test_young_phases_are_read_often_and_old_ones_seldom(age: int, interval: int) -> None:
    trial = a_trial(phase_since=after(seconds=-age))

    assert reading_interval(trial, NOW) == timedelta(seconds=interval)


@settings(max_examples=60)
@given(phases=st.lists(st.sampled_from(Phase), max_size=12), state=st.sampled_from(UNSETTLED))
def test_no_sequence_of_readings_leaves_a_terminal_state(
    phases: list[Phase], state: TrialState
) -> None:
    trial = a_trial(state=state)
    seen = []

    for phase in phases:
        trial = see(trial, phase).trial
        seen.append(trial.state)

    ended = next((place for place, one in enumerate(seen) if one.is_terminal), len(seen))
    assert len(set(seen[ended:])) <= 1
    assert trial.submission.is_open is (Phase.COMPLETED not in phases)


def test_what_was_lost_is_due_again_once_it_is_seen() -> None:
    trial = a_trial(missing_since=NOW, lost_since=NOW, next_call_at=after(hours=1))

    change = see(trial, Phase.RUNNING)

    submission = change.trial.submission
    assert (submission.lost_since, submission.next_call_at) == (None, None)
    assert change.trial.params == trial.params
    assert [event.outcome for event in change.events] == ["seen_again"]


def test_an_unknown_phase_counts_as_seen() -> None:
    assert see(a_trial(seen_at=None), Phase.UNKNOWN).trial.submission.seen_at == LATER


@pytest.mark.parametrize(("told", "kept"), [(None, NOW), (after(seconds=7), after(seconds=7))])
def test_a_creation_time_is_kept_until_another_is_told(told: Any, kept: Any) -> None:
    seen = an_observation(Phase.RUNNING, of=a_trial(), created_at=told)

    assert observe(a_trial(), seen, LATER, POLICY).trial.submission.created_at == kept


def test_a_suspend_holds_to_the_end_of_our_patience() -> None:
    trial = a_trial(suspend_sent_at=LATER - SUSPEND_PATIENCE)

    assert see(trial, Phase.RUNNING).trial.submission.suspend_sent_at is not None


def test_a_stop_at_the_end_of_the_window_is_soon_after_our_resume() -> None:
    trial = a_trial(resume_sent_at=LATER - HOLD_WINDOW)

    assert see(trial, Phase.STOPPED).trial.submission.quick_stops == 1


@pytest.mark.parametrize("resumes", [0, 3])
def test_a_stop_by_someone_else_is_left_for_as_long_as_the_policy_says(resumes: int) -> None:
    trial = a_trial(resumes=resumes)
    delay = resume_delay(resumes, POLICY, trial.submission.workload_name)

    assert delay is not None
    assert see(trial, Phase.STOPPED).trial.submission.next_call_at == LATER + delay


def test_a_held_trial_that_was_never_stopped_stays_held_while_it_waits() -> None:
    trial = a_trial(state=TrialState.HELD, phase=Phase.CREATING)

    assert see(trial, Phase.PENDING).trial.state is TrialState.HELD


def test_a_training_that_we_resume_is_being_resumed_by_us() -> None:
    trial = a_trial(state=TrialState.RESUMING, phase=Phase.STOPPED)

    assert see(trial, Phase.PENDING).trial.state is TrialState.RESUMING


@pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.DELETING])
def test_a_training_that_leaves_is_not_at_work(phase: Phase) -> None:
    submission = see(a_trial(), phase).trial.submission

    assert not submission.is_at_work
    assert submission.running_seconds == 60.0


def test_a_training_that_terminates_counts_as_at_work_until_it_is_back_in_line() -> None:
    assert see(a_trial(), Phase.TERMINATING).trial.submission.is_at_work


def test_a_trial_that_is_to_be_parked_is_so_once_it_is_seen_stopped() -> None:
    trial = a_trial(halt=Halt.PARK, rung=3, phase=Phase.STOPPING, suspend_sent_at=NOW)

    change = see(trial, Phase.STOPPED)

    assert (change.trial.state, change.trial.reason) == (TrialState.PARKED, "parked at 3")
    assert not change.trial.holds_slot


def test_whoever_stopped_what_is_to_be_parked_it_is_ours_to_resume() -> None:
    change = see(a_trial(halt=Halt.PARK), Phase.STOPPED)

    assert change.trial.state is TrialState.PARKED
    assert change.trial.submission.suspend_sent_at == LATER


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PENDING, Phase.RESUMING])
def test_a_parked_training_that_someone_resumed_holds_a_slot_again(phase: Phase) -> None:
    trial = a_trial(state=TrialState.PARKED, halt=Halt.PARK, phase=Phase.STOPPED)

    after_it = see(trial, phase).trial

    assert after_it.holds_slot
    assert after_it.halt is Halt.PARK


@pytest.mark.parametrize("phase", Phase)
def test_a_parked_trial_never_holds_its_slot_while_it_is_stopped(phase: Phase) -> None:
    trial = see(a_trial(halt=Halt.PARK, state=TrialState.PARKED, phase=Phase.STOPPED), phase).trial

    assert (trial.state is TrialState.PARKED) <= (trial.submission.phase not in MOVING)
