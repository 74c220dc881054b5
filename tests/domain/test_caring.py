from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.caring import NO_TWO_ANSWERS, care
from sweeper.domain.phase import Phase
from sweeper.domain.policy import LONGEST_WAIT, resume_delay
from sweeper.domain.record import SweepState
from sweeper.domain.settling import UNFINDABLE, unfindable
from sweeper.domain.sweep import ResumeSpec, TimeoutsSpec, UserSuspended
from sweeper.domain.trial import FailureClass, Trial, TrialState
from tests.support.builders import NOW, QUARANTINE, a_spec, a_sweep, a_trial, after

HOUR = timedelta(hours=1)
OPEN = SweepState.OPEN
NOT_OPEN = [SweepState.PAUSED, SweepState.SUSPENDED]


def act(
    trial: Trial,
    *,
    state: SweepState = OPEN,
    at: float = 0,
    quarantine: timedelta = QUARANTINE,
    **spec: Any,
) -> Action | None:
    """Return what is done for a trial, `at` seconds after `NOW`."""
    sweep = a_sweep(state=state)
    return care(trial, sweep, a_spec(**spec), after(seconds=at), quarantine)


def left_open(**fields: Any) -> Trial:
    """Return a trial whose create was sent at `NOW` and never answered."""
    return a_trial(state=TrialState.SUBMITTING, workload_id=None, **fields)


def stopped(**fields: Any) -> Trial:
    """Return a trial whose training someone else has stopped."""
    return a_trial(state=TrialState.INTERRUPTED, phase=Phase.STOPPED, **fields)


def seen_for(phase: Phase, **length: float) -> Trial:
    """Return a trial whose training was in `phase` from `NOW` on, last seen so much later."""
    return a_trial(phase=phase, seen_at=after(**length))


PATIENT = [phase for phase in Phase if phase not in {Phase.FAILED, Phase.STOPPED, Phase.COMPLETED}]


@pytest.mark.parametrize("phase", PATIENT)
def test_most_phases_ask_for_nothing_but_patience(phase: Phase) -> None:
    assert act(seen_for(phase, seconds=30), at=30) is None


@pytest.mark.parametrize(
    "phase",
    [
        Phase.CREATING,
        Phase.INITIALIZING,
        Phase.RESUMING,
        Phase.STOPPING,
        Phase.TERMINATING,
    ],
)
def test_a_training_too_long_in_a_phase_is_deleted(phase: Phase) -> None:
    trial = seen_for(phase, minutes=31)

    action = act(trial, at=1860)

    assert isinstance(action, Delete)
    assert action.trial.submission.delete_sent_at == after(minutes=31)
    assert f"in phase {phase} for longer than" in action.trial.submission.reason


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RUNNING, Phase.DEGRADED, Phase.UPDATING])
def test_a_training_may_queue_and_run_for_ever(phase: Phase) -> None:
    assert act(seen_for(phase, days=365), at=365 * 86400) is None


def test_running_has_a_timeout_if_asked_for() -> None:
    trial = seen_for(Phase.RUNNING, hours=2)

    assert isinstance(act(trial, at=7200, timeouts=TimeoutsSpec(running=HOUR)), Delete)


def test_a_timeout_counts_only_what_was_seen() -> None:
    trial = a_trial(phase=Phase.INITIALIZING, seen_at=NOW)

    assert act(trial, at=86400) is None


@pytest.mark.parametrize("delete_sent_at", [None, NOW])
def test_a_stuck_deleting_is_held(delete_sent_at: Any) -> None:
    trial = replace(
        seen_for(Phase.DELETING, minutes=16),
        submission=replace(
            seen_for(Phase.DELETING, minutes=16).submission, delete_sent_at=delete_sent_at
        ),
    )

    action = act(trial, at=960)

    assert isinstance(action, Record)
    assert action.trial.state is TrialState.HELD
    assert act(action.trial, at=960) is None


def test_a_failed_training_is_looked_into_once_at_a_time() -> None:
    action = act(a_trial(phase=Phase.FAILED))

    assert isinstance(action, Inspect)
    assert act(action.trial) is None
    assert isinstance(act(action.trial, at=5), Inspect)


@pytest.mark.parametrize(
    ("sent", "missing", "gone"),
    [
        pytest.param(-300, -29, False, id="just missing"),
        pytest.param(-300, -30, True, id="missing for long"),
        pytest.param(-59, -50, False, id="just created"),
        pytest.param(-60, -50, True, id="created a while ago"),
    ],
)
def test_a_404_is_believed_late(sent: float, missing: float, gone: bool) -> None:
    trial = a_trial(sent_at=after(seconds=sent), missing_since=after(seconds=missing))

    assert isinstance(act(trial), Inspect) is gone


