"""Bugs of making trainings: intents, open creates, names, and whose a training is."""

from tests.planted.bug import Bug

CREATING = (
    Bug(
        name="effect-before-intent",
        fault="A create is sent before its intent is durable.",
        path="sweeper/daemon/reconciler.py",
        old="        written = await self._recorder.write(sweep, intents, bound)\n",
        new=(
            "        kept = [\n"
            "            one for action, one in zip(actions, intents, strict=True)\n"
            "            if not isinstance(action, Submit)\n"
            "        ]\n"
            "        known = {one.number: one for one in await "
            "self._recorder.write(sweep, kept)}\n"
            "        written = [known.get(one.trial.number, one.trial) for one in intents]\n"
        ),
        finder=(
            "tests/daemon/test_reconciler.py::TestStoreFailing::"
            "test_an_intent_that_cannot_be_recorded_is_not_carried_out"
        ),
    ),
    Bug(
        name="no-quarantine",
        fault="One look-up that finds nothing is enough to send an open create again.",
        path="sweeper/domain/caring.py",
        old="looked is not None and looked - sent >= quarantine",
        new="looked is not None and looked >= sent",
        finder="tests/daemon/test_crashes.py::test_a_create_under_way_at_a_kill_may_still_land",
    ),
    Bug(
        name="quarantine-too-short",
        fault="An open create is sent again while the first may still take effect.",
        path="sweeper/domain/caring.py",
        old="looked is not None and looked - sent >= quarantine",
        new="looked is not None and looked - sent >= quarantine / 4",
        finder="tests/daemon/test_crashes.py::test_a_create_under_way_at_a_kill_may_still_land",
    ),
    Bug(
        name="quarantine-forgotten-at-restart",
        fault="A new daemon takes a create that was left open for one that was never sent.",
        path="sweeper/daemon/reconciler.py",
        old=(
            "        if is_read := is_first or self.reads_live:\n"
            "            await self.read_reports(live)\n"
        ),
        new=(
            "        if is_read := is_first or self.reads_live:\n"
            "            await self.read_reports(live)\n"
            "            forgotten = [\n"
            "                Change(trial=replace(one, "
            "submission=replace(one.submission, sent_at=None)))\n"
            "                for one in live\n"
            "                if one.submission.workload_id is None\n"
            "            ]\n"
            "            await self._recorder.write(standing.sweep, forgotten)\n"
            "            live = (await self._standing()).live\n"
        ),
        finder=(
            "tests/daemon/test_crashes.py::"
            "test_a_kill_at_any_step_loses_nothing_and_doubles_nothing"
        ),
    ),
    Bug(
        name="quarantine-from-the-plan",
        fault=("The quarantine counts from when a create was planned, not from when it was sent."),
        path="sweeper/daemon/reconciler.py",
        old=(
            "        actions = [sent_at(one, now) if isinstance(one, Submit) else one "
            "for one in actions]\n"
        ),
        new="",
        finder=(
            "tests/daemon/test_reconciler.py::"
            "test_a_slow_control_plane_is_looked_at_again_before_a_plan_gets_old"
        ),
    ),
    Bug(
        name="look-up-dated-by-its-answer",
        fault=(
            "A look-up counts from when it was answered, though it says how things stood before."
        ),
        path="sweeper/daemon/actions.py",
        old=("        return absent(trial, asked_at)\n\n    def"),
        new=("        return absent(trial, self.now())\n\n    def"),
        finder=(
            "tests/daemon/test_actions.py::TestLookUp::"
            "test_nothing_found_counts_from_when_it_was_asked"
        ),
    ),
    Bug(
        name="open-create-taken-for-unsent",
        fault="A create whose answer was lost counts as one that had no effect.",
        path="sweeper/daemon/actions.py",
        old=(
            "        if isinstance(error, AmbiguousError):\n"
            "            return left_open(action.trial, self.now(), str(error))\n"
        ),
        new="",
        finder=(
            "tests/daemon/test_crashes.py::"
            "test_a_kill_at_any_step_loses_nothing_and_doubles_nothing"
        ),
    ),
    Bug(
        name="earlier-open-create-forgotten",
        fault="A repeat that was not sent clears the create before it, which was left open.",
        path="sweeper/domain/settling.py",
        old="replace(trial.submission, sent_at=earlier, looked_up_at=None)",
        new="replace(trial.submission, sent_at=None, looked_up_at=None)",
        finder=(
            "tests/domain/test_settling.py::test_a_create_before_one_that_was_not_sent_stays_open"
        ),
    ),
    Bug(
        name="slow-create-taken-for-unsent",
        fault="A create that nobody answered in time counts as one that was never sent.",
        path="sweeper/runai/classify.py",
        old=(
            "    httpx.ConnectTimeout,\n"
            "    httpx.PoolTimeout,\n"
            "    httpx.LocalProtocolError,\n"
            "    httpx.Unsupp"
        ),
        new=("    httpx.TimeoutException,\n    httpx.LocalProtocolError,\n    httpx.Unsupp"),
        finder="tests/runai/test_classify.py::test_every_exception_of_httpx_has_an_outcome",
    ),
    Bug(
        name="503-taken-for-refused",
        fault="A 503 to a create counts as proof that nothing was created.",
        path="sweeper/runai/classify.py",
        old=("    if status == 429:\n        return Kind.TRANSIENT, False\n"),
        new=("    if status in {429, 503}:\n        return Kind.TRANSIENT, False\n"),
        finder=(
            "tests/runai/test_classify.py::test_a_status_that_says_nothing_leaves_a_write_open"
        ),
    ),
    Bug(
        name="unreadable-answer-taken-for-refusal",
        fault="A 2xx without an id fails the trial, though its training may exist.",
        path="sweeper/runai/classify.py",
        old=(
            "        kind=_open_end(operation),\n"
            '        message=f"{operation} was answered {answer.status}'
        ),
        new=(
            "        kind=Kind.REJECTED,\n"
            '        message=f"{operation} was answered {answer.status}'
        ),
        finder=(
            "tests/runai/test_classify.py::test_a_create_whose_answer_holds_no_id_may_have_worked"
        ),
    ),
    Bug(
        name="creates-repeated-by-the-client",
        fault="The client repeats a create like any other call, without looking first.",
        path="sweeper/runai/calls.py",
        old=(
            "        if call.operation is Operation.CREATE:\n            return await attempt()\n"
        ),
        new="",
        finder="tests/runai/test_calls.py::test_a_create_is_never_repeated",
    ),
    Bug(
        name="names-as-prefixes",
        fault=("The server is asked to make the name unique, so the same one makes two trainings."),
        path="sweeper/runai/client.py",
        old=('            "name": request.name,\n            "projectId"'),
        new=(
            '            "name": request.name,\n'
            '            "useGivenNameAsPrefix": True,\n'
            '            "projectId"'
        ),
        finder="tests/runai/test_client.py::test_a_create_is_sent_and_its_answer_read",
    ),
    Bug(
        name="attempt-name-used-again",
        fault="The next attempt carries the name of the one before.",
        path="sweeper/domain/planning.py",
        old="wanted.trial.submission.attempt + 1 if wanted.trial else 1",
        new="wanted.trial.submission.attempt if wanted.trial else 1",
        finder=("tests/domain/test_planning.py::test_a_resubmit_is_a_new_attempt_under_a_new_name"),
    ),
    Bug(
        name="strangers-adopted",
        fault="Whatever has the right name is adopted, whoever made it.",
        path="sweeper/domain/marks.py",
        old=("    return all(seen_labels.get(key) == value for key, value in labels.items())\n"),
        new="    return True\n",
        finder="tests/domain/test_marks.py::test_anything_else_is_foreign",
    ),
    Bug(
        name="copies-adopted",
        fault="A copy with all our labels is ours, whatever its name.",
        path="sweeper/domain/marks.py",
        old="    if seen_name != name or seen_labels is None:\n",
        new="    if seen_labels is None:\n",
        finder="tests/domain/test_marks.py::test_anything_else_is_foreign",
    ),
    Bug(
        name="taken-name-fails-the-trial",
        fault='"Already exists" fails the trial without a look at what exists.',
        path="sweeper/daemon/actions.py",
        old="        is_taken = isinstance(error, NameTakenError)\n",
        new="        is_taken = False\n",
        finder=(
            "tests/daemon/test_actions.py::TestSubmit::test_a_name_that_is_taken_by_us_is_adopted"
        ),
    ),
    Bug(
        name="refusal-believed-after-an-open-create",
        fault="A refused repeat fails the trial, though the first create may own the name.",
        path="sweeper/daemon/actions.py",
        old="        if repeated or is_taken:\n",
        new="        if is_taken:\n",
        finder=(
            "tests/daemon/test_actions.py::TestSubmit::"
            "test_a_refusal_after_an_earlier_send_is_looked_into_first"
        ),
    ),
    Bug(
        name="mixed-up-answer-taken",
        fault="An answer to a create that is about another training is taken for its own.",
        path="sweeper/runai/client.py",
        old=("        if observation.name != request.name:\n            raise"),
        new=("        if not observation.name:\n            raise"),
        finder=(
            "tests/runai/test_client.py::test_an_answer_about_another_training_leaves_a_create_open"
        ),
    ),
    Bug(
        name="no-ramp",
        fault=("Many creates are open before a single training of the template was seen at work."),
        path="sweeper/domain/ramping.py",
        old="RAMP = (1, 5, 50)\n",
        new="RAMP = (50, 50, 50)\n",
        finder="tests/domain/test_ramping.py::test_few_creates_are_open_until_one_runs",
    ),
    Bug(
        name="broken-template-burns-the-sweep",
        fault=("Equal refusals never stop the sweep, so each of its trials is tried and failed."),
        path="sweeper/domain/reviewing.py",
        old=("    if sweep.rejections >= EQUAL_REJECTIONS:\n        return f"),
        new=("    if sweep.rejections > 10**9:\n        return f"),
        finder=(
            "tests/domain/test_reviewing.py::test_three_equal_refusals_in_a_row_stop_the_sweep"
        ),
    ),
    Bug(
        name="open-creates-hold-no-slot",
        fault="A create that was left open does not count towards the limits.",
        path="sweeper/domain/trial.py",
        old="        return self.submission.is_open and self.state is not TrialState.PARKED\n",
        new=(
            "        return self.submission.is_open and self.state is not TrialState.SUBMITTING\n"
        ),
        finder=(
            "tests/domain/test_planning.py::"
            "test_what_gives_slots_back_comes_first_and_new_work_last"
        ),
    ),
    Bug(
        name="held-trials-hold-no-slot",
        fault="A held trial gives its slot back, though its training may live.",
        path="sweeper/domain/trial.py",
        old="        return self.submission.is_open and self.state is not TrialState.PARKED\n",
        new="        return self.submission.is_open and self.state is not TrialState.HELD\n",
        finder="tests/domain/test_planning.py::test_no_more_is_submitted_than_the_limits_leave",
    ),
    Bug(
        name="limits-unchecked-at-the-write",
        fault="The transaction that writes intents does not count for itself.",
        path="sweeper/daemon/reconciler.py",
        old=(
            "        takes = any(action.takes_slot for action in actions)\n"
            "        bound = guard(self.spec.limits, now) if takes else None\n"
        ),
        new="        bound = None\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestStoreFailing::"
            "test_a_limit_that_the_store_finds_exceeded_is_planned_anew"
        ),
    ),
)
"""What may go wrong until a training is known."""
