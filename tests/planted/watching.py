"""Bugs of watching trainings: readings that say nothing, 404s, suspends, preemptions, clocks."""

from tests.planted.bug import Bug

WATCHING = (
    Bug(
        name="new-word-taken-for-failed",
        fault="A phase that we do not know counts as Failed.",
        path="sweeper/domain/phase.py",
        old=("        except ValueError:\n            return cls.UNKNOWN\n"),
        new=("        except ValueError:\n            return cls.FAILED\n"),
        finder="tests/domain/test_phase.py::test_a_missing_or_new_word_is_no_information",
    ),
    Bug(
        name="unknown-taken-for-completed",
        fault="A training in phase Unknown counts as completed.",
        path="sweeper/domain/phase.py",
        old="        Phase.UNKNOWN: PhaseMeaning.UNKNOWN,\n",
        new="        Phase.UNKNOWN: PhaseMeaning.COMPLETED,\n",
        finder=(
            "tests/domain/test_observing.py::test_every_phase_has_a_consequence_for_a_trial_at_work"
        ),
    ),
    Bug(
        name="silence-taken-for-404",
        fault="A reading that failed counts as the control plane not knowing the training.",
        path="sweeper/daemon/observer.py",
        old=("            except ControlPlaneError as error:\n                errors["),
        new=(
            "            except ControlPlaneError as error:\n"
            "                changes.append(Change(trial=missing(trial, now)))\n"
            "                errors["
        ),
        finder="tests/daemon/test_observer.py::test_a_single_read_that_fails_spoils_no_listing",
    ),
    Bug(
        name="absence-from-a-listing-taken-for-404",
        fault=("What a page of the listing lacks counts as gone, though a page may have shifted."),
        path="sweeper/daemon/observer.py",
        old="        read, errors = await self._read_each(absent, now, reads)\n",
        new=(
            "        read = [Change(trial=missing(trial, now)) for trial in absent]\n"
            "        errors: dict[str, ControlPlaneError] = {}\n"
        ),
        finder="tests/daemon/test_observer.py::test_what_the_listing_lacks_is_read_alone",
    ),
    Bug(
        name="404-believed-at-once",
        fault="One 404 is enough to take a training for gone.",
        path="sweeper/domain/caring.py",
        old="    return not _is_young(submission, now) and now - missing >= CONFIRM_GONE\n",
        new="    return not _is_young(submission, now)\n",
        finder="tests/domain/test_caring.py::test_a_404_is_believed_late",
    ),
    Bug(
        name="404-believed-after-a-create",
        fault=("A 404 right after a create is believed, though a training takes a while to show."),
        path="sweeper/domain/caring.py",
        old="    return not _is_young(submission, now) and now - missing >= CONFIRM_GONE\n",
        new="    return now - missing >= timedelta()\n",
        finder="tests/domain/test_caring.py::test_a_404_is_believed_late",
    ),
    Bug(
        name="error-clock-not-reset",
        fault="A good reading does not end the time for which a training counts as missing.",
        path="sweeper/domain/observing.py",
        old=("        seen_at=now,\n        missing_since=None,\n"),
        new="        seen_at=now,\n",
        finder="tests/domain/test_observing.py::test_what_is_seen_again_is_not_missing",
    ),
    Bug(
        name="vanished-at-once",
        fault=("What neither listing has is given up at once, before all that are lost are known."),
        path="sweeper/domain/freezing.py",
        old="since is not None and now - since >= LOST_WINDOW",
        new="now >= (since or now)",
        finder="tests/domain/test_freezing.py::test_a_loss_is_believed_alone_and_late",
    ),
    Bug(
        name="mass-404-is-a-mass-retry",
        fault="However many trainings are lost at once, writes go on.",
        path="sweeper/domain/freezing.py",
        old="    if sweep.state in _ENDING or lost_now <= max(FEW, SHARE * known):\n",
        new="    if sweep.state in _ENDING or lost_now <= max(known, SHARE * known):\n",
        finder="tests/daemon/test_freezing.py::test_a_mass_404_is_never_a_mass_retry",
    ),
    Bug(
        name="frozen-sweep-writes",
        fault="A frozen sweep goes on resuming and submitting.",
        path="sweeper/domain/planning.py",
        old="        cared = without_writes(cared, snapshot.sweep)\n",
        new="        cared = list(cared)\n",
        finder="tests/domain/test_planning.py::test_a_frozen_sweep_writes_nothing",
    ),
    Bug(
        name="auto-deleted-taken-for-vanished",
        fault="A training deleted after it completed runs again.",
        path="sweeper/domain/settling.py",
        old="    if last is not None and last.phase is Phase.COMPLETED:\n",
        new="    if last is not None and last.phase is Phase.RUNNING:\n",
        finder="tests/domain/test_settling.py::test_what_is_gone_ended_as_it_was_last_seen",
    ),
    Bug(
        name="deleted-listing-not-asked",
        fault="What is gone is not looked up among the deleted, so what it became is guessed.",
        path="sweeper/daemon/actions.py",
        old="        last = await self._listed(trial, deleted=True)\n",
        new="        last = None\n",
        finder=(
            "tests/daemon/test_freezing.py::"
            "test_what_finished_and_was_deleted_by_the_server_never_counts"
        ),
    ),
    Bug(
        name="terminal-not-latched",
        fault="A stale reading brings a finished attempt back.",
        path="sweeper/domain/observing.py",
        old=(
            "    if trial.state.is_terminal or not submission.is_open:\n"
            "        return Change(trial=trial)\n"
        ),
        new="",
        finder="tests/domain/test_observing.py::test_nothing_seen_changes_what_is_settled",
    ),
    Bug(
        name="answers-about-others-believed",
        fault="A reading that is about another training changes this one.",
        path="sweeper/daemon/observer.py",
        old=(
            "        if (seen.workload_id, seen.name) != (submission.workload_id, "
            "submission.workload_name):\n"
        ),
        new="        if not seen.workload_id:\n",
        finder=("tests/daemon/test_observer.py::test_an_answer_about_another_training_is_ignored"),
    ),
    Bug(
        name="pending-resumed",
        fault=("A preempted training is resumed, though the scheduler brings it back by itself."),
        path="sweeper/domain/caring.py",
        old=("    if submission.phase is Phase.STOPPED:\n        return _bring_back"),
        new=(
            "    if submission.phase in {Phase.STOPPED, Phase.PENDING}:\n        return _bring_back"
        ),
        finder="tests/domain/test_caring.py::test_most_phases_ask_for_nothing_but_patience",
    ),
    Bug(
        name="own-suspends-undone",
        fault="What we suspended on demand is resumed like what somebody else suspended.",
        path="sweeper/domain/caring.py",
        old=(
            "    if sweep.state is SweepState.SUSPENDED or trial.halt is Halt.PARK:\n"
            "        return None\n"
        ),
        new="    if trial.halt is Halt.PARK:\n        return None\n",
        finder=(
            "tests/domain/test_caring.py::TestStopped::"
            "test_nothing_is_resumed_while_the_sweep_is_suspended"
        ),
    ),
    Bug(
        name="suspend-ledger-lost",
        fault=("Our own suspend is not written down, so the stop that follows is somebody else's."),
        path="sweeper/domain/caring.py",
        old="        asked = replace(_calling(submission, now), suspend_sent_at=now)\n",
        new="        asked = replace(_calling(submission, now))\n",
        finder=(
            "tests/domain/test_caring.py::TestSuspending::"
            "test_a_suspended_sweep_suspends_its_trainings"
        ),
    ),
    Bug(
        name="resumed-without-end",
        fault="The cap on resumes is never reached.",
        path="sweeper/domain/caring.py",
        old="    if not takes_back and submission.resumes >= policy.max:\n",
        new="    if not takes_back and submission.resumes > 10**9:\n",
        finder="tests/domain/test_caring.py::TestStopped::test_a_spent_budget_is_held",
    ),
    Bug(
        name="resumes-never-forgiven",
        fault="Resumes count over the whole life of a trial, so a long one runs out of them.",
        path="sweeper/domain/observing.py",
        old="        resumes=0,\n",
        new="",
        finder="tests/domain/test_observing.py::test_running_resets_the_resume_budget",
    ),
    Bug(
        name="person-fought",
        fault="A training is resumed again and again, however often somebody stops it.",
        path="sweeper/domain/observing.py",
        old="    if policy.hold_after and counted.quick_stops >= policy.hold_after:\n",
        new="    if policy.hold_after and counted.quick_stops > 10**9:\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestComingBack::"
            "test_someone_who_keeps_stopping_a_training_is_not_fought"
        ),
    ),
    Bug(
        name="preemption-taken-for-failure",
        fault="An eviction uses up the budget of a failure.",
        path="sweeper/domain/judging.py",
        old="            return Verdict(failure=None, reason=",
        new="            return Verdict(failure=FailureClass.INFRASTRUCTURE, reason=",
        finder="tests/domain/test_judging.py::test_events_tell_why_a_training_failed",
    ),
    Bug(
        name="clock-jump-unseen",
        fault="A clock set forward makes every timeout look passed.",
        path="sweeper/daemon/reconciler.py",
        old="abs(off) > SLACK",
        new="off < -SLACK",
        finder=(
            "tests/daemon/test_reconciler.py::TestClock::"
            "test_a_jump_between_two_ticks_does_not_count_as_time"
        ),
    ),
    Bug(
        name="clock-jump-within-a-tick-unseen",
        fault="A clock set forward while calls are made ends what waits.",
        path="sweeper/clock.py",
        old="        return self._set_to + timedelta(seconds=self._seconds() - self._set_at)\n",
        new="        return self._wall()\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestClock::"
            "test_a_jump_within_a_tick_does_not_count_as_time"
        ),
    ),
    Bug(
        name="quarantine-by-another-life",
        fault="A daemon believes that a quarantine is over because its clock says so at its start.",
        path="sweeper/daemon/reconciler.py",
        old="        if is_first and self.quarantine:\n",
        new="        if not self.quarantine:\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestClock::"
            "test_however_long_it_was_down_a_daemon_waits_out_the_quarantine"
        ),
    ),
    Bug(
        name="clock-set-back-unseen",
        fault="Times in the record that lie in the future put off whatever counts from them.",
        path="sweeper/domain/caring.py",
        old="    sound = rebased(trial, now)\n",
        new="    sound = trial\n",
        finder="tests/domain/test_caring.py::test_a_past_that_lies_ahead_is_set_right_first",
    ),
)
"""What may go wrong while a training lives."""