@pytest.mark.parametrize(
    ("sent", "is_last_word"),
    [pytest.param(-59, False, id="young"), pytest.param(-60, True, id="old")],
)
@pytest.mark.parametrize("seen_at", [None, NOW], ids=["never seen", "seen"])
@pytest.mark.parametrize("cancel_asked_at", [None, NOW], ids=["overdue", "given up"])
def test_after_our_delete_a_404_is_looked_into_at_once_and_believed_of_old_ones_alone(
    seen_at: Any, sent: float, is_last_word: bool, cancel_asked_at: Any
) -> None:
    trial = a_trial(
        cancel_asked_at=cancel_asked_at,
        seen_at=seen_at,
        sent_at=after(seconds=sent),
        delete_sent_at=NOW,
        missing_since=NOW,
    )

    action = act(trial)

    assert isinstance(action, Inspect)
    assert action.is_last_word is is_last_word


class TestCreateLeftOpen:
    def test_it_is_never_sent_again_at_once(self) -> None:
        assert act(left_open()) is None
        assert act(left_open(), at=2.9) is None

    def test_it_is_looked_up_every_few_seconds(self) -> None:
        action = act(left_open(), at=3)

        assert isinstance(action, LookUp)
        assert act(action.trial, at=5.9) is None
        assert isinstance(act(action.trial, at=6), LookUp)

    def test_a_look_up_that_was_not_answered_does_not_count(self) -> None:
        action = act(left_open(), at=30)

        assert isinstance(action, LookUp)
        assert isinstance(act(action.trial, at=60), LookUp)

    @pytest.mark.parametrize(("looked", "sent"), [(19, False), (20, True)])
    def test_it_is_sent_again_only_when_absent_after_the_quarantine(
        self, looked: float, sent: bool
    ) -> None:
        trial = left_open(looked_up_at=after(seconds=looked))

        assert isinstance(act(trial, at=30), Submit) is sent

    def test_it_is_not_sent_again_on_an_old_look_up(self) -> None:
        trial = left_open(looked_up_at=after(seconds=20))

        assert isinstance(act(trial, at=35), Submit)
        assert isinstance(act(trial, at=36), LookUp)

    def test_it_is_sent_again_under_the_same_name(self) -> None:
        trial = left_open(looked_up_at=after(seconds=20))

        action = act(trial, at=25)

        assert isinstance(action, Submit)
        submission = action.trial.submission
        assert submission.workload_name == trial.submission.workload_name
        assert (submission.sent_at, submission.looked_up_at) == (after(seconds=25), None)
        assert act(action.trial, at=25) is None

    def test_without_a_quarantine_one_look_is_enough(self) -> None:
        trial = left_open(looked_up_at=after(seconds=3))

        assert isinstance(act(trial, at=3, quarantine=timedelta()), Submit)

    @pytest.mark.parametrize(
        ("looked", "cleanup", "sent"),
        [(59, 59, False), (60, 59, True), (20, 60, True), (20, None, True)],
    )
    def test_one_that_is_soon_deleted_is_waited_for_until_every_listing_must_show_it(
        self, looked: float, cleanup: float | None, sent: bool
    ) -> None:
        trial = left_open(looked_up_at=after(seconds=looked))
        kept = None if cleanup is None else timedelta(seconds=cleanup)

        assert isinstance(act(trial, at=looked, cleanup=kept), Submit) is sent

    @pytest.mark.parametrize("state", NOT_OPEN)
    def test_it_is_looked_up_but_not_sent_while_the_sweep_pauses(self, state: SweepState) -> None:
        assert isinstance(act(left_open(), at=3, state=state), LookUp)
        assert act(left_open(looked_up_at=after(seconds=20)), at=30, state=state) is None

    def test_it_fails_when_absent_and_the_sweep_stopped(self) -> None:
        trial = left_open(looked_up_at=after(seconds=60))

        action = act(trial, at=60, state=SweepState.STOPPED)

        assert isinstance(action, Record)
        assert (action.trial.state, action.trial.holds_slot) == (TrialState.FAILED, False)

    @pytest.mark.parametrize("state", [SweepState.STOPPED, SweepState.FINISHED])
    def test_where_nothing_can_find_it_the_end_of_its_sweep_holds_it(
        self, state: SweepState
    ) -> None:
        unfound = unfindable(left_open(), after(seconds=60)).trial

        action = act(unfound, at=60, state=state)

        assert isinstance(action, Record)
        assert (action.trial.state, action.trial.holds_slot) == (TrialState.HELD, True)
        assert action.trial.reason == UNFINDABLE

    @pytest.mark.parametrize("state", [SweepState.STOPPED, SweepState.CANCELLING])
    def test_it_is_not_given_up_before_a_late_listing_must_have_it(self, state: SweepState) -> None:
        trial = left_open(looked_up_at=after(seconds=59), cancel_asked_at=None)

        assert isinstance(act(trial, at=62, state=state), LookUp)

    def test_a_held_one_waits_for_a_person(self) -> None:
        assert act(replace(left_open(), state=TrialState.HELD), at=100) is None

    def test_one_surely_not_sent_is_sent_without_a_look(self) -> None:
        assert isinstance(act(left_open(sent_at=None)), Submit)


