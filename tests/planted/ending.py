"""Bugs of ending and trying again: budgets, deletes, wishes, orphans, the store."""

from tests.planted.bug import Bug

ENDING = (
    Bug(
        name="resubmit-before-the-old-one-is-gone",
        fault="A training stuck in a phase is replaced at once, while it still lives.",
        path="sweeper/domain/caring.py",
        old=("    return _delete(trial, marked, now)\n\n\ndef _hold("),
        new=(
            "    from sweeper.domain.judging import Verdict\n"
            "    from sweeper.domain.settling import failed\n"
            "    from sweeper.domain.sweep import RetrySpec\n"
            "    from sweeper.domain.trial import FailureClass\n"
            "\n"
            "    verdict = Verdict(failure=FailureClass.TIMEOUT, reason=reason)\n"
            "    change = failed(marked, verdict, RetrySpec(), now)\n"
            "    return Record(trial=change.trial, before=trial, events=change.events)\n"
            "\n"
            "\n"
            "def _hold("
        ),
        finder="tests/domain/test_caring.py::test_a_training_too_long_in_a_phase_is_deleted",
    ),
    Bug(
        name="accepted-delete-taken-for-gone",
        fault="A delete that was accepted frees the slot, while its training still lives.",
        path="sweeper/daemon/actions.py",
        old="        return call_accepted(trial, self.now(), kind)\n",
        new=(
            "        if kind is EventKind.DELETE:\n"
            "            return gone(trial, None, self.spec.retry, self.now())\n"
            "        return call_accepted(trial, self.now(), kind)\n"
        ),
        finder=(
            "tests/daemon/test_actions.py::TestCalls::test_a_call_that_is_accepted_is_recorded"
        ),
    ),
    Bug(
        name="retries-without-end",
        fault="A trial that fails is tried again without end.",
        path="sweeper/domain/policy.py",
        old=("    if used >= rule.attempts:\n        return None\n"),
        new="",
        finder="tests/domain/test_policy.py::test_a_retry_needs_budget_and_a_fitting_exit_code",
    ),
    Bug(
        name="retries-not-counted",
        fault="An attempt that failed is not counted, so the budget is never used up.",
        path="sweeper/domain/settling.py",
        old="    spent = MappingProxyType({**trial.retries, verdict.failure: used + 1})\n",
        new="    spent = trial.retries\n",
        finder=(
            "tests/domain/test_settling.py::test_a_failure_with_budget_waits_for_its_next_attempt"
        ),
    ),
    Bug(
        name="cancel-forgets-the-training",
        fault="A trial that is given up counts as cancelled, and its training runs on.",
        path="sweeper/domain/caring.py",
        old=(
            "    if _delete_is_due(submission, now):\n"
            "        return _delete(trial, marked, now)\n"
            "    return _record_if_changed(trial, marked)\n"
        ),
        new="    return _record_cancelled(trial, marked, now)\n",
        finder=(
            "tests/domain/test_caring.py::TestGivingUp::"
            "test_a_training_that_lives_is_deleted_whatever_its_phase"
        ),
    ),
    Bug(
        name="cancel-forgets-the-open-create",
        fault="A cancel does not wait for a create that may still take effect.",
        path="sweeper/domain/caring.py",
        old=(
            "    if not submission.is_open or (submission.workload_id is None and "
            "submission.sent_at is None):\n"
        ),
        new="    if not submission.is_open or submission.workload_id is None:\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestWishes::"
            "test_a_cancel_finds_a_create_that_was_left_open"
        ),
    ),
    Bug(
        name="delete-of-an-unseen-one-believed",
        fault="A 404 to the delete of a training that need not show yet counts as gone.",
        path="sweeper/domain/caring.py",
        old="not _is_young(waiting, now) and may_be_believed(marked, sweep, now),\n",
        new="may_be_believed(marked, sweep, now),\n",
        finder=(
            "tests/daemon/test_reconciler.py::TestWishes::"
            "test_a_cancel_deletes_a_training_that_does_not_show_yet"
        ),
    ),
    Bug(
        name="404-to-a-delete-believed",
        fault="A 404 to a delete is believed whatever the listing of the living has.",
        path="sweeper/daemon/actions.py",
        old="        if alive is not None:\n",
        new="        if False:\n",
        finder=(
            "tests/daemon/test_actions.py::TestInspect::"
            "test_what_the_listing_of_the_living_has_is_not_gone_whatever_a_reading_says"
        ),
    ),
    Bug(
        name="cancel-lost-at-a-kill",
        fault="A wish is settled before its effect is recorded.",
        path="sweeper/daemon/wishes.py",
        old="        before, sweep = sweep, granted(sweep, [wish])\n",
        new=(
            "        await store.settle_wish(wish.number)\n"
            "        before, sweep = sweep, granted(sweep, [wish])\n"
        ),
        finder=(
            "tests/daemon/test_crashes.py::"
            "test_a_kill_at_any_step_loses_nothing_and_doubles_nothing"
        ),
    ),
    Bug(
        name="failures-never-stop-the-sweep",
        fault="limits.failures is never reached.",
        path="sweeper/domain/reviewing.py",
        old="    if limits.failures is not None and failures >= limits.failures:\n",
        new="    if limits.failures is not None and failures > limits.failures * 10**9:\n",
        finder="tests/domain/test_reviewing.py::test_too_many_failures_stop_the_sweep",
    ),
    Bug(
        name="gc-without-a-look-at-labels",
        fault="gc deletes what only has a name like ours.",
        path="sweeper/domain/orphans.py",
        old="    return is_marked and _DIGEST.fullmatch(digest) is not None\n",
        new="    return True\n",
        finder="tests/domain/test_orphans.py::test_ours_is_the_exact_name_with_all_labels",
    ),
    Bug(
        name="gc-deletes-what-found-its-row",
        fault="gc deletes an orphan that belongs to a trial by now.",
        path="sweeper/bootstrap/collecting.py",
        old="            if await self._judged(seen) is None:\n",
        new="            if seen.phase is Phase.DELETING:\n",
        finder=(
            "tests/bootstrap/test_collecting.py::test_what_belongs_to_a_trial_meanwhile_is_kept"
        ),
    ),
    Bug(
        name="report-counted-twice",
        fault="A report that arrives over HTTP and in the file counts twice.",
        path="sweeper/store/curves.py",
        old="        _judge(connection, sweep_id, list(new.values()))\n",
        new="        _judge(connection, sweep_id, acceptable)\n",
        finder="tests/store/test_curves.py::test_a_report_that_arrives_twice_counts_once",
    ),
    Bug(
        name="no-fence",
        fault="A write over a row that changed meanwhile is not refused.",
        path="sweeper/store/versions.py",
        old="        if found != trial.version:\n",
        new="        if found > trial.version + 10**9:\n",
        finder="tests/store/test_versions.py::test_a_trial_over_another_version_is_refused",
    ),
    Bug(
        name="two-daemons-on-one-store",
        fault="A second daemon may open a store that another one holds.",
        path="sweeper/store/database.py",
        old='        raw.execute("PRAGMA locking_mode=EXCLUSIVE")\n',
        new="",
        finder=(
            "tests/store/test_database.py::test_a_store_held_by_another_process_is_refused_at_once"
        ),
    ),
    Bug(
        name="half-a-transaction",
        fault="Each statement of a transaction is durable by itself.",
        path="sweeper/store/database.py",
        old='        connection.exec_driver_sql("BEGIN IMMEDIATE")\n',
        new="        return None\n",
        finder=(
            "tests/store/test_durability.py::"
            "test_a_commit_cut_short_by_a_kill_leaves_all_or_nothing"
        ),
    ),
)
"""What may go wrong at an end, and in the store."""
