from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sweeper.daemon.observer import READS_PER_TICK, Observer
from sweeper.domain.change import Change
from sweeper.domain.phase import Phase
from sweeper.domain.sweep import ResumeSpec
from sweeper.domain.trial import Observation, Trial, TrialState
from sweeper.errors import AuthError, TransientError
from tests.support.builders import NOW, a_submission, a_trial, after
from tests.support.clock import Clock
from tests.support.daemon import labels_of
from tests.support.remote import PAGE, Remote, unreadable

PREFIX = "demo-abcdefghij-"


class Scene:
    """A server with a training for each of some trials, and an observer of it."""

    def __init__(self, count: int = 1, *, has_listing: bool = True) -> None:
        self.clock = Clock()
        self.remote = Remote(now=self.clock, has_listing=has_listing)
        self.trials = [self._begun(number) for number in range(count)]
        self.observer = Observer(control_plane=self.remote, prefix=PREFIX, policy=ResumeSpec())

    def _begun(self, number: int) -> Trial:
        trial = a_trial(number, phase=Phase.CREATING, seen_at=None)
        training = self.remote.add(trial.submission.workload_name, labels_of(trial), Phase.PENDING)
        submission = replace(trial.submission, workload_id=training.workload_id)
        return replace(trial, submission=submission)

    async def look(self, at: float = 10, reads: int = READS_PER_TICK) -> Sequence[Change]:
        """Observe all trials, `at` seconds after `NOW`."""
        return await self.observer.observe(self.trials, after(seconds=at), reads=reads)

    def settle(self, *numbers: int) -> None:
        """Let trainings be in their phase for an hour: none needs to be read again soon."""
        for number in numbers:
            trial = self.trials[number]
            long_ago = replace(trial.submission, phase_since=after(hours=-1))
            self.trials[number] = replace(trial, submission=long_ago)

    def hide(self, number: int) -> None:
        """Leave a training out of every read from now on."""
        self.remote.trainings[number].visible_at = after(days=1)


def phases(changes: Sequence[Change]) -> list[Phase]:
    return [change.trial.submission.phase for change in changes]


def missing(changes: Sequence[Change]) -> list[int]:
    return [one.trial.number for one in changes if one.trial.submission.missing_since]


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (100, 1), (PAGE, 1), (PAGE + 1, 2)])
async def test_one_listing_reads_all_trainings_a_page_at_a_time(count: int, requests: int) -> None:
    scene = Scene(count)

    changes = await scene.look()

    assert phases(changes) == [Phase.PENDING] * count
    assert scene.remote.requests() == requests


async def test_nothing_is_asked_while_no_training_is_known() -> None:
    scene = Scene(0)
    scene.trials = [
        a_trial(0, workload_id=None),
        a_trial(1, ended_at=NOW, state=TrialState.INTERRUPTED),
    ]

    assert await scene.look() == ()
    assert scene.remote.requests() == 0


@pytest.mark.parametrize(
    ("created", "since"),
    [
        pytest.param([after(seconds=0.9), after(hours=1)], NOW, id="all known"),
        pytest.param([NOW, None], None, id="one unknown"),
    ],
)
async def test_trainings_older_than_ours_need_not_be_listed(
    created: list[datetime | None], since: datetime | None
) -> None:
    class Asked(Remote):
        since: datetime | None = NOW

        async def observe(
            self, prefix: str, since: datetime | None = None
        ) -> Sequence[Observation]:
            self.since = since
            return ()

    scene = Scene(0)
    scene.observer.control_plane = asked = Asked(now=scene.clock)
    submissions = [a_submission(number, created_at=at) for number, at in enumerate(created)]
    scene.trials = [a_trial(number, submission=one) for number, one in enumerate(submissions)]

    await scene.look(at=0)

    assert asked.since == since


async def test_no_training_is_to_be_read_alone_where_a_listing_has_all() -> None:
    scene = Scene(1)
    await scene.look()

    assert scene.observer.next_read(scene.trials, after(hours=1)) is None


async def test_what_the_listing_lacks_is_read_alone() -> None:
    scene = Scene(2)
    scene.hide(1)

    changes = await scene.look()

    assert missing(changes) == [1]
    assert scene.remote.requests("get") == 1


async def test_what_was_created_just_now_need_not_be_listed_yet() -> None:
    scene = Scene(1)
    scene.hide(0)

    assert await scene.look(at=4) == []
    assert missing(await scene.look(at=5)) == [0]


async def test_what_we_deleted_is_read_at_once_when_the_listing_lacks_it() -> None:
    scene = Scene(1)
    scene.hide(0)
    (trial,) = scene.trials
    scene.trials = [replace(trial, submission=replace(trial.submission, delete_sent_at=NOW))]

    assert missing(await scene.look(at=1)) == [0]


async def test_a_single_read_that_fails_spoils_no_listing() -> None:
    scene = Scene(2)
    scene.hide(1)
    scene.remote.faults = {("get", number): unreadable() for number in (1, 2)}

    changes = await scene.look()

    assert phases(changes) == [Phase.PENDING]
    await scene.look(at=11)
    assert scene.remote.requests("get") == 1