class TestStopped:
    def test_what_someone_else_stopped_is_resumed_and_counted(self) -> None:
        action = act(stopped(resumes=2))

        assert isinstance(action, Resume)
        assert (action.trial.state, action.trial.submission.resumes) == (TrialState.RESUMING, 3)
        assert act(action.trial) is None

    def test_the_next_resume_waits_out_the_backoff(self) -> None:
        action = act(stopped(resumes=2))

        assert isinstance(action, Resume)
        assert act(action.trial, at=119) is None
        assert isinstance(act(action.trial, at=240), Resume)

    def test_a_resume_is_given_time_to_show_however_short_the_backoff(self) -> None:
        action = act(stopped(), resume=ResumeSpec(backoff=timedelta()))

        assert isinstance(action, Resume)
        assert act(action.trial, at=9, resume=ResumeSpec(backoff=timedelta())) is None
        again = act(action.trial, at=10, resume=ResumeSpec(backoff=timedelta()))
        assert isinstance(again, Resume)

    def test_a_spent_budget_is_held(self) -> None:
        action = act(stopped(resumes=20))

        assert isinstance(action, Record)
        assert action.trial.state is TrialState.HELD
        assert "resumed 20 times" in action.trial.reason

    @pytest.mark.parametrize(
        "resume", [ResumeSpec(enabled=False), ResumeSpec(user_suspended=UserSuspended.LEAVE)]
    )
    def test_what_is_to_be_left_alone_is(self, resume: ResumeSpec) -> None:
        assert act(stopped(), resume=resume) is None

    @pytest.mark.parametrize(
        "resume", [ResumeSpec(enabled=False), ResumeSpec(user_suspended=UserSuspended.LEAVE)]
    )
    def test_what_we_suspended_is_resumed_uncounted_whatever_the_policy(
        self, resume: ResumeSpec
    ) -> None:
        action = act(stopped(suspend_sent_at=NOW, resumes=20), resume=resume)

        assert isinstance(action, Resume)
        assert action.trial.submission.resumes == 20

    def test_a_lost_resume_of_ours_is_repeated_and_counted(self) -> None:
        taken_back = act(stopped(suspend_sent_at=after(seconds=-60)))
        assert isinstance(taken_back, Resume)

        again = act(taken_back.trial, at=60, resume=ResumeSpec(enabled=False))

        assert isinstance(again, Resume)
        assert again.trial.submission.resumes == 1

    @pytest.mark.parametrize("suspend_sent_at", [None, NOW])
    def test_nothing_is_resumed_while_the_sweep_is_suspended(self, suspend_sent_at: Any) -> None:
        trial = stopped(suspend_sent_at=suspend_sent_at)

        assert act(trial, state=SweepState.SUSPENDED) is None

    @pytest.mark.parametrize("state", [SweepState.PAUSED, SweepState.STOPPED])
    def test_trainings_go_on_while_nothing_new_is_submitted(self, state: SweepState) -> None:
        assert isinstance(act(stopped(), state=state), Resume)

    def test_a_held_one_is_not_fought(self) -> None:
        assert act(replace(stopped(), state=TrialState.HELD), at=10**6) is None

    def test_one_that_we_delete_is_not_resumed(self) -> None:
        assert act(stopped(delete_sent_at=NOW)) is None


