"""Bugs of owning a sweep, and of telling people of it: fence, lease, outbox."""

from tests.planted.bug import Bug

OWNING = (
    Bug(
        name="write-without-a-look-at-the-epoch",
        fault="A process that was overtaken goes on writing.",
        path="sweeper/store/database.py",
        old="            check_fence(connection, self._lease)\n",
        new="",
        finder="tests/store/test_fencing.py::test_a_process_that_was_overtaken_writes_nothing",
    ),
    Bug(
        name="epoch-without-its-holder",
        fault="Whoever has the same epoch passes the fence.",
        path="sweeper/domain/leasing.py",
        old="    return (lease.epoch, lease.instance) == (held.epoch, held.instance)\n",
        new="    return lease.epoch == held.epoch\n",
        finder="tests/store/test_fencing.py::test_an_epoch_alone_is_not_enough",
    ),
    Bug(
        name="epoch-that-stays",
        fault="Who takes a lease over writes under the epoch of the one before.",
        path="sweeper/domain/leasing.py",
        old="        epoch=(lease.epoch if lease is not None else 0) + 1,\n",
        new="        epoch=lease.epoch if lease is not None else 1,\n",
        finder="tests/store/test_fencing.py::test_events_carry_epochs_that_never_go_back",
    ),
    Bug(
        name="taken-before-its-term-is-over",
        fault="A lease is taken from a holder that still acts.",
        path="sweeper/domain/leasing.py",
        old="lease.expires_at <= now\n",
        new="lease.expires_at <= now + 2 * MARGIN\n",
        finder="tests/domain/test_leasing.py::test_two_are_never_trusted_at_one_time",
    ),
    Bug(
        name="trusted-beyond-the-term",
        fault="A holder acts for longer than its lease is good for.",
        path="sweeper/domain/leasing.py",
        old="    return asked_at + (term - margin).total_seconds()\n",
        new="    return asked_at + (term + 3 * margin).total_seconds()\n",
        finder="tests/domain/test_leasing.py::test_two_are_never_trusted_at_one_time",
    ),
    Bug(
        name="call-without-a-look-at-the-lease",
        fault="A daemon that was overtaken still creates trainings.",
        path="sweeper/daemon/reconciler.py",
        old="            self.store.check_owned()\n",
        new="",
        finder=(
            "tests/daemon/test_service.py::test_nothing_is_created_by_a_daemon_that_was_overtaken"
        ),
    ),
    Bug(
        name="outage-of-the-store-ends-the-daemon",
        fault="A store that is away for a moment ends the daemon.",
        path="sweeper/daemon/service.py",
        old="            except StoreAwayError as error:\n",
        new="            except StuckTickError as error:\n",
        finder="tests/daemon/test_service.py::test_a_store_that_is_away_is_waited_for",
    ),
    Bug(
        name="notice-without-its-cause",
        fault="A notice is written although its cause is not.",
        path="sweeper/store/memory.py",
        old="        self._sweep_kept()\n        before = {",
        new="        self._post(notices)\n        self._sweep_kept()\n        before = {",
        finder="tests/store/test_notices.py::test_without_its_cause_there_is_no_notice",
    ),
    Bug(
        name="notice-settled-before-it-is-sent",
        fault="A notice that could not be sent counts as sent.",
        path="sweeper/daemon/delivering.py",
        old="        _warn(notice, why)\n        return not_dispatched(",
        new="        if notice.attempts == 0:\n"
        "            return dispatched(notice, self.now())\n"
        "        return not_dispatched(",
        finder=(
            "tests/daemon/test_delivering.py::"
            "test_a_service_that_is_away_for_an_hour_gets_the_notice_once"
        ),
    ),
    Bug(
        name="notices-for-ever",
        fault="A notice that never gets through is tried without end.",
        path="sweeper/domain/outbox.py",
        old="    if attempts >= ATTEMPTS:\n",
        new="    if attempts >= 10**9:\n",
        finder=(
            "tests/daemon/test_delivering.py::"
            "test_a_notice_that_never_gets_through_is_given_up_and_on_record"
        ),
    ),
)
"""What may go wrong in who may write, and in what is told."""