async def test_a_listing_that_fails_is_no_observation() -> None:
    scene = Scene(1)
    scene.remote.down = AuthError("refused")

    with pytest.raises(AuthError):
        await scene.look()


class TestWithoutListing:
    async def test_trainings_are_read_one_by_one_the_oldest_readings_first(self) -> None:
        scene = Scene(READS_PER_TICK + 2, has_listing=False)

        first = await scene.look(at=10)
        second = await scene.look(at=10.5)

        assert [change.trial.number for change in first] == list(range(READS_PER_TICK))
        assert [change.trial.number for change in second] == [8, 9]

    async def test_a_training_is_not_read_again_before_its_time(self) -> None:
        scene = Scene(1, has_listing=False)
        await scene.look(at=10)

        assert await scene.look(at=11.9) == []
        assert phases(await scene.look(at=12)) == [Phase.PENDING]

    async def test_a_probe_reads_one(self) -> None:
        scene = Scene(5, has_listing=False)

        assert len(await scene.look(reads=1)) == 1

    async def test_one_poisoned_training_does_not_take_the_turn_of_others(self) -> None:
        scene = Scene(READS_PER_TICK + 1, has_listing=False)
        scene.remote.faults = {("get", 1): unreadable()}

        await scene.look(at=10)

        assert [change.trial.number for change in await scene.look(at=10.5)] == [8]

    async def test_when_no_read_is_good_nothing_was_observed(self) -> None:
        scene = Scene(3, has_listing=False)
        scene.remote.down = TransientError("503")

        with pytest.raises(TransientError):
            await scene.look()
        scene.remote.down = None
        assert len(await scene.look(at=14)) == 3

    async def test_another_training_tells_whether_one_or_all_cannot_be_read(self) -> None:
        scene = Scene(3, has_listing=False)
        await scene.look(at=10)
        scene.settle(1, 2)
        scene.remote.faults = {("get", 4): unreadable()}

        assert [change.trial.number for change in await scene.look(at=12)] == [1]
        assert scene.remote.requests("get") == 5

    async def test_one_that_alone_cannot_be_read_is_tried_ever_more_seldom(self) -> None:
        scene = Scene(1, has_listing=False)
        scene.remote.down = TransientError("500")

        failed = []
        for second in range(10, 130):
            try:
                assert await scene.look(at=second) == []
            except TransientError:
                failed.append(second)

        assert failed == [10, 14, 22, 38, 68, 98, 128]

    async def test_after_a_good_reading_no_training_waits_for_an_outage_that_is_over(self) -> None:
        scene = Scene(2, has_listing=False)
        scene.remote.down = TransientError("503")
        for second in (10, 14, 22):
            with pytest.raises(TransientError):
                await scene.look(at=second)
        scene.remote.down = None

        assert len(await scene.look(at=38)) == 2
        assert len(await scene.look(at=43)) == 2

    async def test_it_tells_when_the_next_training_is_to_be_read(self) -> None:
        scene = Scene(1, has_listing=False)
        await scene.look(at=10)

        waits = [scene.observer.next_read(scene.trials, after(seconds=at)) for at in (10.5, 12, 15)]

        assert waits == [timedelta(seconds=1.5), timedelta(), timedelta()]
        assert scene.observer.next_read([], after(seconds=10)) == timedelta.max

    async def test_a_404_is_noted_with_its_time(self) -> None:
        scene = Scene(1, has_listing=False)
        scene.hide(0)

        (change,) = await scene.look(at=10)

        assert change.trial.submission.missing_since == after(seconds=10)

    async def test_a_404_is_a_reading_like_any_other(self) -> None:
        scene = Scene(1, has_listing=False)
        scene.hide(0)
        await scene.look(at=10)

        assert await scene.look(at=11) == []

    async def test_a_clock_set_back_does_not_stop_the_reading(self) -> None:
        scene = Scene(1, has_listing=False)
        await scene.look(at=3600)

        assert scene.observer.next_read(scene.trials, after(seconds=0)) == timedelta()
        assert len(await scene.look(at=0)) == 1


@pytest.mark.parametrize("fields", [{"name": "another"}, {"workload_id": "another"}])
async def test_an_answer_about_another_training_is_ignored(
    fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    class Mixed(Remote):
        async def get(self, workload_id: str) -> Observation:
            return replace(await Remote.get(self, workload_id), phase=Phase.COMPLETED, **fields)

    scene = Scene(1)
    mixed = Mixed(now=scene.clock, has_listing=False, trainings=scene.remote.trainings)
    scene.observer.control_plane = mixed

    (change,) = await scene.look()

    assert change == Change(trial=scene.trials[0])
    assert "ignored" in caplog.text


async def test_a_deleted_training_is_missing() -> None:
    class Listing(Remote):
        async def observe(
            self, prefix: str, since: datetime | None = None
        ) -> Sequence[Observation]:
            return [replace(one.seen(), deleted_at=NOW) for one in self.trainings]

    scene = Scene(1)
    scene.observer.control_plane = Listing(now=scene.clock, trainings=scene.remote.trainings)

    assert missing(await scene.look()) == [0]


async def test_nothing_is_remembered_of_trainings_that_are_over() -> None:
    scene = Scene(5)
    await scene.look()
    scene.trials = []

    await scene.look()

    assert scene.observer._read_at == {}