class TestSuspending:
    @pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PENDING, Phase.INITIALIZING])
    def test_a_suspended_sweep_suspends_its_trainings(self, phase: Phase) -> None:
        action = act(a_trial(phase=phase), state=SweepState.SUSPENDED)

        assert isinstance(action, Suspend)
        assert action.trial.submission.suspend_sent_at == NOW
        assert act(action.trial, state=SweepState.SUSPENDED) is None

    @pytest.mark.parametrize("phase", [Phase.STOPPING, Phase.TERMINATING, Phase.UNKNOWN])
    def test_what_is_leaving_or_unknown_is_left_alone(self, phase: Phase) -> None:
        assert act(a_trial(phase=phase), state=SweepState.SUSPENDED) is None

    def test_a_suspend_that_is_not_obeyed_is_repeated(self) -> None:
        trial = a_trial(suspend_sent_at=NOW)

        assert act(trial, at=59, state=SweepState.SUSPENDED) is None
        assert isinstance(act(trial, at=60, state=SweepState.SUSPENDED), Suspend)

    def test_a_suspend_that_failed_is_repeated_after_its_backoff(self) -> None:
        trial = a_trial(suspend_sent_at=NOW, calls_failed=1, next_call_at=after(seconds=2))

        assert act(trial, at=1, state=SweepState.SUSPENDED) is None
        action = act(trial, at=2, state=SweepState.SUSPENDED)
        assert isinstance(action, Suspend)
        assert act(action.trial, at=2, state=SweepState.SUSPENDED) is None


class TestGivingUp:
    @pytest.mark.parametrize("phase", [*PATIENT, Phase.STOPPED])
    def test_a_training_that_lives_is_deleted_whatever_its_phase(self, phase: Phase) -> None:
        action = act(a_trial(phase=phase, cancel_asked_at=NOW))

        assert isinstance(action, Delete)
        assert act(action.trial) is None

    def test_a_cancelled_sweep_gives_up_every_trial(self) -> None:
        action = act(a_trial(), state=SweepState.CANCELLING)

        assert isinstance(action, Delete)
        assert action.trial.cancel_asked_at == NOW

    def test_no_backoff_delays_the_first_delete(self) -> None:
        trial = stopped(next_call_at=after(minutes=10), cancel_asked_at=NOW)

        assert isinstance(act(trial), Delete)

    def test_a_delete_that_failed_is_repeated_after_its_backoff(self) -> None:
        fields: dict[str, Any] = {"delete_sent_at": NOW, "calls_failed": 1}
        trial = a_trial(cancel_asked_at=NOW, next_call_at=after(seconds=2), **fields)

        assert act(trial, at=1) is None
        action = act(trial, at=2)
        assert isinstance(action, Delete)
        assert act(action.trial, at=2) is None

    def test_a_delete_that_is_not_obeyed_is_repeated(self) -> None:
        trial = a_trial(cancel_asked_at=NOW, delete_sent_at=NOW)

        assert act(trial, at=59) is None
        assert isinstance(act(trial, at=60), Delete)

    def test_a_stuck_delete_is_held_and_not_repeated(self) -> None:
        trial = seen_for(Phase.DELETING, minutes=16)

        action = act(replace(trial, cancel_asked_at=NOW), at=960)

        assert isinstance(action, Record)
        assert action.trial.state is TrialState.HELD
        assert act(action.trial, at=9600) is None

    def test_a_held_training_is_deleted_too(self) -> None:
        trial = replace(stopped(), state=TrialState.HELD)

        assert isinstance(act(trial, state=SweepState.CANCELLING), Delete)

    @pytest.mark.parametrize(
        "trial",
        [
            pytest.param(left_open(sent_at=None), id="surely not sent"),
            pytest.param(left_open(looked_up_at=after(seconds=60)), id="absent"),
            pytest.param(
                a_trial(state=TrialState.INTERRUPTED, ended_at=NOW, retry_at=after(seconds=9)),
                id="between attempts",
            ),
        ],
    )
    def test_without_a_training_it_is_over_at_once(self, trial: Trial) -> None:
        action = act(trial, state=SweepState.CANCELLING)

        assert isinstance(action, Record)
        assert action.trial.state is TrialState.CANCELLED
        assert not action.trial.holds_slot

    @pytest.mark.parametrize("state", [TrialState.SUBMITTING, TrialState.HELD])
    def test_a_create_left_open_is_looked_up_before_it_is_given_up(self, state: TrialState) -> None:
        trial = replace(left_open(), state=state, cancel_asked_at=NOW)

        assert act(trial, at=1) is None
        action = act(trial, at=3)
        assert isinstance(action, LookUp)
        assert act(action.trial, at=3) is None

    def test_the_wish_is_recorded_although_there_is_nothing_to_do_yet(self) -> None:
        action = act(left_open(), at=1, state=SweepState.CANCELLING)

        assert isinstance(action, Record)
        assert action.trial.cancel_asked_at == after(seconds=1)
        assert act(action.trial, at=1, state=SweepState.CANCELLING) is None

    def test_what_failed_meanwhile_is_looked_into(self) -> None:
        action = act(a_trial(phase=Phase.FAILED, cancel_asked_at=NOW))

        assert isinstance(action, Inspect)
        assert act(action.trial) is None

    def test_a_look_into_a_failure_waits_out_its_backoff(self) -> None:
        trial = a_trial(phase=Phase.FAILED, next_call_at=after(seconds=5))

        action = act(trial, state=SweepState.CANCELLING)

        assert isinstance(action, Record)
        assert not action.trial.state.is_terminal

    def test_a_training_that_does_not_show_yet_is_deleted_all_the_same(self) -> None:
        trial = a_trial(cancel_asked_at=NOW, seen_at=None, missing_since=NOW)

        assert isinstance(act(trial, at=1), Delete)


