"""Bugs of calls as such: how often, how many, how urgent, and what their refusals mean."""

from tests.planted.bug import Bug

CALLING = (
    Bug(
        name="back-off-lost",
        fault="A call that failed is made again at the next tick.",
        path="sweeper/domain/settling.py",
        old="calls_failed=count, next_call_at=now + delay)",
        new="calls_failed=count, next_call_at=now)",
        finder=(
            "tests/domain/test_settling.py::test_a_create_that_was_not_sent_is_marked_so_and_waits"
        ),
    ),
    Bug(
        name="readings-fail-without-patience",
        fault="A control plane that fails is read as often as one that is well.",
        path="sweeper/daemon/health.py",
        old="        self.calls_after = now + _no_shorter(wait, error)\n",
        new="        self.calls_after = None\n",
        finder=(
            "tests/daemon/test_health.py::"
            "test_a_failed_reading_leaves_the_control_plane_alone_for_longer_each_time"
        ),
    ),
    Bug(
        name="retry-after-ignored",
        fault="The control plane's wish to be left alone is not heard.",
        path="sweeper/runai/calls.py",
        old=(
            "        if outcome.retry_after is not None:\n"
            "            self._gate.hold_back(outcome.retry_after)\n"
        ),
        new="",
        finder="tests/runai/test_calls.py::test_a_wait_that_one_call_was_told_holds_for_all",
    ),
    Bug(
        name="breaker-probes-all-at-once",
        fault="Everybody may try a host of which nobody knows whether it is well again.",
        path="sweeper/runai/breaker.py",
        old=("        if self._is_probing:\n            return self._policy.probe_seconds\n"),
        new="",
        finder="tests/runai/test_breaker.py::test_while_one_probes_nobody_else_does",
    ),
    Bug(
        name="breaker-never-opens",
        fault="A host that fails all calls gets as many of them as before.",
        path="sweeper/runai/breaker.py",
        old=(
            "        if self._failures >= self._policy.failures or (half_failed and not is_well):\n"
        ),
        new="        if self._failures >= self._policy.failures * 10**9:\n",
        finder="tests/runai/test_breaker.py::test_a_row_of_failures_opens_it",
    ),
    Bug(
        name="no-budget-for-repeats",
        fault="Every call that failed is repeated, however few are answered.",
        path="sweeper/runai/gate.py",
        old="        return is_closed and self._budget.spend()\n",
        new="        return is_closed\n",
        finder="tests/runai/test_gate.py::test_repeats_are_earned_by_good_answers",
    ),
    Bug(
        name="cancels-wait-behind-creates",
        fault="A delete waits until no create waits any more.",
        path="sweeper/runai/priorities.py",
        old="        Operation.DELETE: Priority.CANCEL,\n",
        new="        Operation.DELETE: Priority.CREATE,\n",
        finder=(
            "tests/runai/test_priorities.py::"
            "test_a_cancel_goes_before_a_look_up_before_a_reading_before_a_resume_before_"
            "a_create"
        ),
    ),
    Bug(
        name="401-fails-trials",
        fault="A token that expired fails whatever was being created.",
        path="sweeper/runai/classify.py",
        old=("    if status == 401 or operation is Operation.TOKEN:\n        return Kind.AUTH\n"),
        new=(
            "    if operation is Operation.TOKEN:\n"
            "        return Kind.AUTH\n"
            "    if status == 401:\n"
            "        return Kind.REJECTED\n"
        ),
        finder="tests/runai/test_classify.py::test_401_is_about_the_token",
    ),
    Bug(
        name="403-burns-trials",
        fault="A permission that was taken away fails trial after trial.",
        path="sweeper/runai/classify.py",
        old="    return Kind.UNSUPPORTED if operation in LISTINGS else Kind.FORBIDDEN\n",
        new="    return Kind.UNSUPPORTED if operation in LISTINGS else Kind.REJECTED\n",
        finder=(
            "tests/runai/test_classify.py::"
            "test_403_is_about_permissions_and_on_the_listing_about_its_absence"
        ),
    ),
    Bug(
        name="refused-token-used-on",
        fault="A token that was refused is not renewed.",
        path="sweeper/runai/auth.py",
        old=("        if response.status_code != httpx.codes.UNAUTHORIZED:\n            return\n"),
        new=("        if response.status_code:\n            return\n"),
        finder=(
            "tests/runai/test_auth.py::test_a_refused_token_is_renewed_and_the_call_replayed_once"
        ),
    ),
)
"""What may go wrong with calls as such."""
