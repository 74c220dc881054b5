"""Two or three holders that pause, answer late and lose answers: never two trusted at one time."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count, pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.leasing import (
    MARGIN,
    RENEWAL,
    TERM,
    Lease,
    claimed,
    is_same,
    released,
    renewed,
    trusted_until,
)
from tests.support.builders import NOW, after

FIRST = Lease(epoch=1, instance="a", holder="one", since=NOW, expires_at=NOW + TERM)


def test_a_lease_that_nobody_holds_is_taken() -> None:
    assert claimed(None, "a", "one", NOW, TERM) == FIRST


def test_a_lease_is_not_taken_before_its_term_is_over() -> None:
    almost = NOW + TERM - timedelta(microseconds=1)

    assert claimed(FIRST, "b", "two", almost, TERM) is None


def test_a_lease_whose_term_is_over_goes_to_the_next_epoch() -> None:
    taken = claimed(FIRST, "b", "two", NOW + TERM, TERM)

    assert taken == Lease(
        epoch=2, instance="b", holder="two", since=NOW + TERM, expires_at=NOW + 2 * TERM
    )


def test_a_holder_that_heard_no_answer_may_ask_again() -> None:
    again = claimed(FIRST, "a", "one", after(seconds=5), TERM)

    assert again is not None
    assert again.epoch == 2


def test_whoever_keeps_others_out_by_other_means_takes_the_lease_for_good() -> None:
    taken = claimed(FIRST, "b", "two", NOW, None)

    assert taken is not None
    assert (taken.epoch, taken.expires_at) == (2, None)
    assert claimed(taken, "c", "three", after(days=999), TERM) is None


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(None, id="none"),
        pytest.param(replace(FIRST, epoch=2), id="a later epoch"),
        pytest.param(replace(FIRST, instance="b"), id="another instance"),
    ],
)
def test_only_the_holder_renews_and_releases(kept: Lease | None) -> None:
    assert renewed(kept, FIRST, NOW, TERM) is None
    assert released(kept, FIRST, NOW) is None


def test_a_renewal_never_shortens_a_term() -> None:
    late = renewed(FIRST, FIRST, after(seconds=-30), TERM)

    assert late == FIRST


def test_a_term_that_is_over_is_renewed_while_nobody_took_the_lease() -> None:
    found = renewed(FIRST, FIRST, after(days=1), TERM)

    assert found is not None
    assert found.expires_at == after(days=1) + TERM


def test_a_lease_that_was_released_is_free_at_once() -> None:
    left = released(FIRST, FIRST, after(seconds=1))

    assert left is not None
    assert claimed(left, "b", "two", after(seconds=1), TERM) is not None


def test_a_renewal_comes_several_times_before_the_trust_ends() -> None:
    assert 3 * RENEWAL <= TERM - MARGIN


@dataclass(slots=True)
class Process:
    """One contender: what it believes, and how long it trusts that by its own clock."""

    name: str
    offset: float
    held: Lease | None = None
    until: float = -inf

    def trusts(self, now: float) -> bool:
        return self.held is not None and now + self.offset < self.until


@dataclass(slots=True)
class World:
    """A store with a clock, contenders with theirs, and messages that take their time.

    Every message may be late at either end or have its answer lost, and its sender may be paused
    in between. A contender that trusts itself writes; one that was paused writes without a look.
    """

    rng: random.Random
    processes: list[Process]
    time: float = 0.0
    lease: Lease | None = None
    accepted: list[tuple[float, int, str]] = field(default_factory=list)
    refused: int = 0
    together: list[tuple[float, list[str]]] = field(default_factory=list)
    jump: float = 0.0
    begins_at_answer: bool = False
    holders: set[int] = field(default_factory=set)

    def run(self, events: int) -> None:
        queue: list[tuple[float, int, int, str, float, Lease | None]] = []
        ticket = count()

        def later(kind: str, who: int, asked: float, given: Lease | None, most: float) -> None:
            slow = self.rng.random() < 0.2
            wait = self.rng.uniform(0, 100 if slow else most)
            heappush(queue, (self.time + wait, next(ticket), who, kind, asked, given))

        for who in range(len(self.processes)):
            later("wake", who, 0, None, 5)
        for _ in range(events):
            self.time, _, who, kind, asked, given = heappop(queue)
            process = self.processes[who]
            if kind == "wake":
                # What is sent now may arrive much later, by when much has changed.
                later("arrive", who, self.time + process.offset, process.held, 2)
                later("write", who, 0, process.held, 2)
                later("wake", who, 0, None, RENEWAL.total_seconds())
            elif kind == "arrive":
                answer = self._ask(process, given)
                if self.rng.random() > 0.2:
                    later("answer", who, asked, answer, 2)
            elif kind == "answer":
                self._hear(process, asked, given)
            elif given is not None:
                self._write(given)
            self._look()

    def _ask(self, process: Process, held: Lease | None) -> Lease | None:
        now = NOW + timedelta(seconds=self.time + self.jump)
        if held is not None:
            answer = renewed(self.lease, held, now, TERM)
        else:
            answer = claimed(self.lease, process.name, process.name, now, TERM)
        if answer is not None:
            self.lease = answer
            self.holders.add(answer.epoch)
        return answer

    def _hear(self, process: Process, asked: float, answer: Lease | None) -> None:
        if answer is None:
            process.held = None
            return
        if self.begins_at_answer:
            asked = self.time + process.offset
        before = process.until if process.held is not None else -inf
        if process.held is None or answer.epoch >= process.held.epoch:
            process.held, process.until = answer, max(before, trusted_until(asked, TERM))

    def _write(self, held: Lease) -> None:
        if self.lease is not None and is_same(self.lease, held):
            self.accepted.append((self.time, held.epoch, held.instance))
        else:
            self.refused += 1

    def _look(self) -> None:
        trusted = [process.name for process in self.processes if process.trusts(self.time)]
        if len(trusted) > 1:
            self.together.append((self.time, trusted))


def a_world(seed: int, contenders: int) -> World:
    rng = random.Random(seed)
    names = [Process(name=name, offset=rng.uniform(-1e6, 1e6)) for name in "abc"[:contenders]]
    return World(rng=rng, processes=names)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 3))
def test_two_are_never_trusted_at_one_time(seed: int, contenders: int) -> None:
    world = a_world(seed, contenders)

    world.run(1500)

    assert world.together == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 3), st.booleans())
def test_epochs_of_accepted_writes_never_go_back(
    seed: int, contenders: int, has_jumps: bool
) -> None:
    world = a_world(seed, contenders)

    for _ in range(15):
        world.run(100)
        world.jump += world.rng.uniform(-3600, 3600) if has_jumps else 0.0

    epochs = [epoch for _, epoch, _ in world.accepted]
    owners = {epoch: instance for _, epoch, instance in world.accepted}
    assert all(one <= other for one, other in pairwise(epochs))
    assert all(owners[epoch] == instance for _, epoch, instance in world.accepted)


def test_the_contenders_do_take_over_from_each_other_and_are_refused() -> None:
    worlds = [a_world(seed, 3) for seed in range(6)]

    for world in worlds:
        world.run(1500)

    assert sum(len(world.holders) for world in worlds) > 50
    assert sum(world.refused for world in worlds) > 50
    assert {instance for world in worlds for _, _, instance in world.accepted} == {*"abc"}


def test_a_window_from_the_answer_on_would_let_two_be_trusted() -> None:
    worlds = [a_world(seed, 3) for seed in range(20)]

    for world in worlds:
        world.begins_at_answer = True
        world.run(1500)

    assert any(world.together for world in worlds)