def test_nothing_is_done_before_a_wait_is_over() -> None:
    trial = stopped(next_call_at=after(seconds=30))

    assert act(trial, at=29) is None
    assert isinstance(act(trial, at=30), Resume)


def test_a_wait_longer_than_any_comes_from_a_clock_that_was_set_back() -> None:
    trial = stopped(next_call_at=NOW + LONGEST_WAIT + timedelta(seconds=1))

    assert isinstance(act(trial), Resume)


def test_a_past_that_lies_ahead_is_set_right_first() -> None:
    trial = left_open(sent_at=after(days=1))

    action = act(trial)

    assert isinstance(action, Record)
    assert action.trial.submission.sent_at == NOW
    assert isinstance(act(action.trial, at=3), LookUp)


@pytest.mark.parametrize("state", [SweepState.STOPPED, SweepState.FINISHED])
def test_a_trial_between_attempts_ends_with_its_sweep(state: SweepState) -> None:
    trial = a_trial(
        state=TrialState.INTERRUPTED,
        ended_at=NOW,
        retry_at=after(seconds=9),
        failure=FailureClass.TIMEOUT,
    )

    action = act(trial, state=state)

    assert isinstance(action, Record)
    assert (action.trial.state, action.trial.retry_at) == (TrialState.FAILED, None)


@pytest.mark.parametrize("state", [OPEN, *NOT_OPEN])
def test_a_trial_between_attempts_waits_while_its_sweep_may_go_on(state: SweepState) -> None:
    trial = a_trial(state=TrialState.INTERRUPTED, ended_at=NOW, retry_at=NOW)

    assert act(trial, at=100, state=state) is None


@pytest.mark.parametrize(("seconds", "is_last"), [(59, False), (60, True)])
def test_a_look_at_what_is_lost_is_the_last_word_once_all_are_found_out(
    seconds: float, is_last: bool
) -> None:
    trial = a_trial(missing_since=after(hours=-1), lost_since=NOW, sent_at=after(hours=-1))

    action = act(trial, at=seconds)

    assert isinstance(action, Inspect)
    assert action.is_last_word is is_last


@pytest.mark.parametrize("calls_failed", [0, 1])
def test_only_a_call_that_failed_before_is_left_alone_while_it_is_made(calls_failed: int) -> None:
    trial = a_trial(cancel_asked_at=NOW, calls_failed=calls_failed)

    action = act(trial)

    assert isinstance(action, Delete)
    due = NOW + NO_TWO_ANSWERS if calls_failed else None
    assert action.trial.submission.next_call_at == due


@pytest.mark.parametrize(("seconds", "is_repeated"), [(59, False), (60, True)])
def test_a_delete_after_a_timeout_that_is_not_obeyed_is_repeated(
    seconds: float, is_repeated: bool
) -> None:
    trial = a_trial(phase=Phase.CREATING, delete_sent_at=NOW)

    assert isinstance(act(trial, at=seconds), Delete) is is_repeated


@pytest.mark.parametrize("resumes", [0, 2])
def test_the_next_resume_waits_as_long_as_the_policy_says(resumes: int) -> None:
    trial = stopped(resumes=resumes)
    delay = resume_delay(resumes + 1, ResumeSpec(), trial.submission.workload_name)

    action = act(trial)

    assert delay is not None
    assert isinstance(action, Resume)
    assert action.trial.submission.next_call_at == NOW + delay


def test_a_resume_at_the_very_time_of_our_suspend_came_after_it() -> None:
    action = act(stopped(suspend_sent_at=NOW, resume_sent_at=NOW))

    assert isinstance(action, Resume)
    assert action.trial.submission.resumes == 1
