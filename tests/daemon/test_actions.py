from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sweeper.daemon.actions import WORD_PATIENCE, Done, Hands
from sweeper.domain.actions import Action, Delete, Inspect, LookUp, Record, Resume, Submit, Suspend
from sweeper.domain.change import Change
from sweeper.domain.phase import Phase
from sweeper.domain.settling import UNFINDABLE
from sweeper.domain.trial import FailureClass, Observation, Trial, TrialState
from sweeper.errors import (
    AmbiguousError,
    AuthError,
    ControlPlaneError,
    ForbiddenError,
    InvalidTransitionError,
    NotSentError,
    RejectedError,
    RenderingError,
    StoreError,
    TrainingGoneError,
    TransientError,
    UnsupportedError,
)
from sweeper.ports import TrainingRequest
from tests.support.builders import NOW, a_spec, a_trial, after, an_event
from tests.support.clock import Clock
from tests.support.daemon import is_ours, labels_of, request_of
from tests.support.remote import Fault, Remote, lost_answer, unreadable

SUBMITTING = a_trial(state=TrialState.SUBMITTING, workload_id=None)


class Scene:
    """Hands on a server, ten seconds after `NOW`."""

    def __init__(self, **fields: Any) -> None:
        self.clock = Clock(after(seconds=10))
        self.remote = Remote(now=self.clock, **fields)
        self.written: list[Mapping[str, str]] = []
        self.hands = Hands(
            control_plane=self.remote,
            spec=a_spec(),
            request=request_of,
            is_ours=is_ours,
            write_files=self.write,
            now=self.clock,
        )

    async def write(self, files: Mapping[str, str]) -> None:
        self.written.append(files)

    def serve(self, trial: Trial, phase: Phase = Phase.RUNNING) -> Trial:
        """Put the trial's training on the server; return the trial at its id."""
        training = self.remote.add(trial.submission.workload_name, labels_of(trial), phase)
        submission = replace(trial.submission, workload_id=training.workload_id, phase=phase)
        return replace(trial, submission=submission)

    async def do(self, kind: type[Action], trial: Trial, before: Trial | None = None) -> Done:
        return await self.hands.carry_out(kind(trial=trial, before=before))


def outcomes(done: Done) -> list[str]:
    return [f"{event.kind}: {event.outcome}" for event in done.change.events]


class TestSubmit:
    async def test_a_create_is_answered_with_an_id(self) -> None:
        scene = Scene()

        done = await scene.do(Submit, SUBMITTING)

        assert done.error is None
        assert done.change.trial.submission.workload_id == scene.remote.newest(0).workload_id
        assert outcomes(done) == ["submission: created", "transition: active"]

    async def test_files_are_there_before_the_training(self) -> None:
        scene = Scene()
        files = {"/srv/params.json": "{}"}
        scene.hands = replace(
            scene.hands, request=lambda trial: replace(request_of(trial), files=files)
        )
        scene.remote.down = NotSentError("no connection")

        await scene.do(Submit, SUBMITTING)

        assert scene.written == [files]

    @pytest.mark.parametrize(
        ("error", "outcome", "is_sent"),
        [
            (NotSentError("no connection"), "not_sent", False),
            (TransientError("429", retry_after=60), "not_sent", False),
            (AuthError("refused"), "not_sent", False),
            (UnsupportedError("404"), "not_sent", False),
            (ForbiddenError("403"), "forbidden", False),
            (AmbiguousError("503"), "ambiguous", True),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
    )
    async def test_every_error_says_whether_the_create_may_have_happened(
        self, error: ControlPlaneError, outcome: str, is_sent: bool
    ) -> None:
        scene = Scene()
        scene.remote.faults = {("create", 1): Fault(error=error)}

        done = await scene.do(Submit, SUBMITTING)

        trial = done.change.trial
        assert done.error is error
        assert outcomes(done) == [f"submission: {outcome}"]
        assert (trial.submission.sent_at is not None) is is_sent
        assert (trial.state, trial.holds_slot) == (TrialState.SUBMITTING, True)

    @pytest.mark.parametrize(
        "error", [NotSentError("no connection"), TransientError("429"), ForbiddenError("403")]
    )
    async def test_a_repeat_that_was_not_sent_leaves_the_create_before_it_open(
        self, error: ControlPlaneError
    ) -> None:
        scene = Scene()
        scene.remote.faults = {("create", 1): Fault(error=error)}
        looked = replace(SUBMITTING.submission, looked_up_at=after(seconds=20))
        before = replace(SUBMITTING, submission=looked)

        done = await scene.do(Submit, SUBMITTING, before=before)

        submission = done.change.trial.submission
        assert (submission.sent_at, submission.looked_up_at) == (looked.sent_at, None)

    async def test_a_refusal_for_good_fails_the_trial(self) -> None:
        scene = Scene()
        scene.remote.faults = {("create", 1): Fault(error=RejectedError("400: image"))}

        done = await scene.do(Submit, SUBMITTING)

        assert isinstance(done.error, RejectedError)
        assert done.change.trial.state is TrialState.FAILED
        assert scene.remote.requests("find") == 0

    async def test_a_refusal_after_an_earlier_send_is_looked_into_first(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING)
        scene.remote.faults = {("create", 1): Fault(error=RejectedError("400: odd words"))}

        done = await scene.do(Submit, SUBMITTING, before=SUBMITTING)

        assert done.error is None
        assert "submission: adopted" in outcomes(done)

    async def test_a_refusal_fails_nothing_while_the_one_sent_before_cannot_be_read(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING)
        scene.remote.faults = {
            ("create", 1): Fault(error=RejectedError("400: odd words")),
            ("get", 1): Fault(error=TrainingGoneError("404")),
        }

        done = await scene.do(Submit, SUBMITTING, before=SUBMITTING)

        assert done.change.trial.state is TrialState.SUBMITTING

    async def test_a_refusal_is_not_believed_while_the_one_sent_before_cannot_be_found(
        self,
    ) -> None:
        scene = Scene(has_listing=False)
        scene.remote.faults = {("create", 1): Fault(error=RejectedError("400: odd words"))}

        done = await scene.do(Submit, SUBMITTING, before=SUBMITTING)

        assert done.change.trial.state is TrialState.HELD
        assert "no listing" in done.change.trial.reason
        assert "odd words" in done.change.trial.reason

    async def test_a_refusal_after_an_earlier_send_that_never_landed_fails_it(self) -> None:
        scene = Scene()
        scene.remote.faults = {("create", 1): Fault(error=RejectedError("400: image"))}

        done = await scene.do(Submit, SUBMITTING, before=SUBMITTING)

        assert done.change.trial.state is TrialState.FAILED

    async def test_a_name_that_is_taken_by_us_is_adopted(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING)

        done = await scene.do(Submit, SUBMITTING)

        assert done.error is None
        assert outcomes(done)[:2] == ["look_up: found", "submission: adopted"]

    async def test_a_name_that_is_taken_by_others_is_held(self) -> None:
        scene = Scene()
        scene.remote.add(SUBMITTING.submission.workload_name, {}, Phase.RUNNING)

        done = await scene.do(Submit, SUBMITTING)

        assert done.change.trial.state is TrialState.HELD
        assert "not ours (other-0)" in done.change.trial.reason

    async def test_a_taken_name_that_nobody_can_list_is_held(self) -> None:
        scene = Scene(has_listing=False)
        scene.serve(SUBMITTING)

        done = await scene.do(Submit, SUBMITTING)

        assert done.change.trial.state is TrialState.HELD
        assert "has no listing" in done.change.trial.reason

    async def test_a_taken_name_that_does_not_show_yet_is_looked_up_again(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING)
        scene.remote.trainings[0].visible_at = after(hours=1)

        done = await scene.do(Submit, SUBMITTING)

        assert done.change.trial.state is TrialState.SUBMITTING
        assert done.change.trial.submission.sent_at == NOW
        assert outcomes(done) == ["look_up: absent"]

    async def test_an_answer_about_another_training_leaves_it_open(self) -> None:
        class Mixed(Remote):
            async def create(self, request: TrainingRequest) -> Observation:
                return replace(await Remote.create(self, request), name="another")

        scene = Scene()
        scene.hands = replace(scene.hands, control_plane=Mixed(now=scene.clock))

        done = await scene.do(Submit, SUBMITTING)

        assert isinstance(done.error, AmbiguousError)
        assert done.change.trial.submission.sent_at == NOW

    @pytest.mark.parametrize("error", [OSError("no space left on device"), KeyError("odd")])
    async def test_what_cannot_be_prepared_was_surely_not_sent(self, error: Exception) -> None:
        async def full(files: Mapping[str, str]) -> None:
            raise error

        scene = Scene()
        scene.hands = replace(scene.hands, write_files=full)

        done = await scene.do(Submit, SUBMITTING)

        assert outcomes(done) == ["submission: not_sent"]
        assert done.change.trial.submission.sent_at is None
        assert scene.remote.requests() == 0

    async def test_what_cannot_be_rendered_fails(self) -> None:
        def unrenderable(trial: Trial) -> TrainingRequest:
            raise RenderingError("parameters.lr: a control character")

        scene = Scene()
        scene.hands = replace(scene.hands, request=unrenderable)

        done = await scene.do(Submit, SUBMITTING)

        assert done.change.trial.state is TrialState.FAILED
        assert outcomes(done)[0] == "submission: rejected"

    async def test_a_bug_in_the_middle_of_a_create_leaves_it_open(self) -> None:
        class Broken(Remote):
            async def create(self, request: TrainingRequest) -> Observation:
                raise KeyError(request.name)

        scene = Scene()
        scene.hands = replace(scene.hands, control_plane=Broken(now=scene.clock))

        done = await scene.do(Submit, SUBMITTING)

        assert outcomes(done) == ["submission: ambiguous"]
        assert done.change.trial.submission.sent_at == NOW


class TestLookUp:
    async def test_what_is_found_and_ours_is_adopted_as_it_stands(self) -> None:
        scene = Scene()
        known = scene.serve(SUBMITTING)

        done = await scene.do(LookUp, SUBMITTING)

        submission = done.change.trial.submission
        assert submission.workload_id == known.submission.workload_id
        assert submission.is_at_work

    async def test_nothing_found_counts_from_when_it_was_asked(self) -> None:
        class Slow(Remote):
            async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
                found = await super().find(name, deleted=deleted)
                self.now.turn(7)
                return found

        scene = Scene()
        slow = Slow(now=scene.clock)
        scene.hands = replace(scene.hands, control_plane=slow)

        done = await scene.do(LookUp, SUBMITTING)

        assert done.change.trial.submission.looked_up_at == after(seconds=10)
        assert outcomes(done) == ["look_up: absent"]

    async def test_a_failed_look_up_is_none(self) -> None:
        scene = Scene()
        scene.remote.faults = {("find", 1): unreadable()}

        done = await scene.do(LookUp, SUBMITTING)

        assert done.change.trial.submission.looked_up_at is None
        assert outcomes(done) == ["look_up: failed"]

    async def test_ours_is_found_behind_a_namesake(self) -> None:
        scene = Scene(has_unique_names=False)
        scene.remote.add(SUBMITTING.submission.workload_name, {"copy": "1"}, Phase.RUNNING)
        ours = scene.serve(SUBMITTING)

        done = await scene.do(LookUp, SUBMITTING)

        assert done.change.trial.submission.workload_id == ours.submission.workload_id

    async def test_a_namesake_is_never_adopted(self) -> None:
        scene = Scene()
        scene.remote.add(SUBMITTING.submission.workload_name, {"copy": "1"}, Phase.RUNNING)

        done = await scene.do(LookUp, SUBMITTING)

        assert done.change.trial.state is TrialState.HELD
        assert done.change.trial.submission.workload_id is None
        assert outcomes(done) == ["look_up: foreign", "transition: held"]

    async def test_what_is_listed_and_cannot_be_read_yet_is_looked_up_again(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING)
        scene.remote.faults = {("get", 1): Fault(error=TrainingGoneError("404"))}

        done = await scene.do(LookUp, SUBMITTING)

        assert done.change == Change(trial=done.action.trial)

    async def test_what_is_gone_between_listing_and_reading_is_deleted(self) -> None:
        class Vanishing(Remote):
            async def find(self, name: str, *, deleted: bool = False) -> Sequence[Observation]:
                found = await Remote.find(self, name, deleted=deleted)
                self.trainings[0].deleted_at = NOW
                return found

        scene = Scene()
        scene.serve(SUBMITTING)
        vanishing = Vanishing(now=scene.clock, trainings=scene.remote.trainings)
        scene.hands = replace(scene.hands, control_plane=vanishing)

        done = await scene.do(LookUp, SUBMITTING)

        assert outcomes(done) == ["look_up: deleted", "transition: interrupted"]
        assert done.change.trial.failure is FailureClass.VANISHED

    @pytest.mark.parametrize(
        ("phase", "state"),
        [(Phase.COMPLETED, TrialState.COMPLETED), (Phase.FAILED, TrialState.FAILED)],
    )
    async def test_what_was_finished_and_deleted_unseen_is_not_sent_again(
        self, phase: Phase, state: TrialState
    ) -> None:
        scene = Scene()
        served = scene.serve(SUBMITTING, phase)
        scene.remote.trainings[0].deleted_at = NOW

        trial = (await scene.do(LookUp, SUBMITTING)).change.trial

        assert trial.state is state
        assert trial.submission.workload_id == served.submission.workload_id

    async def test_a_deleted_one_whose_phase_is_not_said_is_looked_up_again(self) -> None:
        scene = Scene()
        scene.serve(SUBMITTING, Phase.UNKNOWN)
        scene.remote.trainings[0].deleted_at = NOW

        early = await scene.do(LookUp, SUBMITTING)
        scene.clock.turn(WORD_PATIENCE.total_seconds())
        late = await scene.do(LookUp, SUBMITTING)

        assert early.change.trial.state is TrialState.SUBMITTING
        assert late.change.trial.failure is FailureClass.VANISHED

    async def test_an_answer_about_another_training_proves_nothing(self) -> None:
        class Mixed(Remote):
            async def get(self, workload_id: str) -> Observation:
                return replace(await Remote.get(self, workload_id), workload_id="another")

        scene = Scene()
        scene.serve(SUBMITTING)
        mixed = Mixed(now=scene.clock, trainings=scene.remote.trainings)
        scene.hands = replace(scene.hands, control_plane=mixed)

        assert outcomes(await scene.do(LookUp, SUBMITTING)) == ["look_up: failed"]

    async def test_without_a_listing_only_the_quarantine_counts(self) -> None:
        scene = Scene(has_listing=False)
        scene.serve(SUBMITTING)

        done = await scene.do(LookUp, SUBMITTING)

        assert outcomes(done) == ["look_up: absent"]
        assert done.change.trial.reason == UNFINDABLE


class TestInspect:
    async def test_a_failure_is_judged_by_its_events(self) -> None:
        scene = Scene(events_of=lambda training: [an_event("Failed", exit_code=3)])

        done = await scene.do(Inspect, scene.serve(a_trial(), Phase.FAILED))

        trial = done.change.trial
        assert (trial.state, trial.submission.exit_code) == (TrialState.FAILED, 3)

    @pytest.mark.parametrize(
        "error", [UnsupportedError("404"), ForbiddenError("403"), RejectedError("400")]
    )
    async def test_a_failure_without_events_is_the_programs(self, error: ControlPlaneError) -> None:
        scene = Scene()
        scene.remote.faults = {("events", 1): Fault(error=error)}

        done = await scene.do(Inspect, scene.serve(a_trial(), Phase.FAILED))

        assert done.change.trial.failure is FailureClass.APPLICATION

    async def test_a_failure_is_not_judged_before_its_events_are_read(self) -> None:
        scene = Scene()
        scene.remote.faults = {("events", 1): unreadable()}

        done = await scene.do(Inspect, scene.serve(a_trial(), Phase.FAILED))

        assert done.change.trial.state is TrialState.ACTIVE
        assert done.change.trial.holds_slot

    async def test_a_training_that_is_there_after_all_goes_on(self) -> None:
        scene = Scene()
        trial = scene.serve(a_trial(missing_since=NOW, next_call_at=after(hours=1)))

        submission = (await scene.do(Inspect, trial)).change.trial.submission

        assert (submission.missing_since, submission.next_call_at) == (None, None)

    @pytest.mark.parametrize(
        ("phase", "state"),
        [(Phase.COMPLETED, TrialState.COMPLETED), (Phase.RUNNING, TrialState.INTERRUPTED)],
    )
    async def test_what_is_gone_is_looked_up_among_the_deleted(
        self, phase: Phase, state: TrialState
    ) -> None:
        scene = Scene()
        trial = scene.serve(a_trial(missing_since=NOW), phase)
        scene.remote.trainings[0].deleted_at = NOW

        done = await scene.do(Inspect, replace(trial, submission=_running(trial)))

        assert done.change.trial.state is state

    async def test_what_is_gone_and_of_unsaid_phase_is_asked_for_again(self) -> None:
        scene = Scene()
        trial = scene.serve(a_trial(missing_since=NOW), Phase.UNKNOWN)
        scene.remote.trainings[0].deleted_at = NOW

        early = await scene.do(Inspect, trial)
        scene.clock.turn(WORD_PATIENCE.total_seconds())
        late = await scene.do(Inspect, trial)

        assert early.change == Change(trial=early.action.trial)
        assert late.change.trial.failure is FailureClass.VANISHED

    @pytest.mark.parametrize("error", [UnsupportedError("404"), RejectedError("400")])
    async def test_what_is_gone_without_a_trace_has_vanished(
        self, error: ControlPlaneError
    ) -> None:
        scene = Scene()
        scene.remote.faults = {("find", 1): Fault(error=error)}

        done = await scene.hands.carry_out(
            Inspect(trial=a_trial(missing_since=NOW), before=None, is_last_word=True)
        )

        assert done.change.trial.failure is FailureClass.VANISHED

    async def test_what_neither_listing_has_is_lost_before_it_is_gone(self) -> None:
        scene = Scene()

        done = await scene.do(Inspect, a_trial(missing_since=NOW))

        assert done.change.trial.state is TrialState.ACTIVE
        assert done.change.trial.submission.lost_since == scene.clock()
        assert outcomes(done) == ["look_up: lost"]

    async def test_what_the_listing_of_the_living_has_is_not_gone_whatever_a_reading_says(
        self,
    ) -> None:
        scene = Scene()
        scene.remote.faults = {("get", 1): Fault(error=TrainingGoneError("404"))}
        trial = scene.serve(a_trial(delete_sent_at=NOW, missing_since=NOW, calls_failed=1))

        inspect = Inspect(trial=trial, before=None, is_last_word=True)
        submission = (await scene.hands.carry_out(inspect)).change.trial.submission

        assert submission.is_open
        assert (submission.missing_since, submission.calls_failed) == (None, 2)

    async def test_what_we_deleted_and_may_not_show_yet_is_looked_for_again(self) -> None:
        trial = a_trial(delete_sent_at=NOW, missing_since=NOW)

        done = await Scene().do(Inspect, trial)

        assert done.change == Change(trial=done.action.trial)

    async def test_what_we_deleted_is_gone_at_once_if_it_is_among_the_deleted(self) -> None:
        scene = Scene()
        trial = scene.serve(a_trial(cancel_asked_at=NOW, delete_sent_at=NOW, missing_since=NOW))
        scene.remote.trainings[0].deleted_at = NOW

        done = await scene.do(Inspect, trial)

        assert done.change.trial.state is TrialState.CANCELLED

    async def test_a_listing_of_the_living_that_fails_ends_nothing(self) -> None:
        scene = Scene()
        scene.remote.faults = {("find", 2): unreadable()}

        inspect = Inspect(trial=a_trial(missing_since=NOW), before=None, is_last_word=True)
        done = await scene.hands.carry_out(inspect)

        assert done.change.trial.submission.is_open

    async def test_a_deleted_listing_that_fails_ends_nothing(self) -> None:
        scene = Scene()
        scene.remote.faults = {("find", 1): unreadable()}

        done = await scene.do(Inspect, a_trial(missing_since=NOW))

        assert done.change.trial.state is TrialState.ACTIVE


def _running(trial: Trial) -> Any:
    return replace(trial.submission, phase=Phase.RUNNING)


CALLS = [
    pytest.param(Suspend, "suspend", id="suspend"),
    pytest.param(Resume, "resume", id="resume"),
    pytest.param(Delete, "delete", id="delete"),
]


class TestCalls:
    @pytest.mark.parametrize(("kind", "method"), CALLS)
    async def test_a_call_that_is_accepted_is_recorded(
        self, kind: type[Action], method: str
    ) -> None:
        scene = Scene()

        done = await scene.do(kind, scene.serve(a_trial(calls_failed=2)))

        assert scene.remote.requests(method) == 1
        assert done.change.trial.submission.calls_failed == 0
        assert outcomes(done) == [f"{method}: accepted"]

    @pytest.mark.parametrize(("kind", "method"), CALLS)
    async def test_a_call_that_fails_is_put_off(self, kind: type[Action], method: str) -> None:
        scene = Scene()
        scene.remote.faults = {(method, 1): lost_answer()}

        done = await scene.do(kind, scene.serve(a_trial()))

        assert isinstance(done.error, AmbiguousError)
        assert done.change.trial.submission.next_call_at is not None
        assert outcomes(done) == [f"{method}: failed"]

    @pytest.mark.parametrize(("kind", "method"), CALLS)
    async def test_a_call_that_finds_no_training_notes_it_missing(
        self, kind: type[Action], method: str
    ) -> None:
        done = await Scene().do(kind, a_trial())

        assert done.change.trial.submission.missing_since == after(seconds=10)
        assert done.change.trial.holds_slot
        assert outcomes(done) == (["delete: gone"] if kind is Delete else [])

    @pytest.mark.parametrize(
        ("error", "counted"),
        [(AmbiguousError("503"), 4), (TransientError("429"), 4), (RejectedError("400"), 5)],
    )
    async def test_only_a_refused_resume_uses_up_its_budget(
        self, error: ControlPlaneError, counted: int
    ) -> None:
        scene = Scene()
        scene.remote.faults = {("resume", 1): Fault(error=error)}
        before = scene.serve(a_trial(resumes=4))
        asked = replace(before, submission=replace(before.submission, resumes=5))

        done = await scene.do(Resume, asked, before=before)

        assert done.change.trial.submission.resumes == counted

    async def test_a_record_calls_nothing(self) -> None:
        scene = Scene()

        done = await scene.do(Record, a_trial())

        assert (done.change.trial, scene.remote.requests()) == (a_trial(), 0)


class TestBoundary:
    @pytest.mark.parametrize("error", [KeyError("odd"), ValueError("odd"), OSError("odd")])
    async def test_one_trial_never_ends_the_sweep(self, error: Exception) -> None:
        done = await _with_broken_delete(error).do(Delete, a_trial())

        assert outcomes(done) == ["delete: failed"]
        assert done.change.trial.submission.calls_failed == 1

    @pytest.mark.parametrize(
        ("error", "detail"),
        [
            (TransientError("503"), "transient: 503"),
            (RejectedError("no"), "rejected: no"),
            (KeyError("odd"), "key: 'odd'"),
        ],
    )
    async def test_the_record_of_acts_has_the_class_of_what_went_wrong(
        self, error: Exception, detail: str
    ) -> None:
        done = await _with_broken_delete(error).do(Delete, a_trial())

        assert [event.detail for event in done.change.events] == [detail]

    @pytest.mark.parametrize("error", [StoreError("full"), InvalidTransitionError("bug")])
    async def test_what_concerns_the_whole_sweep_passes_through(self, error: Exception) -> None:
        with pytest.raises(type(error)):
            await _with_broken_delete(error).do(Delete, a_trial())

    async def test_a_store_that_fails_while_files_are_written_passes_through(self) -> None:
        async def full(files: Mapping[str, str]) -> None:
            raise StoreError("full")

        scene = Scene()
        scene.hands = replace(scene.hands, write_files=full)

        with pytest.raises(StoreError):
            await scene.do(Submit, SUBMITTING)

    async def test_an_action_that_nobody_knows_is_a_bug_of_ours(self) -> None:
        done = await Scene().do(Action, a_trial())

        assert outcomes(done) == ["look_up: failed"]

    async def test_a_trial_without_a_training_cannot_be_deleted(self) -> None:
        scene = Scene()

        done = await scene.do(Delete, SUBMITTING)

        assert scene.remote.requests() == 0
        assert outcomes(done) == ["delete: failed"]


def _with_broken_delete(error: Exception) -> Scene:
    class Broken(Remote):
        async def delete(self, workload_id: str) -> None:
            raise error

    scene = Scene()
    scene.hands = replace(scene.hands, control_plane=Broken(now=scene.clock))
    return scene
